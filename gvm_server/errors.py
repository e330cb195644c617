"""What the server does with errors that are not ours: named at the border, the trace in the log."""

from __future__ import annotations

import errno
import logging

from gvm_client.errors import ErrorCode, GvmError

_CLOSED = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG)  # the place is wrong, not the program

_LOG = logging.getLogger(__name__)


def forget_traces(error: BaseException | None) -> None:
    """Drop the traces of an error and of its causes, whose frames hold all that the job held."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def first_line(error: BaseException, otherwise: str = "") -> str:
    """Return the first line of what an error says; where it says nothing that, or its class."""
    return (str(error).splitlines() or [otherwise or type(error).__name__])[0]


def as_gvm_error(error: BaseException) -> GvmError:
    """Return an error as one of ours; a foreign one is logged with its trace."""
    if isinstance(error, GvmError):
        return error
    _LOG.error("An unexpected error ended a job.", exc_info=error)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return GvmError(
            f"The disk is full: {error}.",
            remedy="Free some space, or clear the cache with `gvm cache clear`.",
            code=ErrorCode.DISK_FULL,
            path=str(error.filename or ""),
        )
    if isinstance(error, OSError) and error.errno in _CLOSED and error.filename:
        return GvmError(
            f"{error.filename} cannot be reached: {error.strerror}.",
            remedy="Check the path, and that the server's user may enter its folders.",
            path=str(error.filename),
        )
    if isinstance(error, MemoryError):
        return GvmError(
            "The server ran out of memory.",
            remedy="Use a smaller --frames-per-window or --size.",
            code=ErrorCode.OUT_OF_MEMORY,
        )
    return GvmError(
        f"An unexpected error: {type(error).__name__}: {error}.",
        remedy="This is a defect of GVM Bridge; please report it with the server's log.",
        code=ErrorCode.INTERNAL,
    )
