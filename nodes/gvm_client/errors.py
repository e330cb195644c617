"""Every error that a user of GVM Bridge can meet.

GvmError                     a code, a sentence with the values, a remedy; often frame and path
├── InputError               the plate is wrong: missing, unreadable, another size, a NaN
├── OutputError              the matte cannot be written
├── SettingsError            a setting is out of its range (also a ValueError)
├── EngineError              the engine cannot be had, or failed on a window
├── ProtocolError            a message broke the protocol (never raised itself)
│   ├── LocalProtocolError   ... and it is this program's own doing
│   └── RemoteProtocolError  ... and the peer sent it
├── ServerError              the server cannot be reached or used
│   ├── ServerNotRunning     no connection file, or a stale one
│   ├── ServerStartFailed    it was started and did not come up
│   └── ServerLost           it was there and is gone
├── JobFailed                the server says that the job failed (carries the server's code)
└── JobCancelled             the job was cancelled
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar


class ErrorCode(str, Enum):
    """What went wrong, as one stable word that programs may compare."""

    BAD_REQUEST = "bad_request"
    """A setting or a field is out of its range."""
    PLATE_MISSING = "plate_missing"
    """A plate, or a frame of it, is not there."""
    PLATE_UNREADABLE = "plate_unreadable"
    """A plate file is there and cannot be read (truncated, not an image, no permission)."""
    PLATE_AMBIGUOUS = "plate_ambiguous"
    """The path names several plates, or none clearly."""
    PLATE_MISMATCH = "plate_mismatch"
    """A frame differs from the clip: size, layer."""
    PLATE_NOT_FINITE = "plate_not_finite"
    """A plate frame holds NaN or infinite pixels."""
    RANGE_OUTSIDE = "range_outside"
    """A frame number lies outside the clip."""
    COLOURSPACE_UNKNOWN = "colourspace_unknown"
    """The input colour space has no such name in the OCIO configuration."""
    OUTPUT_UNWRITABLE = "output_unwritable"
    """The output folder or file cannot be written."""
    OUTPUT_IN_USE = "output_in_use"
    """Another job is writing other mattes to the same files."""
    OUTPUT_NOT_OURS = "output_not_ours"
    """A file that this program did not make stands where the matte should go."""
    DISK_FULL = "disk_full"
    """No space left where the matte should go."""
    PATH_REFUSED = "path_refused"
    """The path lies outside the tree that the server was confined to."""
    ENGINE_UNAVAILABLE = "engine_unavailable"
    """The engine does not exist, or its weights are not here."""
    ENGINE_FAILED = "engine_failed"
    """The engine failed on a window."""
    OUT_OF_MEMORY = "out_of_memory"
    """The device has too little memory for these settings."""
    UNKNOWN_JOB = "unknown_job"
    """The server knows no job of this name."""
    VERSION_MISMATCH = "version_mismatch"
    """Client and server speak different protocol versions."""
    MALFORMED = "malformed"
    """Bytes that are not a message of this protocol."""
    ILLEGAL_MOVE = "illegal_move"
    """A message that may not follow what was said before."""
    SERVER_RUNNING = "server_running"
    """Another server owns the run-time folder."""
    SERVER_NOT_RUNNING = "server_not_running"
    """No server answers."""
    SERVER_START_FAILED = "server_start_failed"
    """A server was started and did not come up."""
    SERVER_LOST = "server_lost"
    """The server was there and is gone."""
    SERVER_BUSY = "server_busy"
    """The server holds as many jobs as it takes."""
    RUNTIME_UNSAFE = "runtime_unsafe"
    """The run-time folder is not private to this user, or its path is too long."""
    CANCELLED = "cancelled"
    """The job was cancelled."""
    INTERNAL = "internal"
    """A defect of this program; the server's log has the trace."""


class GvmError(Exception):
    """An error with a code, a sentence that holds the values, and a remedy.

    Attributes:
        code: what went wrong, as one stable word.
        message: one sentence, with the values.
        remedy: one sentence that says what to do; empty where nothing can be done.
        frame: the host's frame number that it happened on, or None.
        path: the file or folder that it happened on, or "".
    """

    default_code: ClassVar[ErrorCode] = ErrorCode.INTERNAL

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        code: ErrorCode | None = None,
        frame: int | None = None,
        path: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code or self.default_code
        self.message = message
        self.remedy = remedy
        self.frame = frame
        self.path = path

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class InputError(GvmError):
    """The plate is wrong."""

    default_code = ErrorCode.PLATE_UNREADABLE


class OutputError(GvmError):
    """The matte cannot be written."""

    default_code = ErrorCode.OUTPUT_UNWRITABLE


class SettingsError(GvmError, ValueError):
    """A setting is out of its range."""

    default_code = ErrorCode.BAD_REQUEST


class EngineError(GvmError):
    """The engine cannot be had, or failed on a window."""

    default_code = ErrorCode.ENGINE_FAILED


class ProtocolError(GvmError):
    """A message broke the protocol; raise one of the two directions instead."""

    default_code = ErrorCode.MALFORMED


class LocalProtocolError(ProtocolError):
    """This program tried to say what the protocol forbids."""


class RemoteProtocolError(ProtocolError):
    """The peer said what the protocol forbids."""


class ServerError(GvmError):
    """The server cannot be reached or used."""

    default_code = ErrorCode.SERVER_NOT_RUNNING


class ServerNotRunning(ServerError):
    """No server answers in this run-time folder."""


class ServerStartFailed(ServerError):
    """A server was started and did not come up; the message ends with its boot log."""

    default_code = ErrorCode.SERVER_START_FAILED


class ServerLost(ServerError):
    """The server was there and is gone."""

    default_code = ErrorCode.SERVER_LOST


class JobFailed(GvmError):
    """The server says that the job failed."""


class JobCancelled(GvmError):
    """The job was cancelled."""

    default_code = ErrorCode.CANCELLED
