"""The values inside messages: plates, outputs, mapped frames, and what a status shows.

As in `messages`, which gives all of these on; nobody else needs to import this module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from gvm_client.errors import LocalProtocolError
from gvm_client.file_content import Despill, FileContent
from gvm_client.limits import (
    MAX_BUFFER_SIDE,
    MAX_CUTS,
    MAX_FRAMES_IN_MESSAGE,
    MAX_SHOWN_ASPECT,
    MAX_VARIABLES,
    SHOWN_COLUMNS,
    SHOWN_ROWS,
)
from gvm_client.paths import is_absolute
from gvm_client.settings import BadPixels, Depth, Missing, PlateKeys, Priority

DEFAULT_UMASK = 0o022  # what most systems give a user

_DIGEST = re.compile(r"[0-9a-f]{0,128}")
_BUFFER_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")


def require(rule: bool, says: str) -> None:  # noqa: FBT001
    """Refuse a value that breaks a rule.

    Raises:
        LocalProtocolError: the rule does not hold; the sentence says which.
    """
    if not rule:
        raise LocalProtocolError(f"{says}.")


class PixelType(str, Enum):
    """The pixel type of a mapped buffer."""

    UINT8 = "uint8"
    UINT16 = "uint16"
    HALF = "half"
    FLOAT = "float"


PIXEL_BYTES: Mapping[PixelType, int] = MappingProxyType(
    {PixelType.UINT8: 1, PixelType.UINT16: 2, PixelType.HALF: 2, PixelType.FLOAT: 4}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class MappedFrame:
    """One image in a memory-mapped file of the run-time folder's `pixels/` folder.

    Rows run from the top down, interleaved channels, native byte order, no padding.
    """

    frame: int
    key: str
    """A hash of the pixels and of where they lie, made by their owner, hexadecimal; equal keys mean
    equal pixels."""
    buffer: str
    """The file's bare name; never a path."""
    offset: int
    """Bytes from the start of the file to the first pixel."""
    width: int
    height: int
    channels: int
    pixel_type: PixelType
    x: int = 0
    """Where the first pixel lies, from the left of the clip's region, of which a frame and its
    alpha may be a part; of a plate on disk, from the display window."""
    y: int = 0
    """The same from its top, downwards."""

    def __post_init__(self) -> None:
        require(
            _BUFFER_NAME.fullmatch(self.buffer) is not None and not self.buffer.startswith("."),
            f"buffer is {self.buffer!r}; it must be a bare file name of letters, digits, . _ -",
        )
        require(self.offset >= 0, f"offset is {self.offset}; it must not be negative")
        for name in ("width", "height"):
            side = getattr(self, name)
            require(
                1 <= side <= MAX_BUFFER_SIDE,
                f"{name} is {side}; it must be from 1 to {MAX_BUFFER_SIDE}",
            )
        for name in ("x", "y"):
            place = getattr(self, name)
            require(
                abs(place) <= MAX_BUFFER_SIDE,
                f"{name} is {place}; it must be from -{MAX_BUFFER_SIDE} to {MAX_BUFFER_SIDE}",
            )
        require(self.channels in (1, 3, 4), f"channels is {self.channels}; it must be 1, 3 or 4")

    @property
    def nbytes(self) -> int:
        """The bytes that the image takes."""
        return self.width * self.height * self.channels * PIXEL_BYTES[self.pixel_type]


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameKey:
    """A frame that a host holds, and the hash of its pixels."""

    frame: int
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What a host shows at the one frame that is asked for, so that it gets no other one's alpha.

    Attributes:
        aspect: the picture's width over its height, as it is shown.
        ranks: of 18 rows of 32 cells, from the top left: where each stands in the order of their
            medians; the darkest is 0, equal ones are equal, -1 is one without a picture.
        search: whether the clip's frame that shows this picture is matted, wherever it is.
    """

    aspect: float
    ranks: tuple[int, ...]
    search: bool = False

    def __post_init__(self) -> None:
        require(
            1 / MAX_SHOWN_ASPECT <= self.aspect <= MAX_SHOWN_ASPECT,
            f"aspect is {self.aspect:g}; it must be from {1 / MAX_SHOWN_ASPECT:g} to"
            f" {MAX_SHOWN_ASPECT:g}",
        )
        cells = SHOWN_COLUMNS * SHOWN_ROWS
        require(len(self.ranks) == cells, f"{len(self.ranks)} ranks; there must be {cells}")
        require(
            all(-1 <= rank < cells for rank in self.ranks),
            f"a rank is outside of -1 to {cells - 1}",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class FilePlate:
    """A plate on disk: a sequence pattern, a folder with one sequence, an image, or a movie.

    Attributes:
        path: absolute. Sequences as `/p/a.%04d.exr`, `/p/a.####.exr`, `/p/a.@@@@.exr` or a folder.
        first: the clip's first frame; None means the first on disk.
        last: the clip's last frame; None means the last on disk.
        layer: an EXR layer or part; "" means the main RGB.
        colourspace: `auto`, `srgb`, `scene_linear`, `acescg`, `rec709`, `raw`, or an OCIO name.
        cuts: frames where a new shot begins, ascending.
        shown: what the host shows at the one frame that is asked for; the alpha covers that
            picture. None where the alpha is not laid over a picture.
    """

    path: str
    first: int | None = None
    last: int | None = None
    layer: str = ""
    colourspace: str = "auto"
    missing: Missing = Missing.FAIL
    bad_pixels: BadPixels = BadPixels.FAIL
    keys: PlateKeys = PlateKeys.AUTO
    cuts: tuple[int, ...] = ()
    shown: Shown | None = None

    def __post_init__(self) -> None:
        require(is_absolute(self.path), _absolute("path", self.path))
        require(len(self.cuts) <= MAX_CUTS, f"{len(self.cuts)} cuts; at most {MAX_CUTS}")


@dataclass(frozen=True, kw_only=True, slots=True)
class PushedPlate:
    """A plate whose pixels a host holds: it names frames by key and gives those that are asked for.

    Attributes:
        name: what the artist calls it, for logs and status.
        first: the clip's first frame.
        last: the clip's last frame.
        width: pixels of the clip's whole region; a frame may have fewer.
        height: pixels of the clip's whole region.
        pixel_aspect: width of a pixel over its height.
        colourspace: as in `FilePlate`; `auto` means scene-linear: hosts work in float.
        frames: keys of every frame that the requested frames' windows need.
        cuts: frames where a new shot begins, ascending.
    """

    name: str
    first: int
    last: int
    width: int
    height: int
    frames: tuple[FrameKey, ...]
    pixel_aspect: float = 1.0
    colourspace: str = "auto"
    bad_pixels: BadPixels = BadPixels.FAIL
    cuts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.frames)
        require(
            1 <= count <= MAX_FRAMES_IN_MESSAGE,
            f"{count} frames; a pushed plate names from 1 to {MAX_FRAMES_IN_MESSAGE}",
        )
        require(len(self.cuts) <= MAX_CUTS, f"{len(self.cuts)} cuts; at most {MAX_CUTS}")


@dataclass(frozen=True, kw_only=True, slots=True)
class FileOutput:
    """Alphas as EXR files.

    Attributes:
        path: absolute; a folder (the plate's name is kept) or a pattern such as `/m/a.%04d.exr`.
        depth: the pixel type.
        overwrite: whether a file that this program did not make may be replaced.
        same_maker: whether finished frames that another maker made (device, types, libraries) are
            made again.
        content: what the files hold besides the alpha.
    """

    path: str
    depth: Depth = Depth.HALF
    overwrite: bool = False
    same_maker: bool = False
    content: FileContent = FileContent()  # noqa: RUF009 (it is frozen)

    def __post_init__(self) -> None:
        require(is_absolute(self.path), _absolute("path", self.path))


@dataclass(frozen=True, kw_only=True, slots=True)
class MappedOutput:
    """Alphas as float pixels in memory-mapped files; the client deletes each after reading.

    Attributes:
        pixel_type: of every pixel that is given.
        foreground: whether the subject's straight colours are given besides, in the plate's own
            space; only of a `PushedPlate`, for a file's pixels need not be the picture's.
        despill: the screen whose light is taken off them.
    """

    pixel_type: PixelType = PixelType.FLOAT
    foreground: bool = False
    despill: Despill = Despill.NONE

    def __post_init__(self) -> None:
        require(self.pixel_type is PixelType.FLOAT, "a mapped alpha is float")


@dataclass(frozen=True, kw_only=True, slots=True)
class JobContext:
    """What a job means besides its settings, from the asker's environment; never the server's own.

    Attributes:
        ocio: the colour configuration: an absolute path or an `ocio://` name; "" is the built-in.
        ocio_variables: what the configuration's context variables are, each as `NAME=value`; those
            that it names and that are not here have its own defaults.
        ocio_digest: the hash of its content that the job asks for, hexadecimal; "" takes any.
        weights: the folder of GVM's weights where the model names none; "" is the user's own.
        umask: permission bits that the job's files and folders do not get.
        device: the kind of device that the job demands (`cpu`, `cuda`, `mps`); "" takes any.
        precision: the type that the job demands of the network; "" takes any.
        compilation: the `torch.compile` backend that the job demands, or `none`; "" takes any.
        commercial_only: whether weights without commercial terms are refused.
    """

    ocio: str = ""
    ocio_variables: tuple[str, ...] = ()
    ocio_digest: str = ""
    weights: str = ""
    umask: int = DEFAULT_UMASK
    device: str = ""
    precision: str = ""
    compilation: str = ""
    commercial_only: bool = False

    def __post_init__(self) -> None:
        require(
            self.ocio == "" or self.ocio.startswith("ocio://") or is_absolute(self.ocio),
            f"ocio is {self.ocio!r}; it must be an absolute path or an ocio:// name",
        )
        require(
            len(self.ocio_variables) <= MAX_VARIABLES,
            f"ocio_variables has {len(self.ocio_variables)} items; its bound is {MAX_VARIABLES}",
        )
        for variable in self.ocio_variables:
            require(
                variable.find("=") > 0,
                f"ocio_variables has {variable[:64]!r}; each must be NAME=value",
            )
        require(
            _DIGEST.fullmatch(self.ocio_digest) is not None,
            f"ocio_digest is {self.ocio_digest!r}; it must be at most 128 hexadecimal digits",
        )
        require(self.weights == "" or is_absolute(self.weights), _absolute("weights", self.weights))
        require(0 <= self.umask <= 0o777, f"umask is {self.umask}; it must be from 0 to 511")

    @property
    def variables(self) -> Mapping[str, str]:
        """The configuration's context variables by name."""
        named = (variable.partition("=") for variable in self.ocio_variables)
        return {name: value for name, _, value in named}


@dataclass(frozen=True, kw_only=True, slots=True)
class StageSeconds:
    """How long one stage of the pipeline was busy in a job (wall seconds with any worker in it)."""

    stage: str
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSummary:
    """One job as `status` shows it."""

    job: str
    state: str
    """A `JobState` value."""
    plate: str
    output: str
    engine: str
    priority: Priority
    frames_done: int
    frames_total: int
    seconds: float
    """Since it was asked for, until it ended."""
    note: str = ""
    """What it waits for, or does, or why it failed, in plain words."""
    ended_seconds: float = 0.0
    """Since it ended; 0 while it lives."""
    garbage: str = ""
    """The path of its garbage matte; "" where it has none."""
    holdout: str = ""
    """The path of its holdout matte; "" where it has none."""
    licence: str = ""
    """Of its engine's weights; "" before they are known."""


def _absolute(name: str, value: str) -> str:
    return f"{name} is {value!r}; it must be an absolute path"
