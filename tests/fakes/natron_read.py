"""What the fake Natron's Read does with its files, as its sources and NatronRenderer 2.5 do.

- A Read knows its layers from when it *opened* a file: when one was set, when `reloadFile` was
  called, when its project was loaded. It opens the file of its first frame. Where that one is not
  there, its layers stay what they were: none, and a frame fails; or those of another content, and
  alpha is memory that nobody wrote.
- Its frames become those on disk when it opens files whose range is another than the last time; a
  lone file counts as 1 to 1.
- While a project is loaded or a PyPlug is built, a changed parameter does nothing.
- Starting time and time offset follow each other when an artist changes one, not for a script.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.natron_nodes import Node

BEYOND = ("hold", "loop", "bounce", "black", "error")
ALPHA = "Color.Alpha"


def opened(read: Node) -> None:
    """Learn the layers of the first frame's file, if it is there."""
    path = Path(file_of(read.params["filename"].value, read.number("firstFrame")))
    if path.is_file():
        read.params["outputLayer"].options = (layers_of(path),)


def born(read: Node) -> None:
    """Open the file that a Read was made or loaded with; its frames stay."""
    read.on_disk = on_disk(read.params["filename"].value)
    opened(read)


def changed(read: Node, name: str, *, by_artist: bool) -> None:
    """React to a parameter of the Read."""
    if name == "filename":
        read.decoder = True
        _look(read, by_artist=by_artist)
        opened(read)
        if by_artist and not read.guessed:
            read.number("startingTime", read.number("firstFrame"))
            read.guessed = shown_file(read, read.number("firstFrame")) != ""
    if not by_artist:
        return
    first, offset = read.number("firstFrame"), read.number("timeOffset")
    if name == "startingTime":
        read.number("timeOffset", read.number("startingTime") - first)
    elif name in ("firstFrame", "timeOffset"):
        read.number("startingTime", first + offset)


def _look(read: Node, *, by_artist: bool) -> None:
    found = on_disk(read.params["filename"].value)
    if found != read.on_disk:
        read.number("startingTime", found[0])
    if by_artist or found != read.on_disk:
        read.number("firstFrame", found[0])
        read.number("lastFrame", found[1])
    read.on_disk = found


def shown_file(read: Node, at: int) -> str:
    """Return the file that a Read shows at a time; "" where it shows none."""
    first, last = read.number("firstFrame"), read.number("lastFrame")
    number = at - read.number("timeOffset")
    if not first <= number <= last:
        beyond = BEYOND[read.number("before" if number < first else "after")]
        if beyond != "hold":  # the others are their own test's
            return ""
        number = min(max(number, first), last)
    path = file_of(read.params["filename"].value, number)
    return path if read.decoder and Path(path).is_file() else ""


def file_of(path: str, number: int) -> str:
    """Return the file of a frame of a pattern; a movie is its own."""
    return re.sub(
        r"%0?(\d*)d|#+", lambda found: str(number).zfill(int(found[1] or len(found[0]))), path
    )


def on_disk(path: str) -> tuple[int, int]:
    """Return the first and last number of a pattern's files; 1 and 1 where there are not two."""
    head, _, tail = re.sub(r"%0?\d*d|#+", "\0", path).partition("\0")
    folder = Path(head).parent
    wanted = re.compile(re.escape(Path(head + "X").name[:-1]) + r"(-?\d+)" + re.escape(tail))
    names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
    numbers = [int(found[1]) for name in names if (found := wanted.fullmatch(name))]
    return (min(numbers), max(numbers)) if len(numbers) > 1 else (1, 1)


def layers_of(path: Path) -> str:
    """Return what a file holds: a test's text says it, every picture here is an alpha."""
    content = path.read_bytes()
    return content.decode() if content.startswith(b"Color.") else ALPHA
