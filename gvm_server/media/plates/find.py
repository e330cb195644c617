"""From a path's text to what it names: an image sequence, a single image, or a movie.

- A frame's number is written in one way: with `width` digits at least, the sign among them, as
  `%04d` writes it. A file that writes it otherwise belongs to another sequence.
- A folder stands for the one sequence in it; hidden files and other kinds of files don't count.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from gvm_client.errors import ErrorCode, InputError
from gvm_client.filenames import (
    ACCEPTED,
    IMAGE_EXTENSIONS,
    MOVIE_EXTENSIONS,
    find_field,
    number_at_end,
    percent_field,
    require_view,
)
from gvm_client.frames import abbreviated_frames

_MAX_LISTED = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class SequencePath:
    """A pattern of file names: `folder/head 0042 tail`, at least `width` characters of number."""

    folder: Path
    head: str
    width: int
    tail: str

    def path(self, frame: int) -> Path:
        """Return the file of a frame."""
        return self.folder / f"{self.head}{frame:0{self.width}d}{self.tail}"

    def frame_of(self, name: str) -> int | None:
        """Return the frame that a bare file name stands for, or None if it is not of these."""
        if not (name.startswith(self.head) and name.endswith(self.tail)):
            return None
        number = name[len(self.head) : len(name) - len(self.tail)]
        if not re.fullmatch(r"-?\d{1,18}", number, re.ASCII):
            return None
        frame = int(number)
        return frame if f"{frame:0{self.width}d}" == number else None

    def __str__(self) -> str:
        return str(self.folder / f"{self.head}{percent_field(self.width)}{self.tail}")


@dataclass(frozen=True, kw_only=True, slots=True)
class StillPath:
    """A single image; `frame` is the number in its name, or None."""

    path: Path
    frame: int | None

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True, kw_only=True, slots=True)
class MoviePath:
    """A movie file."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


PlatePath: TypeAlias = SequencePath | StillPath | MoviePath


def parse_pattern(path: Path) -> SequencePath | None:
    """Return the pattern that a path's last part is; None where it has no frame field.

    A movie's name is never a pattern: `shot#3.mov` is one file.
    """
    field = find_field(path.name)
    if field is None or path.suffix.lower() in MOVIE_EXTENSIONS:
        return None
    return SequencePath(folder=path.parent, head=field.head, width=field.width, tail=field.tail)


def own_pattern(path: Path) -> SequencePath | None:
    """Return the pattern that a plate's path is; None for a file of that very name.

    Raises:
        InputError: PLATE_UNREADABLE, for a place that cannot be looked into.
    """
    try:
        return None if path.is_file() else parse_pattern(path)
    except OSError as error:
        raise _closed(path, error) from error


def resolve_plate(path: str) -> PlatePath:
    """Return what a path names.

    Raises:
        InputError: PLATE_MISSING, PLATE_AMBIGUOUS, or PLATE_UNREADABLE for another kind of file,
            or for a place that cannot be looked into.
    """
    try:
        return _resolved(path)
    except OSError as error:  # a folder above it that may not be entered, a name that is too long
        raise _closed(Path(path), error) from error


def _resolved(path: str) -> PlatePath:
    place = Path(path)
    if place.is_file():
        return _file(place)
    if place.is_dir():
        return _only_sequence(place)
    pattern = parse_pattern(place)
    if pattern is None or not _stands(pattern):  # `100%video.0001.exr` names no view
        require_view(path)
    if pattern is None or not pattern.folder.is_dir():
        raise missing_plate(place)
    return pattern


def _stands(pattern: SequencePath) -> bool:
    """Whether a file of a pattern whose name holds a `%v` is there; others are not looked for."""
    if "%v" not in pattern.head.lower() + pattern.tail.lower() or not pattern.folder.is_dir():
        return False
    return any(pattern.frame_of(name) is not None for name in _plate_names(pattern.folder))


def plates_in(folder: Path) -> list[PlatePath]:
    """Return the sequences, images and movies of a folder.

    Raises:
        InputError: PLATE_UNREADABLE, for a folder that cannot be looked into.
    """
    return [plate for plate, _ in _contents(folder)]


