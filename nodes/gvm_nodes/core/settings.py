"""What an artist sets on a node, the same in every host: one table of settings and one of buttons.

A setting's default is that of its field in `MatteOptions`; hosts build their own widgets from the
table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

from gvm_client.declaration import settings_of, values_in
from gvm_client.errors import SettingsError
from gvm_client.file_content import FileContent, FileLayers
from gvm_client.folders import expanded
from gvm_client.guides import Guides
from gvm_client.protocol.messages import EngineName
from gvm_client.settings import (
    AUTO_PRESET,
    DEFAULT_PRESET,
    PRESETS,
    WINDOW_OPTIONS,
    Depth,
    Finish,
    MatteKnobs,
    Missing,
    ModelSettings,
    OnOom,
    WindowSettings,
    find_preset,
    window_settings,
)
from gvm_nodes.core.clips import DEFAULT_OUTPUT

SettingValue = bool | int | float | str

COLOURSPACES = ("auto", "srgb", "scene_linear", "acescg", "rec709", "raw")

_WINDOW = find_preset(DEFAULT_PRESET).window
_GUIDES = Guides()


class RangeKind(str, Enum):
    """Which frames a render of the range makes."""

    PLATE = "plate"
    """All that the plate has, less the handles."""
    PROJECT = "project"
    """Those of the host's document."""
    CUSTOM = "custom"
    """Those of a range text."""


class Policy(str, Enum):
    """What a render of the host's own does about mattes."""

    MAKE = "make what is missing"
    READ = "only read what exists"


class Page(str, Enum):
    """Where a knob stands."""

    RANGE = "GVM"
    MODEL = "Model"
    MATTE = "Matte"
    FILES = "Files"


@dataclass(frozen=True, kw_only=True, slots=True)
class MatteOptions(Finish, FileLayers):
    """The knobs' values; checked when a request is made of them, for knobs are set one by one."""

    range: str = RangeKind.PLATE.value
    frames: str = ""
    handles: int = 0
    out: str = DEFAULT_OUTPUT
    version: int = 1
    depth: str = Depth.HALF.value
    policy: str = Policy.MAKE.value
    keep_going: bool = False
    engine: str = EngineName.AUTO.value
    preset: str = DEFAULT_PRESET
    frames_per_window: int = _WINDOW.frames_per_window
    overlap: int = _WINDOW.overlap
    decode_chunk: int = _WINDOW.decode_chunk
    steps: int = _WINDOW.steps
    size: int = _WINDOW.size
    max_resolution: int = _WINDOW.max_resolution
    roi: str = ""
    roi_scale: float = 1.0
    weights: str = ""
    on_oom: str = OnOom.FAIL.value
    colourspace: str = COLOURSPACES[0]
    ocio_colourspace: str = ""
    missing_frames: str = Missing.FAIL.value
    garbage: str = _GUIDES.garbage
    holdout: str = _GUIDES.holdout
    guide_feather: float = _GUIDES.guide_feather

    @property
    def window(self) -> WindowSettings:
        """The window's settings.

        Raises:
            SettingsError: one is out of its range.
        """
        return window_settings(
            DEFAULT_PRESET, **{name: getattr(self, name) for name in WINDOW_OPTIONS}
        )

    @property
    def levels(self) -> MatteKnobs:
        """What is done to a finished alpha.

        Raises:
            SettingsError: a value is out of its range.
        """
        return MatteKnobs(**values_in(self, Finish))

    @property
    def content(self) -> FileContent:
        """What the files hold.

        Raises:
            SettingsError: a value is none of its choices.
        """
        return FileContent(**values_in(self, FileLayers))

    @property
    def guides(self) -> Guides:
        """The mattes that force the alpha; `~` is the home folder.

        Raises:
            SettingsError: a path is not absolute, or the feather is out of its range.
        """
        return Guides(
            garbage=_guide_path(self.garbage),
            holdout=_guide_path(self.holdout),
            **values_in(self, Guides),
        )

    @property
    def model(self) -> ModelSettings:
        """Which weights, and what to do when memory is short."""
        return ModelSettings(
            weights=self.weights,
            on_oom=OnOom(self.on_oom),
            fit_memory=self.preset == AUTO_PRESET,
        )


def _guide_path(text: str) -> str:
    path = text.strip().replace("\\", "/")
    return str(expanded(path)) if path.startswith("~") else path


class Knob(NamedTuple):
    """A knob; its kind is that of its default, or a choice where there are choices."""

    name: str
    label: str
    page: Page
    choices: tuple[str, ...] = ()
    tooltip: str = ""

    @property
    def default(self) -> SettingValue:
        """The value of a new node."""
        value: SettingValue = getattr(_NEW, self.name)
        return value


class Button(NamedTuple):
    """A button, and what it does."""

    name: str
    """Also the function of `actions` that it calls."""
    label: str
    tooltip: str


_NEW = MatteOptions()


def _choices(kinds: type[Enum]) -> tuple[str, ...]:
    return tuple(kind.value for kind in kinds)


