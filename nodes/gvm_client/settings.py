"""What an artist sets: the window, the matte, and the presets; each number stands here once.

Every value is checked when the object is made: settings that exist are valid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import Enum
from types import MappingProxyType

from gvm_client.declaration import setting, settings_of
from gvm_client.errors import SettingsError
from gvm_client.limits import (
    MAX_FRAMES_PER_WINDOW,
    MAX_RADIUS,
    MAX_SIDE,
    MAX_STEPS,
    MAX_STOPS,
)

WINDOW_OPTIONS = (
    "frames_per_window",
    "overlap",
    "decode_chunk",
    "steps",
    "size",
    "max_resolution",
)
"""The numbers of the window's settings that are set one by one, in any host."""

LARGEST_FITTED_WINDOW = 16  # frames: the most that a window chosen by the device's memory has


class PlanKind(str, Enum):
    """How a clip is cut into windows."""

    SEAMLESS = "seamless"
    """Full-length windows on a grid anchored at the clip's first frame, cross-faded."""
    REFERENCE = "reference"
    """The original program's independent batches, for comparison."""


class Priority(str, Enum):
    """Who is served first: the order of the members is the order of service."""

    INTERACTIVE = "interactive"
    """The frame under an artist's playhead. Ends when its client goes."""
    RANGE = "range"
    """A range that an artist waits for. Ends when its client goes."""
    BATCH = "batch"
    """Farm and background work. Goes on when its client goes."""


class Depth(str, Enum):
    """The pixel type of an EXR alpha."""

    HALF = "half"
    FLOAT = "float"


class Missing(str, Enum):
    """What stands in for a plate frame that is not on disk."""

    FAIL = "fail"
    """Nothing: the job is refused and every missing frame is named."""
    HOLD = "hold"
    """The nearest earlier frame (the nearest later one at the head of the clip)."""
    BLACK = "black"
    """A black frame."""


class Highlights(str, Enum):
    """What becomes of light above white in the model's picture."""

    ROLLOFF = "rolloff"
    """A shoulder from 0.8 on: what is brighter stays brighter."""
    CLIP = "clip"
    """All of it is white."""


class Refine(str, Enum):
    """How an alpha comes from the model's size to the plate's."""

    NONE = "none"
    """Bilinear."""
    GUIDED = "guided"
    """The plate's own edges, in one step."""
    DETAIL = "detail"
    """The same octave by octave, with the plate's grain smoothed: for plates of 2.5 times the
    model's size and more; on smaller ones it is `GUIDED`."""
    TILES = "tiles"
    """`DETAIL`, and the model once more on parts of the plate in its own pixels, where edges are:
    many times the work. An engine that knows no parts makes it `DETAIL`."""


class BadPixels(str, Enum):
    """What is done with NaN and infinite plate pixels."""

    FAIL = "fail"
    """The job fails and says where they are."""
    BLACK = "black"
    """They are read as black."""


class Noise(str, Enum):
    """What the denoiser starts from."""

    ZEROS = "zeros"
    """As the released one-step model was trained."""
    GAUSSIAN = "gaussian"
    """Noise of the seed, with the scheduler's own timesteps; experimental."""


class OnOom(str, Enum):
    """What is done when the device's memory runs out and nothing free of cost is left to give."""

    FAIL = "fail"
    """The job fails, with the numbers and what to set."""
    BACKOFF = "backoff"
    """It begins anew with a smaller window, then decode chunk, then size; the matte changes."""


class PlateKeys(str, Enum):
    """What tells one version of a plate frame from another."""

    AUTO = "auto"
    """The content of a sequence's files, the size and time of a movie."""
    STAT = "stat"
    """Path, size and modification time: nothing is read."""
    CONTENT = "content"
    """A hash of what is in it: costs a read, survives a move and a copy to another machine."""


