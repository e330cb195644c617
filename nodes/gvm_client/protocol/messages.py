"""The words of the protocol: every message and the values inside them.

Laws:
1. A message is frozen and checked when it is made: one that exists is valid.
2. Pixels never travel in a message: plates go by path, a host's pixels by `MappedFrame`.
3. Every text and every list has a bound here, checked before anything is done with it.

`docs/protocol.md` is the prose; `tests/golden/protocol/` ties Python and C++ to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from gvm_client.errors import ErrorCode, LocalProtocolError
from gvm_client.settings import (
    BadPixels,
    Depth,
    MatteKnobs,
    Missing,
    ModelSettings,
    PlateKeys,
    Priority,
    WindowSettings,
)

MAX_TEXT = 8192  # bytes of any text; PATH_MAX is 4096, a range of frames may be longer
MAX_FRAMES_IN_MESSAGE = 1024  # frames named one by one; a window has at most 256
MAX_CUTS = 10_000
MAX_JOBS = 256

_JOB_ID = re.compile(r"[0-9a-f]{32}")
_BUFFER_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")


def _require(rule: bool, says: str) -> None:  # noqa: FBT001
    if not rule:
        raise LocalProtocolError(f"{says}.")


class EngineName(str, Enum):
    """The engines that a request may name."""

    AUTO = "auto"
    """GVM where its weights are, else the preview engine, and the reply says which."""
    GVM = "gvm"
    PREVIEW = "preview"
    TEST = "test"
    """A deterministic stand-in for tests; its mattes mean nothing."""


class PixelType(str, Enum):
    """The pixel type of a mapped buffer."""

    UINT8 = "uint8"
    UINT16 = "uint16"
    HALF = "half"
    FLOAT = "float"


PIXEL_BYTES: Mapping[PixelType, int] = MappingProxyType(
    {PixelType.UINT8: 1, PixelType.UINT16: 2, PixelType.HALF: 2, PixelType.FLOAT: 4}
)


# ---- values inside messages -------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class MappedFrame:
    """One image in a memory-mapped file of the run-time folder's `pixels/` folder.

    Rows run from the top down, interleaved channels, native byte order, no padding.
    """

    frame: int
    key: str
    """A hash of the pixels, made by their owner, hexadecimal; equal keys mean equal pixels."""
    buffer: str
    """The file's bare name; never a path."""
    offset: int
    """Bytes from the start of the file to the first pixel."""
    width: int
    height: int
    channels: int
    pixel_type: PixelType

    def __post_init__(self) -> None:
        _require(
            _BUFFER_NAME.fullmatch(self.buffer) is not None and not self.buffer.startswith("."),
            f"buffer is {self.buffer!r}; it must be a bare file name of letters, digits, . _ -",
        )
        _require(self.offset >= 0, f"offset is {self.offset}; it must not be negative")
        for name in ("width", "height"):
            side = getattr(self, name)
            _require(1 <= side <= 65_536, f"{name} is {side}; it must be from 1 to 65536")
        _require(self.channels in (1, 3, 4), f"channels is {self.channels}; it must be 1, 3 or 4")

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
class FilePlate:
    """A plate on disk: a sequence pattern, a folder with one sequence, an image, or a movie.

    Attributes:
        path: absolute. Sequences as `/p/a.%04d.exr`, `/p/a.####.exr`, `/p/a.@@@@.exr` or a folder.
        first: the clip's first frame; None means the first on disk.
        last: the clip's last frame; None means the last on disk.
        layer: an EXR layer or part; "" means the main RGB.
        colourspace: `auto`, `srgb`, `scene_linear`, `acescg`, `rec709`, `raw`, or an OCIO name.
        cuts: frames where a new shot begins, ascending.
    """

    path: str
    first: int | None = None
    last: int | None = None
    layer: str = ""
    colourspace: str = "auto"
    missing: Missing = Missing.FAIL
    bad_pixels: BadPixels = BadPixels.FAIL
    keys: PlateKeys = PlateKeys.STAT
    cuts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _require(self.path.startswith("/") or self.path[1:2] == ":", _absolute("path", self.path))
        _require(len(self.cuts) <= MAX_CUTS, f"{len(self.cuts)} cuts; at most {MAX_CUTS}")


