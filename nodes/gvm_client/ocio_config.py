"""The context variables that an OpenColorIO configuration names, told without OpenColorIO."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from gvm_client.limits import MAX_CONFIG_BYTES

try:
    from lzma import LZMAError
except ImportError:  # a host's Python may be built without; then it unpacks no such archive
    LZMAError = EOFError  # type: ignore[assignment,misc]

# What `zipfile` raises of an archive that is damaged, locked, or packed as nobody here unpacks it.
BAD_ARCHIVE = (
    *(zipfile.BadZipFile, zlib.error, LZMAError, EOFError),
    *(OSError, ValueError, KeyError, RuntimeError),
)

_ARCHIVED = "config.ocio"  # a configuration's name in an `.ocioz` archive
_REFERENCE = re.compile(r"[$%]\{?[A-Za-z0-9_]+[}%]?")  # $NAME, ${NAME} and %NAME%


def variables_used(text: str, variables: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables that a colour configuration's text names, sorted by name.

    OpenColorIO puts a variable in wherever `$NAME`, `${NAME}` or `%NAME%` stands, even at the start
    of a longer word, and does so again in what was put in.
    """
    used: dict[str, str] = {}
    unread = [text]
    while unread:
        references = "\n".join(set(_REFERENCE.findall(unread.pop())))
        for name, value in variables.items():
            forms = (f"${name}", f"${{{name}}}", f"%{name}%")
            if name not in used and any(form in references for form in forms):
                used[name] = value
                unread.append(value)
    return dict(sorted(used.items()))


def read_text(configuration: str) -> str:
    """Return a configuration file's text; "" where there is none, and the server says why."""
    path = Path(configuration)
    try:
        if not path.is_file():
            return ""
        if not zipfile.is_zipfile(path):
            with path.open("rb") as file:
                return file.read(MAX_CONFIG_BYTES).decode(errors="replace")
        with zipfile.ZipFile(path) as archive, archive.open(_ARCHIVED) as file:
            return file.read(MAX_CONFIG_BYTES).decode(errors="replace")
    except BAD_ARCHIVE:
        return ""
