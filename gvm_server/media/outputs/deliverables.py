"""Deliverables: what a finished job's EXR alphas become for people and other programs.

- One frame is in memory at a time; the alphas are read back from their files.
- Everything covers the display window: outside its file's data window an alpha is 0 (the file
  reaches out wherever it is not), and a plate is black.
- The comp has the plate's own colours: an old background that shows at the edges shows here, which
  is what a comp over green is for. Where the files hold the foreground, it has those.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gvm_client.errors import ErrorCode, InputError, OutputError, SettingsError
from gvm_client.file_content import FileContent
from gvm_client.filenames import PICTURE_EXTENSIONS
from gvm_server.media.alphas.exr import read_alpha_file, read_planes
from gvm_server.media.alphas.stamp import STAMP, read_stamp
from gvm_server.media.atomic_files import replacing, write_failure
from gvm_server.media.geometry import on_display
from gvm_server.media.outputs.alpha_files import (
    EXTENSION,
    AlphaFiles,
    folder_in_the_way,
    prove_writable,
)
from gvm_server.media.outputs.backgrounds import GREEN, NOTHING, opening
from gvm_server.media.outputs.backgrounds import check as check_background
from gvm_server.media.outputs.codecs import Encoding, MovieCodec, encoding_of
from gvm_server.media.outputs.movie import (
    MovieShape,
    MovieWriter,
    check_size,
    is_our_movie,
    movie_container,
    writing_movie,
)
from gvm_server.media.outputs.parts import foreground_in
from gvm_server.media.pixels import Pixels
from gvm_server.media.plates.base import Plate
from gvm_server.media.plates.find import SequencePath

PNG = ".png"

PngBits = Literal[8, 16]


@dataclass(frozen=True, kw_only=True, slots=True)
class Deliverables:
    """What is wanted besides the EXR alphas.

    Attributes:
        movie: the alpha as a grey movie.
        comp: the subject over a background, as a movie.
        png: a folder for the alphas as PNG files, named as the EXR ones.
        png_bits: of a PNG's pixel.
        codec: of the movies; None is what every player shows.
        background: under the subject: a word of `backgrounds.WORDS`, or a clip's absolute path.
        content: what the EXR files hold.
        kept: what the job reads besides the plate, each with its kind; see `AlphaFiles`.
    """

    movie: Path | None = None
    comp: Path | None = None
    png: Path | None = None
    png_bits: PngBits = 8
    codec: MovieCodec | None = None
    background: str = GREEN
    content: FileContent = FileContent()  # noqa: RUF009 (it is frozen)
    kept: tuple[tuple[str, str], ...] = ()

    @property
    def movies(self) -> list[Path]:
        """The movies that are wanted."""
        return [path for path in (self.movie, self.comp) if path is not None]

    @property
    def paths(self) -> list[Path]:
        """All that is wanted: movies and the folder of PNG files."""
        return [*self.movies, self.png] if self.png else self.movies

    @property
    def encodings(self) -> list[tuple[Path, Encoding]]:
        """Each movie and how it is encoded.

        Raises:
            SettingsError: its codec does not hold what it shows.
        """
        made = []
        if self.movie is not None:
            made.append((self.movie, encoding_of(self.codec, is_matte=True)))
        if self.comp is not None:
            alone = self.background == NOTHING
            made.append((self.comp, encoding_of(self.codec, is_matte=False, alpha=alone)))
        return made

    def prove_folders(self) -> None:
        """Make the folders and prove, before a model runs, that these can be written there.

        Raises:
            OutputError: one is not writable.
        """
        for path in self.movies:
            prove_writable(path.parent)
        if self.png is not None:
            prove_writable(self.png)

    def check_names(self, plate: str, *, overwrite: bool) -> None:
        """Check, before a model runs, what can be known without writing anything.

        Raises:
            SettingsError: a movie's name ends with no container of its codec's, or both have one
                name, or the PNG files' folder has a file's name and is not there.
            OutputError: a movie would replace one that is not ours, or what the job reads.
        """
        if len(set(self.movies)) < len(self.movies):
            raise SettingsError(
                f"The matte and the comp would both be {self.movie}.",
                remedy="Give --movie and --comp different names.",
            )
        png = self.png
        if png and png.suffix.lower() in PICTURE_EXTENSIONS and not png.is_dir():
            raise SettingsError(
                f"--png names a folder; {png} is a file's name, and no folder of it is there.",
                remedy="Name a folder: its PNG files are called after the alphas.",
                path=str(png),
            )
        for path, encoding in self.encodings:
            movie_container(path, encoding)
            _refuse_foreign(path, (("plate", plate), *self.kept), overwrite=overwrite)

    def check_background(self, indexes: Iterable[int]) -> None:
        """Prove, before a model runs, that the comp has a background for these frames.

        Args:
            indexes: of the frames in their clip, from 0.

        Raises:
            SettingsError: the background is not there, and may be a word with a slip in it.
            InputError: it is not there, cannot be read, or lacks frames.
        """
        if self.comp is not None:
            check_background(self.background, indexes)

    def check_pngs(self, alphas: AlphaFiles, frames: Sequence[int], *, overwrite: bool) -> None:
        """Prove, before a model runs, that the PNG files' names are free, or may be replaced.

        Raises:
            OutputError: one is of what the job reads, of others, or a folder's.
        """
        if self.png is not None:
            pngs = replace(_png_files(alphas, self.png), kept=self.kept)
            pngs.check_names(frames, overwrite=overwrite)

    def check_sizes(self, plate: Plate) -> None:
        """Prove, before a model runs, that the movies' codecs take the plate's pictures.

        A frame that cannot be read is no matter here: the job names it.

        Raises:
            SettingsError: one does not.
        """
        missing = set(plate.missing())
        there = (frame for frame in range(plate.first, plate.last + 1) if frame not in missing)
        first = next(there, None)
        if first is None or not self.movies:
            return
        with suppress(InputError):
            display = plate.header(first).display
            for path, encoding in self.encodings:
                check_size(path, encoding, display.width, display.height)


def deliver(
    wanted: Deliverables,
    plate: Plate,
    alphas: AlphaFiles,
    frames: Sequence[int],
    *,
    overwrite: bool,
) -> Generator[int, None, None]:
    """Make the deliverables, frame by frame in this order; yield each frame when it is in them.

    A movie has these frames one after the other: gaps of the range close. A frame has the same
    background whichever others are asked for: it goes along from the clip's first. Movies get
    their names after the last frame; if the iterator is closed before, they never do.

    Raises:
        InputError: the plate or an alpha cannot be read.
        OutputError: something cannot be written, or a PNG would replace a file that is not ours.
    """
    pngs = _png_files(alphas, wanted.png) if wanted.png else None
    if pngs:
        pngs.check(frames, overwrite=overwrite)
    shape = MovieShape.of(plate.header(frames[0]))
    with ExitStack() as stack:

        def begin(path: Path, encoding: Encoding) -> MovieWriter:
            return stack.enter_context(writing_movie(path, shape, encoding))

        writers = {path: begin(path, encoding) for path, encoding in wanted.encodings}
        movie = writers[wanted.movie] if wanted.movie else None
        comp = writers[wanted.comp] if wanted.comp else None
        background = stack.enter_context(opening(wanted.background)) if comp else None
        for frame in frames:
            path, header = alphas.path(frame), plate.header(frame)
            file = read_alpha_file(path)
            alpha = on_display(file.pixels, file.data, header.display)
            if movie:
                movie.write(alpha)
            if comp and background:
                picture = _subject(plate, alphas, frame, wanted.content)
                comp.write(background.under(picture, alpha, frame - plate.first), alpha)
            if pngs:
                write_png(pngs.path(frame), alpha, bits=wanted.png_bits, key=_key(path))
            yield frame


def _subject(plate: Plate, alphas: AlphaFiles, frame: int, content: FileContent) -> Pixels:
    """Return a frame's colours [H, W, 3] on the display window, not premultiplied, as displayed."""
    header = plate.header(frame)
    if not content.foreground:
        picture = plate.colour.to_display(plate.read(frame).pixels)
        return on_display(picture, header.data, header.display)
    suffix, names = foreground_in(content)
    file = read_planes(alphas.path(frame, suffix), names)
    shown = plate.colour.display_of_linear(file.pixels)
    return on_display(shown, file.data, header.display)