def _require(rule: bool, name: str, value: object, says: str) -> None:  # noqa: FBT001
    if not rule:
        raise SettingsError(f"{name} is {value!r}; it must be {says}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowSettings:
    """How frames are grouped and sized for the model; every field is part of the keys.

    Defaults are the original guide's working values (8 frames, overlap 1, one step, size 720).

    Raises:
        SettingsError: a value is out of its range; the message names it.
    """

    frames_per_window: int = 8
    """W: consecutive frames denoised together."""
    overlap: int = 1
    """O: frames shared by consecutive windows, 0 <= O <= W/2."""
    decode_chunk: int = 0
    """D: consecutive frames decoded together; 0 means the whole window (best)."""
    steps: int = 1
    """Denoising steps; the released model is a one-step model, more is experimental."""
    size: int = 720
    """Short edge of the working frame, in pixels."""
    max_resolution: int = 1024
    """Longest allowed edge of the working frame, in pixels."""
    plan: PlanKind = PlanKind.SEAMLESS

    def __post_init__(self) -> None:
        width = self.frames_per_window
        _require(
            1 <= width <= MAX_FRAMES_PER_WINDOW,
            "frames_per_window",
            width,
            f"from 1 to {MAX_FRAMES_PER_WINDOW}",
        )
        _require(
            0 <= self.overlap <= width // 2,
            "overlap",
            self.overlap,
            f"from 0 to half of frames_per_window, here {width // 2}",
        )
        _require(
            0 <= self.decode_chunk <= MAX_FRAMES_PER_WINDOW,
            "decode_chunk",
            self.decode_chunk,
            f"from 0 (the whole window) to {MAX_FRAMES_PER_WINDOW}",
        )
        _require(1 <= self.steps <= MAX_STEPS, "steps", self.steps, f"from 1 to {MAX_STEPS}")
        for name in ("size", "max_resolution"):
            side = getattr(self, name)
            _require(32 <= side <= MAX_SIDE, name, side, f"from 32 to {MAX_SIDE} pixels")

    @property
    def chunk(self) -> int:
        """Frames decoded together, never more than the window has."""
        return min(self.decode_chunk or self.frames_per_window, self.frames_per_window)


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelSettings:
    """Which weights, what the denoiser starts from, and what to do when memory is short.

    Folders are absolute; "" means the one that `gvm weights pull` filled. An engine without
    weights of its own looks at none of this.

    Raises:
        SettingsError: the seed is negative.
    """

    weights: str = ""
    """A folder with `unet/`, `vae/` and `scheduler/`."""
    unet: str = ""
    """A folder with another UNet; "" means the one of the weights."""
    lora: str = ""
    """A folder that may hold an adapter for the UNet; "" means none."""
    noise: Noise = Noise.ZEROS
    seed: int = 0
    """Of gaussian noise."""
    on_oom: OnOom = OnOom.FAIL
    fit_memory: bool = False
    """Whether the server chooses the window and the decode chunk by the device's free memory."""

    def __post_init__(self) -> None:
        _require(0 <= self.seed < 2**63, "seed", self.seed, "from 0 to 2^63 - 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class Finish:
    """What an artist sets of the picture that the model sees, and of the finished alpha.

    A setting that is declared here is an option, a part of a farm's task, and a parameter in every
    host. What those of the finish do, which run no model, is said in `gvm_server.matting.knobs`;
    those that say `reruns_model` in `gvm_server.media.colour.tone_mapping`.
    """

    black: float = setting(0.0, label="Black", help="alpha that becomes 0")
    white: float = setting(1.0, label="White", help="alpha that becomes 1")
    gamma: float = setting(
        1.0,
        label="Gamma",
        help="above 1 thickens soft edges",
        bounds=(0.01, 100.0),
        slider=(0.2, 5.0),
    )
    grow: float = setting(
        0.0,
        label="Grow",
        help="plate pixels, fractions allowed; negative shrinks",
        bounds=(-MAX_RADIUS, MAX_RADIUS),
        slider=(-20.0, 20.0),
        is_length=True,
        lifts_zero=True,
    )
    blur: float = setting(
        0.0,
        label="Blur",
        help="Gaussian sigma, plate pixels",
        bounds=(0.0, MAX_RADIUS),
        slider=(0.0, 20.0),
        is_length=True,
        lifts_zero=True,
    )
    invert: bool = setting(False, label="Invert", help="1 becomes 0", lifts_zero=True)
    refine: str = setting(
        Refine.GUIDED.value,
        label="Refine",
        help="edges at plate size: none, guided by the plate, detail, octave by octave, for plates"
        " of 2.5 times the model's size and more, or tiles, the model again on parts of the plate",
        choices=tuple(way.value for way in Refine),
    )
    exposure: float = setting(
        0.0,
        label="Exposure",
        help="stops by which the model sees the plate brighter or darker",
        bounds=(-MAX_STOPS, MAX_STOPS),
        slider=(-4.0, 4.0),
        reruns_model=True,
    )
    highlights: str = setting(
        Highlights.ROLLOFF.value,
        label="Highlights",
        help="light above white, as the model sees it: rolloff keeps what is brighter apart, clip"
        " makes all of it white",
        choices=tuple(choice.value for choice in Highlights),
        reruns_model=True,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class MatteKnobs(Finish):
    """Values that are proven.

    Applied in the order of the groups: refine, levels (black, white, gamma), grow, blur, invert.

    Raises:
        SettingsError: a value is out of its range; the message names it.
    """

    def __post_init__(self) -> None:
        for declared in settings_of(Finish):
            declared.check(getattr(self, declared.name))
        _require(self.black < self.white, "black", self.black, f"below white, here {self.white}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """A named bundle of window settings."""

    window: WindowSettings
    about: str
    max_frames: int = 0
    """Only the first so many frames of the clip; 0 means all."""


def _preset(about: str, max_frames: int = 0, **values: int) -> Preset:
    return Preset(
        window=replace(WindowSettings(), **values),  # type: ignore[arg-type]
        about=about,
        max_frames=max_frames,
    )


DEFAULT_PRESET = "default"
AUTO_PRESET = "auto"  # the default's values; the server fits the window to the device's memory

# The scenarios of the original guide, with its numbers.
PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        DEFAULT_PRESET: _preset("the settings' own defaults"),
        AUTO_PRESET: _preset("the window by the device's free memory"),
        "low_memory": _preset(
            "below 8 GB of GPU memory",
            frames_per_window=4,
            overlap=1,
            decode_chunk=4,
            max_resolution=720,
            size=512,
        ),
        "balanced": _preset(
            "everyday work", frames_per_window=8, overlap=1, decode_chunk=8, max_resolution=960
        ),
        "high_quality": _preset(
            "16 GB of GPU memory and more; three steps are experimental",
            frames_per_window=16,
            overlap=2,
            decode_chunk=16,
            max_resolution=1280,
            steps=3,
        ),
        "production": _preset(
            "final mattes; three steps are experimental",
            frames_per_window=16,
            overlap=2,
            decode_chunk=16,
            max_resolution=1280,
            steps=3,
        ),
        "fast_test": _preset(
            "a quick look at the first 50 frames",
            50,
            frames_per_window=8,
            overlap=1,
            decode_chunk=8,
            max_resolution=720,
        ),
        "prototype": _preset(
            "the smallest and fastest, first 100 frames",
            100,
            frames_per_window=4,
            overlap=1,
            decode_chunk=4,
            max_resolution=512,
        ),
    }
)


def window_settings(
    preset: str = DEFAULT_PRESET, **changes: int | PlanKind | None
) -> WindowSettings:
    """Return a preset's window settings with the given fields changed; None leaves a field alone.

    An overlap that the caller did not set shrinks with the window, so that setting
    `frames_per_window=1` alone is not an error.

    Raises:
        SettingsError: no such preset, no such field, or a value out of its range.
    """
    base = find_preset(preset).window
    known = {field.name for field in fields(WindowSettings)}
    for name in changes:
        _require(name in known, "the setting", name, "one of " + ", ".join(sorted(known)))
    given = {name: value for name, value in changes.items() if value is not None}
    if "frames_per_window" in given and "overlap" not in given:
        width = given["frames_per_window"]
        given["overlap"] = min(base.overlap, max(int(width), 0) // 2)
    return replace(base, **given)  # type: ignore[arg-type]


def find_preset(name: str) -> Preset:
    """Return a preset by name.

    Raises:
        SettingsError: no such preset; the message lists them.
    """
    _require(name in PRESETS, "preset", name, "one of " + ", ".join(PRESETS))
    return PRESETS[name]