KNOBS = (
    Knob("range", "Range", Page.RANGE, _choices(RangeKind)),
    Knob(
        "frames",
        "Custom Frames",
        Page.RANGE,
        tooltip="Such as 1001-1100x2 1200; used when the range is custom",
    ),
    Knob(
        "handles",
        "Handles",
        Page.RANGE,
        tooltip="Frames at each end of the plate that are seen and not matted; used when the"
        " range is plate",
    ),
    Knob(
        "out",
        "Output",
        Page.RANGE,
        tooltip="Tokens: {dir} (the document's folder), {plate}, {id}, {version}; %04d is the"
        " frame",
    ),
    Knob("version", "Version", Page.RANGE, tooltip="Older versions stay as they are"),
    Knob("depth", "Depth", Page.RANGE, _choices(Depth), "The pixel type of the EXR alphas"),
    Knob("policy", "In Renders", Page.RANGE, _choices(Policy)),
    Knob(
        "keep_going",
        "Go On Alone",
        Page.RANGE,
        tooltip="A job goes on when this program is closed; Render Range finds it again",
    ),
    Knob("engine", "Engine", Page.MODEL, _choices(EngineName)),
    Knob("preset", "Preset", Page.MODEL, tuple(PRESETS), "Sets the numbers below"),
    Knob("frames_per_window", "Frames per Window", Page.MODEL, tooltip="Denoised together"),
    Knob("overlap", "Overlap", Page.MODEL, tooltip="Frames that two windows share"),
    Knob("decode_chunk", "Decode Chunk", Page.MODEL, tooltip="0 is the whole window"),
    Knob("steps", "Steps", Page.MODEL, tooltip="One; more is experimental"),
    Knob("size", "Size", Page.MODEL, tooltip="Short edge of the model's frame, in pixels"),
    Knob("max_resolution", "Longest Edge", Page.MODEL, tooltip="Of the model's frame, in pixels"),
    Knob(
        "roi",
        "Region",
        Page.MODEL,
        tooltip="x,y,width,height in plate pixels from the top left: only this part is matted;"
        " empty is the whole frame",
    ),
    Knob(
        "roi_scale",
        "Region Scale",
        Page.MODEL,
        tooltip="1 to 4: shows the region larger to the model, at its square of the work",
    ),
    Knob(
        "weights",
        "Weights",
        Page.MODEL,
        tooltip="A folder; empty means what `gvm weights pull` got",
    ),
    Knob(
        "on_oom",
        "Out of Memory",
        Page.MODEL,
        _choices(OnOom),
        "backoff begins anew with a smaller window, and the matte changes",
    ),
    Knob("colourspace", "Input Colour Space", Page.MODEL, COLOURSPACES),
    Knob(
        "ocio_colourspace",
        "OCIO Name",
        Page.MODEL,
        tooltip="An OCIO colour space; wins where it is set",
    ),
    Knob("missing_frames", "Missing Plate Frames", Page.MODEL, _choices(Missing)),
    *(
        Knob(
            one.name,
            one.label,
            Page.MODEL if one.reruns_model else Page.MATTE,
            one.choices,
            one.sentence,
        )
        for one in settings_of(Finish)
    ),
    *(
        Knob(
            name,
            f"{name.title()} Matte",
            Page.MATTE,
            tooltip=f"{does}: a sequence such as /p/roto.%04d.exr, an image for all frames, or a"
            " movie; empty is none",
        )
        for name, does in (("garbage", "Forces alpha 0"), ("holdout", "Forces alpha 1, and wins"))
    ),
    *(Knob(one.name, one.label, Page.MATTE, tooltip=one.sentence) for one in settings_of(Guides)),
    *(
        Knob(one.name, one.label, Page.FILES, one.choices, one.sentence)
        for one in settings_of(FileLayers)
    ),
)

BUTTONS = (
    Button("render_range", "Render Range", "Matte the range in the background."),
    Button("render_frame", "Render Current Frame", "Matte this frame, before every range."),
    Button("cancel", "Cancel", "End this node's job; what is finished is kept."),
    Button(
        "render_changed",
        "Re-render Changed Frames",
        "Make anew what is out of date among the mattes that exist.",
    ),
    Button("reveal", "Reveal", "Show the folder of the mattes."),
    Button("release", "Free GPU Memory", "Have the server give the GPU's memory back."),
)


def on_page(page: Page) -> tuple[Knob, ...]:
    """Return a page's knobs, in the order in which they are shown."""
    return tuple(knob for knob in KNOBS if knob.page is page)


def find_knob(name: str) -> Knob:
    """Return a knob by name.

    Raises:
        SettingsError: there is none.
    """
    for knob in KNOBS:
        if knob.name == name:
            return knob
    raise SettingsError(f"There is no knob {name!r}.")


def as_options(
    values: Mapping[str, SettingValue],
    base: MatteOptions = MatteOptions(),
) -> MatteOptions:
    """Return knobs' values, as a host or a text has them, in the knobs' own kinds.

    Args:
        values: by the knobs' names.
        base: has the value of each knob that is not among them.

    Raises:
        SettingsError: a name is no knob, or a value is not of its knob's kind or choices.
    """
    fitting: dict[str, Any] = {
        name: _fitting(find_knob(name), value) for name, value in values.items()
    }
    return replace(base, **fitting)


def _fitting(knob: Knob, value: SettingValue) -> SettingValue:
    if knob.choices and value not in knob.choices:
        raise SettingsError(
            f"{knob.label} is {value!r}; it must be one of {', '.join(knob.choices)}."
        )
    kind = type(knob.default)
    read, says = _KINDS[kind]
    try:
        return read(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise SettingsError(f"{knob.label} is {value!r}; it must be {says}.") from error


def _switch(value: SettingValue) -> bool:
    if isinstance(value, str) or value not in (0, 1):  # the text "false" is not false
        raise ValueError(value)
    return bool(value)


def _whole(value: SettingValue) -> int:
    if not isinstance(value, str) and int(value) != value:
        raise ValueError(value)
    return int(value)


def _text(value: SettingValue) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


_KINDS: Mapping[type, tuple[Callable[[SettingValue], SettingValue], str]] = MappingProxyType(
    {
        bool: (_switch, "on or off"),
        int: (_whole, "a whole number"),
        float: (float, "a number"),
        str: (_text, "a text"),
    }
)

NOT_PART_OF_A_MATTE = ("range", "frames", "handles", "policy", "keep_going")
"""The knobs that choose what is made, and change no matte."""
