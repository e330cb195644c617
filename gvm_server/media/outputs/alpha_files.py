"""Where alphas go on disk: the EXR names of each frame, and no file lost on the way.

- Frame numbers keep the plate's base name and padding, negative numbers included.
- A layer's own file has the alpha's name with the layer's before the frame: `a.fg.1001.exr`.
- A file that is not ours is replaced only when asked for; the plate's own, and the guides', never
  are.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from gvm_client.errors import ErrorCode, OutputError, SettingsError
from gvm_client.filenames import (
    IMAGE_EXTENSIONS,
    MOVIE_EXTENSIONS,
    PICTURE_EXTENSIONS,
    find_field,
    require_view,
)
from gvm_client.platform import ignores_case, same_file
from gvm_client.text import WERE, counted
from gvm_server.media.alphas.stamp import is_stamped
from gvm_server.media.atomic_files import make_folders, sweep_leftovers, write_failure
from gvm_server.media.file_access import Roots
from gvm_server.media.plates.find import (
    SequencePath,
    own_pattern,
    parse_pattern,
)

EXTENSION = ".exr"

_MOVIE_PADDING = 4
_OTHER_FILES = {*PICTURE_EXTENSIONS} - {EXTENSION}  # a folder is seldom meant
_MAX_NAMED = 10  # files named in a message


@dataclass(frozen=True, kw_only=True, slots=True)
class AlphaFiles:
    """The names of a job's alpha files.

    Attributes:
        target: a pattern for many frames, or the one file of a single image.
        plate: the plate's name, a path or pattern where it lies on disk.
        kept: what else is read and never replaced, such as a guide: its kind, and its path.
        roots: where files may be written.
        umask: permission bits that files and new folders do not get; None is this process's own.
        suffixes: of each frame's files, as `path` takes them.
    """

    target: SequencePath | Path
    plate: str
    roots: Roots
    umask: int | None = None
    kept: tuple[tuple[str, str], ...] = ()
    suffixes: tuple[str, ...] = ("",)

    @classmethod
    def of(cls, output: str, *, plate_name: str, roots: Roots) -> AlphaFiles:
        """Return the names for an output text: a folder, a pattern, or one `.exr` file.

        A folder keeps the plate's names: `plate.1001.exr`, `clip.0001.exr` of `clip.mov`,
        `still.exr` of `still.png`.

        Raises:
            SettingsError: the pattern does not end with `.exr`, or the text names a movie or an
                image of another kind.
            OutputError: the place cannot be looked into.
        """
        require_view(output)
        place = Path(output)
        try:
            is_folder = place.is_dir()
        except OSError as error:  # a folder above that may not be entered, a name too long
            raise write_failure(place, error) from error
        pattern = None if is_folder else _pattern(place)
        target: SequencePath | Path
        if pattern is not None:
            if not pattern.tail.lower().endswith(EXTENSION):
                raise SettingsError(
                    f"The output {output} does not end with {EXTENSION}.",
                    remedy=f"Alphas are EXR files: name them such as a.%04d{EXTENSION}.",
                    path=output,
                )
            target = pattern
        elif place.suffix.lower() == EXTENSION and not is_folder:
            target = place
        elif not is_folder and place.suffix.lower() in _OTHER_FILES:
            raise SettingsError(
                f"The output {output} does not end with {EXTENSION}: alphas are EXR files.",
                remedy="Name a folder. Movies and PNGs are made besides: --movie, --comp, --png.",
                path=output,
            )
        else:
            target = _named_after(plate_name, place)
        return cls(target=target, plate=plate_name, roots=roots)

    @property
    def folder(self) -> Path:
        """The folder that the files go to."""
        return self.target.folder if isinstance(self.target, SequencePath) else self.target.parent

    def path(self, frame: int, suffix: str = "") -> Path:
        """Return a file of a frame: the alpha's own, or the one of a layer's suffix."""
        target = suffixed(self.target, suffix) if suffix else self.target
        return target.path(frame) if isinstance(target, SequencePath) else target

    def paths(self, frames: Sequence[int]) -> list[Path]:
        """Return every file of these frames."""
        return [self.path(frame, suffix) for suffix in self.suffixes for frame in frames]

    def check(
        self,
        frames: Sequence[int],
        *,
        overwrite: bool,
        ours: Callable[[Path], bool] = is_stamped,
    ) -> None:
        """Make the folder and prove that these frames can be written there.

        Args:
            frames: that will be written.
            overwrite: whether files that are not ours may be replaced.
            ours: tells whether a plain file is one of ours, or what is left of one.

        Raises:
            SettingsError: several frames would share one name.
            OutputError: the folder is outside the roots or not writable, the disk is full, or
                files stand there that are not ours, or are the plate's or a guide's own.
        """
        self.roots.check_write(self.folder)
        self.check_names(frames, overwrite=overwrite, ours=ours)
        prove_writable(self.folder, umask=self.umask)
        sweep_leftovers(self.folder)

    def check_names(
        self,
        frames: Sequence[int],
        *,
        overwrite: bool,
        ours: Callable[[Path], bool] = is_stamped,
    ) -> None:
        """Prove that these frames' names are free, or may be replaced; nothing is made.

        Args:
            frames: that will be written.
            overwrite: whether files that are not ours may be replaced.
            ours: tells whether a plain file is one of ours, or what is left of one.

        Raises:
            SettingsError: several frames would share one name.
            OutputError: files stand there that are not ours, or are the plate's or a guide's own,
                or a folder stands there.
        """
        if len(frames) > 1 and isinstance(self.target, Path):
            raise SettingsError(
                f"{len(frames)} frames cannot all be written to {self.target}.",
                remedy=f"Name them with a frame field, such as a.%04d{EXTENSION}.",
                path=str(self.target),
            )
        paths = self.paths(frames)
        self._refuse_own(paths, "plate", self.plate)
        for kind, name in self.kept:
            self._refuse_own(paths, kind, name)
        if self.folder.is_dir():
            _refuse_occupied(self.folder, paths, ours=None if overwrite else ours)

    def _refuse_own(self, paths: Sequence[Path], what: str, name: str) -> None:
        """Refuse names that are the own ones of what is read, whatever frame they belong to."""
        plate = Path(name)
        if not plate.is_absolute() or not same_file(plate.parent, self.folder):
            return
        # A disk that ignores case would take `Plate.0001.exr` for `plate.0001.exr`.
        spelled = str.casefold if ignores_case(self.folder) else str
        pattern = own_pattern(plate)
        if pattern:
            head, tail = spelled(pattern.head), spelled(pattern.tail)
            pattern = replace(pattern, head=head, tail=tail)
        for path in paths:
            file = spelled(path.name)
            own = pattern.frame_of(file) is not None if pattern else file == spelled(plate.name)
            if own:
                raise OutputError(
                    f"{path} would replace the {what}'s own file.",
                    remedy="Name another output folder.",
                    code=ErrorCode.OUTPUT_NOT_OURS,
                    path=str(path),
                )


@lru_cache(64)  # of a few layers, for each frame of a clip
def suffixed(target: SequencePath | Path, suffix: str) -> SequencePath | Path:
    """Return an alpha's name with a layer's suffix, parted from the frame as the name itself is."""
    if not isinstance(target, SequencePath):
        return target.with_name(f"{target.stem}.{suffix}{target.suffix}")
    name = target.head.rstrip("._- ")
    gap = target.head[len(name) :] or "."
    return replace(target, head=f"{name}{gap}{suffix}{gap}" if name else f"{suffix}{gap}")


def _named_after(plate_name: str, folder: Path) -> SequencePath | Path:
    """Return names in a folder after a plate: a pattern, a movie, an image, or a node's name."""
    plate = Path(plate_name)
    extension = plate.suffix.lower()
    pattern = own_pattern(plate)
    if pattern is not None:
        tail = Path(f"name{pattern.tail}").with_suffix(EXTENSION).name.removeprefix("name")
        return SequencePath(folder=folder, head=pattern.head, width=pattern.width, tail=tail)
    if extension in IMAGE_EXTENSIONS:
        return folder / plate.with_suffix(EXTENSION).name
    stem = plate.stem if extension in MOVIE_EXTENSIONS else _file_name(plate_name)
    return SequencePath(folder=folder, head=f"{stem}.", width=_MOVIE_PADDING, tail=EXTENSION)


