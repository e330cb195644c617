"""Where a node's mattes go: a path with tokens, and which frames of it stand.

Laws:
1. A pattern keeps the plate's frame numbers; its frame token is `%04d`, of any padding.
2. Paths have forward slashes on every system, because hosts read a backslash as an escape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from gvm_client.errors import ErrorCode, OutputError
from gvm_client.filenames import CLIP_EXTENSIONS, find_field, percent_name

DEFAULT_OUTPUT = "{dir}/mattes/{plate}_{id}/v{version}/{plate}_matte_v{version}.%04d.exr"

_TOKEN = re.compile(r"\{(\w+)\}")
_FRAME = re.compile(r"%0?\d*d")


def output_pattern(text: str, *, folder: str, plate: str, node: str, version: int) -> str:
    """Return the pattern that an artist's text with tokens means.

    Args:
        text: with `{dir}`, `{plate}`, `{id}` and `{version}`, and one frame token.
        folder: of the host's document; "" where it was never saved.
        plate: the plate's path; its bare name is used.
        node: the node's own short name, which a copy does not share.
        version: written with three digits at least.

    Raises:
        OutputError: a token is unknown, the document has no folder, the version is below 1, or the
            result is no absolute path with one frame token.
    """
    values = {"plate": plate_name(plate), "id": node, "version": f"{version:03d}"}
    if version < 1:
        raise _refused(text, f"has version {version}", "Versions count from 1.")
    if folder:
        values["dir"] = folder.rstrip("/\\")
    for word in _TOKEN.findall(text):
        if word == "dir" and not folder:
            raise _refused(text, "needs the script's folder", "Save the script, then render.")
        if word not in values:
            known = "{dir}, {plate}, {id} and {version}"
            raise _refused(text, f"has the unknown token {{{word}}}", f"Known are {known}.")
    pattern = _TOKEN.sub(lambda match: values[match[1]], text).replace("\\", "/")
    if not (pattern.startswith("/") or pattern[1:2] == ":"):
        raise _refused(text, "is not absolute", "Begin it with {dir} or with /.")
    if len(_FRAME.findall(pattern)) != 1 or "%" in _FRAME.sub("", pattern):
        raise _refused(text, "needs one frame token", "End it with .%04d.exr.")
    return pattern


def plate_name(path: str) -> str:
    """Return a plate's bare name without frame token and extension; else its folder's name."""
    folder, _, file = path.replace("\\", "/").rpartition("/")
    stem = file.rpartition(".")[0]
    field = None if file.lower().endswith(CLIP_EXTENSIONS) else find_field(stem)
    name = field.head.rstrip("._ -") if field and not field.tail else stem
    # A name becomes part of a pattern, and there these begin the frame's number.
    return re.sub(r"[%#]", "_", name) or folder.rpartition("/")[2] or "plate"


def percent_pattern(path: str) -> str:
    """Return a path with its frame field, however written, as `%04d`; a movie's as it is."""
    folder, slash, file = path.rpartition("/")
    return (
        path if file.lower().endswith(CLIP_EXTENSIONS) else f"{folder}{slash}{percent_name(file)}"
    )


def frame_path(pattern: str, frame: int) -> Path:
    """Return the file of one frame of a pattern."""
    return Path(_FRAME.sub(lambda match: match[0] % frame, pattern))


def existing(pattern: str, frames: Iterable[int]) -> tuple[int, ...]:
    """Return those of the frames whose file stands."""
    return tuple(frame for frame in frames if frame_path(pattern, frame).is_file())


def newest(pattern: str, frames: Iterable[int]) -> float:
    """Return the latest modification time among the frames' files, in seconds; 0.0 without any."""
    return max((modified(frame_path(pattern, frame)) for frame in frames), default=0.0)


def modified(path: Path) -> float:
    """Return a file's modification time, in seconds; 0.0 where it is not there."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _refused(text: str, why: str, remedy: str) -> OutputError:
    return OutputError(
        f"The output path {text!r} {why}.",
        remedy=remedy,
        code=ErrorCode.OUTPUT_UNWRITABLE,
        path=text,
    )
