"""The end of a text file that may be long, such as a log."""

from __future__ import annotations

import os
from pathlib import Path


def tail(file: Path, last: int) -> str:
    """Return the whole lines in the last so many bytes of a file; "" of what is no plain file.

    Raises:
        OSError: it is not there, or cannot be read.
    """
    file.stat()
    if not file.is_file():  # a pipe or a terminal that a server logs to has no end to read
        return ""
    with file.open("rb") as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(max(0, size - last))
        text = opened.read(last).decode(errors="replace")
    return text if size <= last else text.partition("\n")[2]