def missing_plate(path: Path) -> InputError:
    """Return the error for a plate that is not there; it names what lies in its place."""
    folder = path.parent
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    found = _contents(folder) if folder == path.parent else []
    near = f"In {folder} there is: {_listed(found)}." if found else f"{folder} holds no plate."
    if folder != path.parent:
        near = f"There is no folder {path.parent}."
    return InputError(
        f"No plate is at {path}. {near}",
        remedy="Check the path; write a sequence as plate.%04d.exr or plate.####.exr, its frame"
        f" number as {ACCEPTED}.",
        code=ErrorCode.PLATE_MISSING,
        path=str(path),
    )


def _file(path: Path) -> PlatePath:
    extension = path.suffix.lower()
    if extension in MOVIE_EXTENSIONS:
        return MoviePath(path=path)
    if extension not in IMAGE_EXTENSIONS:
        raise InputError(
            f"{path} is not an image or a movie of a known kind.",
            remedy=f"Images end with {' '.join(sorted(IMAGE_EXTENSIONS))};"
            f" movies with {' '.join(sorted(MOVIE_EXTENSIONS))}.",
            path=str(path),
        )
    number = number_at_end(path.stem)
    return StillPath(path=path, frame=int(number) if number else None)


def _only_sequence(folder: Path) -> PlatePath:
    """Return the one sequence of a folder, or its one image."""
    found = _contents(folder)
    candidates = [each for each in found if isinstance(each[0], SequencePath)]
    candidates = candidates or [each for each in found if isinstance(each[0], StillPath)]
    if len(candidates) == 1:
        return candidates[0][0]
    if not candidates:
        there = f"there is: {_listed(found)}" if found else "there is none"
        raise InputError(
            f"{folder} holds no image sequence; {there}.",
            remedy="Name a folder with one image sequence, or a file.",
            code=ErrorCode.PLATE_MISSING,
            path=str(folder),
        )
    raise InputError(
        f"{folder} holds {len(candidates)} plates: {_listed(candidates)}.",
        remedy=f"Name one of them, such as {candidates[0][0]}.",
        code=ErrorCode.PLATE_AMBIGUOUS,
        path=str(folder),
    )


def _contents(folder: Path) -> list[tuple[PlatePath, str]]:
    """Return the plates in a folder, each with a text for messages: its name and its range."""
    names = sorted(_plate_names(folder))
    images = [name for name in names if Path(name).suffix.lower() in IMAGE_EXTENSIONS]
    plates: list[tuple[PlatePath, str]] = []
    numbers: dict[tuple[str, str], list[str]] = {}
    for name in images:
        stem, extension = os.path.splitext(name)  # noqa: PTH122 - bare names, thousands of them
        number = number_at_end(stem)
        if number:
            numbers.setdefault((stem.removesuffix(number), extension), []).append(number)
        else:
            plates.append((StillPath(path=folder / name, frame=None), name))
    for (head, tail), texts in numbers.items():
        for width, frames in _by_width(texts).items():
            pattern = SequencePath(folder=folder, head=head, width=width, tail=tail)
            plates.append((pattern, f"{Path(str(pattern)).name} {abbreviated_frames(frames)}"))
    movies = (name for name in names if Path(name).suffix.lower() in MOVIE_EXTENSIONS)
    plates += [(MoviePath(path=folder / name), name) for name in movies]
    return plates


def _by_width(numbers: list[str]) -> dict[int, list[int]]:
    """Return the frames of each padding: a number with leading zeros shows the width of its own.

    Numbers without them belong to the widest padding that they fill, else to one without.
    """
    padded = sorted({len(text) for text in numbers if text.lstrip("-").startswith("0")} - {1})
    shortest = min((len(text) for text in numbers), default=1)
    widths = padded or [shortest]
    frames: dict[int, list[int]] = {}
    for text in numbers:
        is_padded = len(text) in padded and text.lstrip("-").startswith("0")
        fits = [width for width in widths if width <= len(text)]
        width = len(text) if is_padded else max(fits, default=shortest)
        frames.setdefault(width, []).append(int(text))
    return frames


def _plate_names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [
                entry.name
                for entry in entries
                if not entry.name.startswith(".") and entry.is_file()
            ]
    except OSError as error:
        raise _closed(folder, error) from error


def _closed(place: Path, error: OSError) -> InputError:
    return InputError(
        f"{place} cannot be read: {error.strerror or error}.",
        remedy="Check the path, and that you may read it and its folders.",
        path=str(place),
    )


def _listed(plates: list[tuple[PlatePath, str]]) -> str:
    texts = [text for _, text in plates]
    more = len(texts) - _MAX_LISTED
    return ", ".join(texts[:_MAX_LISTED]) + (f" and {more} more" if more > 0 else "")
