"""Paths on the wire: a client and a server may be of different systems, so one rule reads them all.

The OpenFX plug-in has the same rule (`plugin_host/src/bridge/text.hpp`); `tests/golden/paths.json`
holds both to it.
"""

from __future__ import annotations

import re

_ABSOLUTE = re.compile(
    r"/"  # POSIX; //server/share too
    r"|[A-Za-z]:[/\\]"  # a drive of Windows; C:name is relative to the drive's current folder
    r"|\\\\[^/\\]+\\[^/\\]+"  # \\server\share
)


def is_absolute(path: str) -> bool:
    """Return whether a path is absolute on Linux, macOS or Windows, wherever this runs."""
    return _ABSOLUTE.match(path) is not None