def _pattern(place: Path) -> SequencePath | None:
    """Return the pattern that an output is; `takes#3` without an extension is a folder's name."""
    field = find_field(place.name)
    if field is not None and field.hashes and not place.suffix:
        return None
    return parse_pattern(place)


def _file_name(name: str) -> str:
    """Return a node's name as a bare file name."""
    return re.sub(r"[^\w.-]+", "_", name).strip(".") or "alpha"


def prove_writable(folder: Path, *, umask: int | None = None) -> None:
    """Make a folder and prove that files can be written in it.

    Raises:
        OutputError: DISK_FULL or OUTPUT_UNWRITABLE.
    """
    try:
        make_folders(folder, umask=umask)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0")
    except OSError as error:
        raise write_failure(folder, error) from error


def _refuse_occupied(
    folder: Path, paths: Sequence[Path], *, ours: Callable[[Path], bool] | None
) -> None:
    """Refuse names where a folder stands, and where `ours` is given, those of foreign files."""
    try:
        with os.scandir(folder) as entries:  # ten thousand of them at once
            there = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
    except OSError as error:
        raise write_failure(folder, error) from error
    folders = [path for path in paths if there.get(path.name)]
    if folders:
        more = f" So it is with {len(folders) - 1} more." if len(folders) > 1 else ""
        raise folder_in_the_way(folders[0], more)
    if ours is not None:
        _refuse_foreign(folder, [path for path in paths if path.name in there], ours)


def folder_in_the_way(path: Path, more: str = "") -> OutputError:
    """Return the error for a file's name under which a folder stands: none is ever replaced."""
    return OutputError(
        f"A folder stands where {path} would be written.{more}",
        remedy="Name another output, or move the folder away; --overwrite replaces files alone.",
        code=ErrorCode.OUTPUT_UNWRITABLE,
        path=str(path),
    )


def _refuse_foreign(folder: Path, there: Sequence[Path], ours: Callable[[Path], bool]) -> None:
    foreign = [path for path in there if not _may_go(path, ours)]
    if not foreign:
        return
    named = ", ".join(path.name for path in foreign[:_MAX_NAMED])
    more = f" and {len(foreign) - _MAX_NAMED} more" if len(foreign) > _MAX_NAMED else ""
    raise OutputError(
        f"{counted(len(foreign), 'file', WERE)} not made by this program, or changed by another,"
        f" in {folder}: {named}{more}.",
        remedy="Name another output folder, or allow them to be replaced with --overwrite.",
        code=ErrorCode.OUTPUT_NOT_OURS,
        path=str(foreign[0]),
    )


def _may_go(path: Path, ours: Callable[[Path], bool]) -> bool:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return True  # it went away meanwhile
    return stat.S_ISREG(mode) and ours(path)