@dataclass(frozen=True, kw_only=True, slots=True)
class PushedPlate:
    """A plate whose pixels a host holds: it names frames by key and gives those that are asked for.

    Attributes:
        name: what the artist calls it, for logs and status.
        first: the clip's first frame.
        last: the clip's last frame.
        width: pixels of every frame.
        height: pixels of every frame.
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
        _require(
            1 <= count <= MAX_FRAMES_IN_MESSAGE,
            f"{count} frames; a pushed plate names from 1 to {MAX_FRAMES_IN_MESSAGE}",
        )
        _require(len(self.cuts) <= MAX_CUTS, f"{len(self.cuts)} cuts; at most {MAX_CUTS}")


@dataclass(frozen=True, kw_only=True, slots=True)
class FileOutput:
    """Alphas as EXR files.

    Attributes:
        path: absolute; a folder (the plate's name is kept) or a pattern such as `/m/a.%04d.exr`.
        depth: the pixel type.
        overwrite: whether a file that this program did not make may be replaced.
    """

    path: str
    depth: Depth = Depth.HALF
    overwrite: bool = False

    def __post_init__(self) -> None:
        _require(self.path.startswith("/") or self.path[1:2] == ":", _absolute("path", self.path))


@dataclass(frozen=True, kw_only=True, slots=True)
class MappedOutput:
    """Alphas as float pixels in memory-mapped files; the client deletes each after reading."""

    pixel_type: PixelType = PixelType.FLOAT

    def __post_init__(self) -> None:
        _require(self.pixel_type is PixelType.FLOAT, "a mapped alpha is float")


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
    """Since it was asked for."""
    note: str = ""
    """What it waits for, or does, in plain words."""


# ---- client to server -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Matte:
    """Matte these frames. The client makes the job's name, so asking twice is harmless.

    Attributes:
        job: 32 hexadecimal digits (a random UUID).
        frames: the host's frame numbers as a range text (`1001-1100x2,1200`); "" means the clip.
        max_frames: only the first so many of them; 0 means all.
        playhead: the frame to make first, or None.
    """

    job: str
    plate: FilePlate | PushedPlate
    output: FileOutput | MappedOutput
    frames: str = ""
    max_frames: int = 0
    window: WindowSettings = WindowSettings()
    knobs: MatteKnobs = MatteKnobs()
    model: ModelSettings = ModelSettings()
    engine: EngineName = EngineName.AUTO
    priority: Priority = Priority.RANGE
    playhead: int | None = None

    def __post_init__(self) -> None:
        _check_job(self.job)
        _require(self.max_frames >= 0, f"max_frames is {self.max_frames}; it must not be negative")


@dataclass(frozen=True, kw_only=True, slots=True)
class GiveFrames:
    """The answer to `NeedFrames`: where the pixels lie."""

    job: str
    frames: tuple[MappedFrame, ...]

    def __post_init__(self) -> None:
        _check_job(self.job)
        _check_count("frames", len(self.frames))


@dataclass(frozen=True, kw_only=True, slots=True)
class Ping:
    """Is somebody there? Answered by `Pong`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """What is the server doing? Answered by `ServerStatus`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cancel:
    """End a job. Answered by `Ok` at once; its own client gets `Cancelled` when it has ended."""

    job: str

    def __post_init__(self) -> None:
        _check_job(self.job)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """End the server: running jobs are cancelled. Answered by `Ok`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """Give the device's memory back; the next window loads the model again. Answered by `Ok`."""


# ---- server to client -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """The job's input was looked at and is good; this is what will be done.

    Attributes:
        engine: the engine that will run, never `auto`.
        revision: that engine's code and weights.
        preview: whether its mattes are preview grade.
        first: the clip's first frame.
        last: the clip's last frame.
        frames_total: frames asked for.
        frames_kept: of these, frames whose finished alpha stands already.
        windows_total: windows that the other frames need.
        windows_cached: of these, windows whose alphas lie in the cache.
        colourspace: what the plate is read as.
        working_width: the model's frame, in pixels.
        working_height: the model's frame, in pixels.
        notes: what the artist should know, in whole sentences.
    """

    job: str
    engine: EngineName
    revision: str
    preview: bool
    first: int
    last: int
    frames_total: int
    frames_kept: int
    windows_total: int
    windows_cached: int
    colourspace: str
    working_width: int
    working_height: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class NeedFrames:
    """The server needs the pixels of these frames of a pushed plate."""

    job: str
    frames: tuple[int, ...]

    def __post_init__(self) -> None:
        _check_count("frames", len(self.frames))


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a job is; also its heartbeat: at least one a second while the job lives."""

    job: str
    frames_done: int
    frames_total: int
    windows_done: int
    windows_total: int
    note: str = ""
    """What it waits for, or does, in plain words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameReady:
    """One alpha is finished: a file's path, or a mapped buffer."""

    job: str
    frame: int
    cached: bool
    """Whether it stood already (nothing was made for it)."""
    path: str = ""
    mapped: MappedFrame | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """Every frame that was asked for is there.

    Attributes:
        windows_run: windows that the engine ran for this job.
        windows_cached: windows whose alphas came from the cache.
        frames_written: alphas made or copied into place.
        frames_kept: alphas that stood already.
        seconds: wall time since the job was asked for.
        stages: busy seconds of each stage.
        notes: what the artist should know of how it went, in whole sentences.
    """

    job: str
    windows_run: int
    windows_cached: int
    frames_written: int
    frames_kept: int
    seconds: float
    stages: tuple[StageSeconds, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """The job, or the request, failed; what was finished before stays."""

    code: ErrorCode
    message: str
    remedy: str = ""
    job: str = ""
    """Empty where the request named no job."""
    frame: int | None = None
    path: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cancelled:
    """The job was ended on request; what was finished before stays."""

    job: str
    frames_done: int
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pong:
    """The server is there."""

    pid: int
    version: str
    """The package's version."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ok:
    """Done as asked."""

    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerStatus:
    """What the server is doing.

    Attributes:
        engine_loaded: the engine whose model is in memory, or "".
        memory_bytes: the process's resident memory.
        device_used_bytes: memory this process holds on the device; 0 on a CPU.
        device_free_bytes: memory free on the device; 0 on a CPU.
        jobs: running and waiting jobs first, then the latest finished ones.
    """

    pid: int
    version: str
    seconds_up: float
    device: str
    engine_loaded: str
    memory_bytes: int
    device_used_bytes: int
    device_free_bytes: int
    cache_path: str
    cache_bytes: int
    jobs: tuple[JobSummary, ...] = ()

    def __post_init__(self) -> None:
        _require(len(self.jobs) <= MAX_JOBS, f"{len(self.jobs)} jobs; at most {MAX_JOBS}")


JobEvent = Accepted | NeedFrames | Progress | FrameReady | Done | Failed | Cancelled
Request = Matte | GiveFrames | Ping | Status | Cancel | Stop | Release
Reply = JobEvent | Pong | Ok | ServerStatus
Message = Request | Reply

# The word on the wire for each message; the order is the document's.
MESSAGE_TYPES: Mapping[str, type[Message]] = MappingProxyType(
    {
        "matte": Matte,
        "give_frames": GiveFrames,
        "ping": Ping,
        "status": Status,
        "cancel": Cancel,
        "stop": Stop,
        "release": Release,
        "accepted": Accepted,
        "need_frames": NeedFrames,
        "progress": Progress,
        "frame_ready": FrameReady,
        "done": Done,
        "failed": Failed,
        "cancelled": Cancelled,
        "pong": Pong,
        "ok": Ok,
        "server_status": ServerStatus,
    }
)


def _absolute(name: str, value: str) -> str:
    return f"{name} is {value!r}; it must be an absolute path"


def _check_job(job: str) -> None:
    _require(
        _JOB_ID.fullmatch(job) is not None, f"job is {job!r}; it must be 32 hexadecimal digits"
    )


def _check_count(name: str, count: int) -> None:
    _require(
        1 <= count <= MAX_FRAMES_IN_MESSAGE,
        f"{count} {name}; a message names from 1 to {MAX_FRAMES_IN_MESSAGE}",
    )
