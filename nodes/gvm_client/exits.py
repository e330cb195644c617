"""Exit codes: what a script, a farm or a render queue may rely on, of commands and hosts alike."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from gvm_client.errors import ErrorCode, GvmError


class Exit(IntEnum):
    """How the command line ends."""

    DONE = 0
    USAGE = 2
    INPUT = 3
    SERVER = 4
    OUTPUT = 5
    CANCELLED = 130
    READER_GONE = 141
    """Whoever read the output left: 128 and the number of SIGPIPE, as shells say it."""


_EXITS: Mapping[ErrorCode, Exit] = MappingProxyType(
    {
        ErrorCode.BAD_REQUEST: Exit.USAGE,
        ErrorCode.PLATE_MISSING: Exit.INPUT,
        ErrorCode.PLATE_UNREADABLE: Exit.INPUT,
        ErrorCode.PLATE_AMBIGUOUS: Exit.INPUT,
        ErrorCode.PLATE_MISMATCH: Exit.INPUT,
        ErrorCode.PLATE_NOT_FINITE: Exit.INPUT,
        ErrorCode.RANGE_OUTSIDE: Exit.INPUT,
        ErrorCode.COLOURSPACE_UNKNOWN: Exit.INPUT,
        ErrorCode.PATH_REFUSED: Exit.INPUT,
        ErrorCode.OUTPUT_UNWRITABLE: Exit.OUTPUT,
        ErrorCode.OUTPUT_IN_USE: Exit.OUTPUT,
        ErrorCode.OUTPUT_NOT_OURS: Exit.OUTPUT,
        ErrorCode.DISK_FULL: Exit.OUTPUT,
        ErrorCode.CANCELLED: Exit.CANCELLED,
    }
)


def exit_for(error: GvmError) -> Exit:
    """Return the exit code of an error; what has no other is the server's trouble."""
    return _EXITS.get(error.code, Exit.SERVER)
