"""Names of plates' files: the frame field of a pattern, a file's number, a stereo view, endings.

- A frame field is `%04d` or `%d`, `####` (Nuke, Natron), `@@@@` (Shake), `$F4` (Houdini), or
  `[1001-1100]` (DaVinci Resolve). The last one in a name counts. A lone `#` or `@` before a
  letter or a digit is a plain one: `shot#3`, `clip@home`.
- A dash before a number is its sign at the start of a name and after a dot or an underscore;
  elsewhere it separates: `a.-005` is frame -5, `shot-0001` is frame 1.
- `%V` is a view's name and `%v` its first letter, as Nuke reads them.

Server, nodes and the OpenFX plug-in share one table of endings: `plugin_host/make_tables.py` writes
it as a C++ header.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gvm_client.errors import ErrorCode, InputError, SettingsError
from gvm_client.limits import MAX_PADDING

_FIELD = re.compile(
    r"%0*(?P<percent>\d*)d"
    r"|(?P<hashes>##+|@@+|[#@](?![^\W_]|[#@]))"
    r"|\$F(?P<dollar>\d*)(?![A-Za-z_])|\$\{F(?P<braced>\d*)\}"
    r"|\[(?P<first>-?[0-9]+)--?[0-9]+\]"
)
_NUMBER = re.compile(rf"(?:(?:^|(?<=[._]))-)?\d{{1,{MAX_PADDING}}}$", re.ASCII)
_VIEW = re.compile(r"%([Vv])")

_MANY = 6
_SHOWN = 80

ACCEPTED = "%04d, ####, @@@@, $F4 or [1001-1100]"

# fmt: off
IMAGE_EXTENSIONS = (
    ".exr", ".sxr", ".dpx", ".cin", ".tif", ".tiff", ".png", ".jpg", ".jpeg", ".tga", ".hdr",
    ".bmp", ".webp", ".jp2", ".sgi", ".rgb",
)
MOVIE_EXTENSIONS = (
    ".mov", ".mp4", ".m4v", ".mkv", ".webm", ".avi", ".mxf", ".mpg", ".mpeg", ".ts", ".m2ts",
    ".mts", ".wmv", ".flv", ".ogv", ".gif",
)
# fmt: on
# One file holds all frames, whatever number its name ends with; the server cannot read these.
CAMERA_EXTENSIONS = (".r3d", ".braw", ".ari")
PICTURE_EXTENSIONS = IMAGE_EXTENSIONS + MOVIE_EXTENSIONS  # what the server reads
CLIP_EXTENSIONS = MOVIE_EXTENSIONS + CAMERA_EXTENSIONS


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameField:
    """Where a name has its frame's number.

    Attributes:
        head: what stands before it.
        width: characters that the number has at least, a sign among them.
        tail: what stands after it.
        hashes: whether it is written with `#` or `@`, which stand in plain names too.
    """

    head: str
    width: int
    tail: str
    hashes: bool


def find_field(name: str) -> FrameField | None:
    """Return the frame field of a file's bare name; None where it has none.

    Raises:
        SettingsError: it is wider than any frame's number.
    """
    fields = list(_FIELD.finditer(name))
    if not fields:
        return None
    field = fields[-1]
    drawn = field["hashes"] or field["first"]
    digits = field["percent"] or field["dollar"] or field["braced"] or "1"
    # What has many digits itself is not even read as a number.
    width = len(drawn) if drawn else int(digits) if len(digits) < _MANY else MAX_PADDING + 1
    if width > MAX_PADDING:
        raise SettingsError(
            f"{name[:_SHOWN]!r} has a frame field of {len(drawn) if drawn else digits[:_SHOWN]}"
            f" digits; at most {MAX_PADDING} are taken.",
            remedy=f"Write it as {ACCEPTED}.",
        )
    return FrameField(
        head=name[: field.start()],
        width=width,
        tail=name[field.end() :],
        hashes=bool(field["hashes"]),
    )


def percent_name(name: str) -> str:
    """Return a bare name with its frame field as `%04d`; one without a field as it is."""
    field = find_field(name)
    if field is None:
        return name
    return f"{field.head}{percent_field(field.width)}{field.tail}"


def percent_field(width: int) -> str:
    """Return the frame field of a width, as C's printf has it."""
    return "%d" if width <= 1 else f"%0{width}d"


def number_at_end(stem: str) -> str:
    """Return the digits that a name without its extension ends with, and their sign; else ""."""
    found = _NUMBER.search(stem)
    return found[0] if found else ""


def of_view(path: str, view: str) -> str:
    """Return a path with `%V` and `%v` as they read in a view; "" leaves them."""
    if not view:
        return path
    return _VIEW.sub(lambda match: view if match[1] == "V" else view[:1], path)


def require_view(path: str) -> None:
    """Refuse a path that still names no view.

    Raises:
        InputError: PLATE_AMBIGUOUS.
    """
    if found := _VIEW.search(path):
        raise InputError(
            f"{path} stands for several views: {found[0]} is"
            f" {'the name' if found[1] == 'V' else 'the first letter'} of one.",
            remedy="Say which, such as --view left.",
            code=ErrorCode.PLATE_AMBIGUOUS,
            path=path,
        )
