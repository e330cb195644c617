"""The words of the protocol: every message and the values inside them.

- A message is frozen and checked when it is made: one that exists is valid.
- Pixels never travel in a message: plates go by path, a host's pixels by `MappedFrame`.
- Every text and every list has a bound here, checked before anything is done with it.

`docs/protocol.md` is the prose; `tests/golden/protocol/` ties Python and C++ to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gvm_client.engines import EngineName
from gvm_client.errors import ErrorCode
from gvm_client.file_content import FileContent
from gvm_client.guides import Guides
from gvm_client.limits import MAX_CUTS, MAX_FRAMES_IN_MESSAGE, MAX_JOBS, MAX_TEXT
from gvm_client.protocol.values import (
    PIXEL_BYTES,
    FileOutput,
    FilePlate,
    FrameKey,
    JobContext,
    JobSummary,
    MappedFrame,
    MappedOutput,
    PixelType,
    PushedPlate,
    Shown,
    StageSeconds,
    require,
)
from gvm_client.regions import Region, check_count, check_scale
from gvm_client.settings import MatteKnobs, ModelSettings, Priority, WindowSettings

_JOB_ID = re.compile(r"[0-9a-f]{32}")

# ---- client to server -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Matte:
    """Matte these frames. The client makes the job's name, so asking twice is harmless.

    Attributes:
        job: 32 hexadecimal digits: a random UUID, or what follows from a node and its request.
        frames: the host's frame numbers as a range text (`1001-1100x2,1200`); "" means the clip.
        max_frames: only the first so many of them; 0 means all.
        playhead: the frame to make first, or None.
        regions: what of each shot's picture is matted; none is the whole.
        roi_scale: the regions' working scale, in the whole frame's.
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
    context: JobContext = JobContext()  # noqa: RUF009 (it is frozen)
    guides: Guides = Guides()  # noqa: RUF009 (as well)
    regions: tuple[Region, ...] = ()
    roi_scale: float = 1.0

    def __post_init__(self) -> None:
        _check_job(self.job)
        require(self.max_frames >= 0, f"max_frames is {self.max_frames}; it must not be negative")
        check_count(self.regions)
        check_scale(self.roi_scale)


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
    """End a job. Answered by `Ok` at once; its clients get `Cancelled` when it has ended."""

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
        ocio_digest: the hash of the colour configuration's content, hexadecimal.
        device: the kind of device that the engine runs on.
        precision: the type that its network computes in.
        compilation: the `torch.compile` backend that runs it, or `none`.
        licence: of the engine's weights: `academic`, `commercial`, `unknown`, or a licence's name.
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
    ocio_digest: str = ""
    device: str = ""
    precision: str = ""
    compilation: str = ""
    licence: str = ""


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
    roi_cut: str = ""
    """The sides of its region that the matte touches inside the frame, such as `left bottom`: there
    the subject is cut."""
    foreground: MappedFrame | None = None
    """The subject's colours where the alpha lies, for a `MappedOutput` that asked for them."""


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
        cache_limit_bytes: what the cache may hold.
        licence: of the loaded engine's weights, or "".
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
    cache_limit_bytes: int = 0
    licence: str = ""

    def __post_init__(self) -> None:
        require(len(self.jobs) <= MAX_JOBS, f"{len(self.jobs)} jobs; at most {MAX_JOBS}")


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


def _check_job(job: str) -> None:
    require(_JOB_ID.fullmatch(job) is not None, f"job is {job!r}; it must be 32 hexadecimal digits")


def _check_count(name: str, count: int) -> None:
    require(
        1 <= count <= MAX_FRAMES_IN_MESSAGE,
        f"{count} {name}; a message names from 1 to {MAX_FRAMES_IN_MESSAGE}",
    )


__all__ = [
    "MAX_CUTS",
    "MAX_FRAMES_IN_MESSAGE",
    "MAX_JOBS",
    "MAX_TEXT",
    "PIXEL_BYTES",
    "Accepted",
    "Cancel",
    "Cancelled",
    "Done",
    "EngineName",
    "Failed",
    "FileContent",
    "FileOutput",
    "FilePlate",
    "FrameKey",
    "FrameReady",
    "GiveFrames",
    "Guides",
    "JobContext",
    "JobEvent",
    "JobSummary",
    "MappedFrame",
    "MappedOutput",
    "Matte",
    "Message",
    "NeedFrames",
    "Ok",
    "Ping",
    "PixelType",
    "Pong",
    "Progress",
    "PushedPlate",
    "Region",
    "Release",
    "Reply",
    "Request",
    "ServerStatus",
    "Shown",
    "StageSeconds",
    "Status",
    "Stop",
]