def _png_files(alphas: AlphaFiles, folder: Path) -> AlphaFiles:
    """Return the names of the PNG files: the alphas', with another folder and ending."""
    target: SequencePath | Path = alphas.target
    if isinstance(target, SequencePath):
        tail = target.tail[: -len(EXTENSION)] + PNG
        return replace(alphas, target=replace(target, folder=folder, tail=tail))
    return replace(alphas, target=folder / target.with_suffix(PNG).name)


def _key(alpha: Path) -> bytes:
    key = read_stamp(alpha)
    if key is None:
        raise InputError(
            f"{alpha} is no longer the alpha that was made.",
            remedy="Another program replaced it: ask for the matte again.",
            path=str(alpha),
        )
    return key


def _refuse_foreign(path: Path, kept: Sequence[tuple[str, str]], *, overwrite: bool) -> None:
    try:
        there = path.exists()
    except OSError as error:  # a folder above that may not be entered, a name too long
        raise write_failure(path, error) from error
    if not there:
        return
    if path.is_dir():
        raise folder_in_the_way(path)
    for kind, name in kept:
        if Path(name).exists() and path.samefile(name):
            raise OutputError(
                f"The movie {path} would replace the {kind}.",
                remedy="Give the movie another name.",
                code=ErrorCode.OUTPUT_NOT_OURS,
                path=str(path),
            )
    if not (is_our_movie(path) or (overwrite and path.is_file())):
        raise OutputError(
            f"{path} was not made by this program.",
            remedy="Give the movie another name, or allow it to be replaced with --overwrite.",
            code=ErrorCode.OUTPUT_NOT_OURS,
            path=str(path),
        )


def write_png(path: Path, alpha: Pixels, *, bits: PngBits, key: bytes) -> None:
    """Write an alpha [H, W] as a grey PNG in one atomic step.

    Values are linear coverage, 0..1 as 0 to the largest integer, rounded; outside is clipped.

    Args:
        path: the final name.
        alpha: [H, W].
        bits: 8 or 16 for a pixel.
        key: the 16 bytes of what the alpha was made from; they make the file ours.

    Raises:
        OutputError: DISK_FULL or OUTPUT_UNWRITABLE; no trace of the file is left.
    """
    kind = np.uint8 if bits == 8 else np.uint16
    scaled = np.clip(alpha, 0.0, 1.0) * np.float32(np.iinfo(kind).max)
    pixels = np.rint(scaled).astype(kind)
    text = PngInfo()
    text.add_text(STAMP, key.hex())
    # Pillow writes through Python, so a full disk is an error; OpenImageIO's writer says nothing.
    with replacing(path, size_hint=pixels.nbytes) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG", pnginfo=text)
