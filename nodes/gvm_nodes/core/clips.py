"""Clips on disk: their frames, their colour space, and the paths of plates and mattes.

Paths have forward slashes on every system, because hosts read a backslash as an escape. A pattern
keeps the plate's frame numbers; its frame token is `%04d`, of any padding, in the file's name. A
`%` in the name of a folder is one: `50% grey`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from gvm_client.errors import ErrorCode, OutputError
from gvm_client.filenames import CLIP_EXTENSIONS, find_field, percent_name

AS_FILE = "auto"  # the server looks at the file, as a Read without a choice does
SCENE_LINEAR = "scene_linear"

_HOST_DEFAULT = re.compile(r"default(?:\s*\((.*)\))?", re.IGNORECASE)
# Nuke's own configuration and the ACES ones, Natron's; all in lower case.
_SERVER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "linear": SCENE_LINEAR,
        "scene_linear": SCENE_LINEAR,
        "srgb": "srgb",
        "srgb - texture": "srgb",
        "srgb texture": "srgb",
        "srgb encoded rec.709 (srgb)": "srgb",
        "utility - srgb - texture": "srgb",
        "srgb_tx": "srgb",
        "srgb_texture": "srgb",
        "acescg": "acescg",
        "aces - acescg": "acescg",
        "cineon": "cineon",
    }
)

DEFAULT_OUTPUT = "{dir}/mattes/{plate}_{id}/v{version}/{plate}_matte_v{version}.%04d.exr"

_TOKEN = re.compile(r"\{(\w+)\}")
_FRAME = re.compile(r"%0?\d*d")
_HOSTS_OWN = re.compile(r"%(\d*d|[Vv])")  # what hosts fill in, in folders too


class FrameRange(NamedTuple):
    """Both ends are included."""

    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


def read_colourspace(chosen: str, *, raw: bool = False) -> str | None:
    """Return what a Read's files are read in: one of our names, or None where none fits.

    Args:
        chosen: the text of its colour-space knob; `default`, `default (name)` or a name.
        raw: whether it takes the pixels as they are, into the script's working space.
    """
    if raw:
        return SCENE_LINEAR
    default = _HOST_DEFAULT.fullmatch(chosen.strip())
    name = (default[1] or "") if default else chosen
    if not name.strip():
        return AS_FILE
    return server_colourspace(name)


def server_colourspace(name: str) -> str | None:
    """Return the server's name of a host's colour space; None where none fits for sure."""
    # Nuke's menus write a family before a name: `Utility/sRGB - Texture`.
    return _SERVER_NAMES.get(name.strip().rpartition("/")[2].strip().lower())


def output_pattern(text: str, *, folder: str, plate: str, node: str, version: int) -> str:
    """Return the pattern that an artist's text with tokens means.

    Args:
        text: with `{dir}`, `{plate}`, `{id}` and `{version}`, and one frame token.
        folder: of the host's document; "" where it was never saved.
        plate: the plate's path; its bare name is used.
        node: the node's own short name, which a copy does not share.
        version: written with three digits at least.

    Raises:
        OutputError: a token is unknown, the document has no folder or one that hosts would take
            for a pattern, the version is below 1, or the result is no absolute path with one frame
            token, in the file's name.
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
    pattern = _filled(text, values)
    if not (pattern.startswith("/") or pattern[1:2] == ":"):
        raise _refused(text, "is not absolute", "Begin it with {dir} or with /.")
    said, name = _filled(text, {**values, "dir": ""}), percent_name(pattern.rpartition("/")[2])
    if "%" in _FRAME.sub("", said, count=1) or len(_FRAME.findall(name)) != 1:
        raise _refused(text, "needs one frame token, in the file's name", "End it with .%04d.exr.")
    if "{dir}" in text and (taken := _HOSTS_OWN.search(folder)):
        raise _refused(
            text,
            f"begins with the folder {folder}, in which hosts fill in {taken[0]}",
            "Rename the folder, or name another one.",
        )
    return percent_pattern(pattern)


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _TOKEN.sub(lambda match: values[match[1]], text).replace("\\", "/")


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
    """Return one frame's file of a pattern; a host's own may have its number in folders too."""
    return Path(_FRAME.sub(lambda match: match[0] % frame, pattern))


def existing_frames(pattern: str, frames: Iterable[int]) -> tuple[int, ...]:
    """Return those of the frames whose file stands."""
    return tuple(frame for frame in frames if frame_path(pattern, frame).is_file())


def newest_time(pattern: str, frames: Iterable[int]) -> float:
    """Return the latest modification time among the frames' files, in seconds; 0.0 without any."""
    return max((modified_time(frame_path(pattern, frame)) for frame in frames), default=0.0)


def modified_time(path: Path) -> float:
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
