"""A guide on disk: a matte whose frames lie on a clip's, by their numbers and its display window.

- One image counts for every frame. A frame that is not there is named, held or black, as the
  plate's own missing frames are.
- A guide of the plate's size lies where the plate's display window does, with what it has beyond
  it. One of another size and the same shape is scaled to it. Any other is refused.
- Its channel is its alpha, else its first; values beyond 0 and 1 count as 0 and 1.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gvm_client.errors import ErrorCode, InputError
from gvm_client.frames import abbreviated_frames
from gvm_client.settings import Missing
from gvm_client.text import ARE, counted
from gvm_server.media.file_access import Roots, probe_folder
from gvm_server.media.geometry import Box, ClipGeometry, on_display
from gvm_server.media.pixels import Pixels, downscale
from gvm_server.media.plates.base import Plate, PlateOptions
from gvm_server.media.plates.find import MoviePath, PlatePath, StillPath, resolve_plate
from gvm_server.media.plates.mattes import ALPHA_FIRST, open_first_layer
from gvm_server.media.plates.movies.alpha import ALPHA_NAMES
from gvm_server.media.plates.movies.plate import MoviePlate
from gvm_server.media.plates.sequence import ImagePlate
from gvm_server.media.store.file_keys import hash_texts

# Codecs that lose something do not keep 0 and 1: what is as near to them counts as them.
LOSSY_ENDINGS = (".jpg", ".jpeg")
LOSSY_ERROR = np.float32(4 / 255)
_ROUNDING = np.float32(1e-6)  # of a resize
_SHAPE_TOLERANCE = 0.04  # and less than a pixel: sizes are whole numbers


@dataclass(frozen=True, kw_only=True, slots=True)
class LaidGuide:
    """One frame of a guide, where it lies on the plate.

    Attributes:
        pixels: [H, W] float32 over the box, 0..1.
        box: in the plate's pixels; its display window, and what the guide has beyond it.
    """

    pixels: Pixels
    box: Box

    def over(self, window: Box) -> Pixels:
        """Return [H, W] over another box, 0 where the guide is not."""
        if window == self.box:
            return self.pixels
        whole: Pixels = np.zeros((window.height, window.width), dtype=np.float32)
        common = self.box.common(window)
        if common.area:
            whole[common.slices_in(window)] = self.pixels[common.slices_in(self.box)]
        return whole


class GuideClip:
    """A guide over a clip; safe to read from several threads.

    Attributes:
        name: where it is.
        notes: what the artist should know, in whole sentences.

    Raises:
        InputError: its size is neither the plate's nor of its shape.
    """

    def __init__(
        self, plate: Plate, place: PlatePath, kind: str, onto: ClipGeometry, missing: Missing
    ) -> None:
        self.name = plate.name
        self._plate = plate
        self._kind = kind
        self._missing = missing
        self._display = onto.display
        gone = frozenset(plate.missing())
        self._there = [one for one in range(plate.first, plate.last + 1) if one not in gone]
        self._still = isinstance(place, StillPath)
        self._lossy = isinstance(place, MoviePath) or str(place).lower().endswith(LOSSY_ENDINGS)
        geometry = plate.geometry()
        self._left_out = frozenset(geometry.left_out)
        self._own = geometry.display
        self._scaled = _fit(kind, plate.name, geometry, onto)
        self.notes: tuple[str, ...] = (*_said_of_channel(plate, kind), *self._said_of_scale())

    def lacking(self, frames: Iterable[int]) -> list[int]:
        """Return those of the frames that are not there, ascending."""
        there = frozenset(self._there)
        return [] if self._still else sorted(set(frames) - there)

    def check(self, frames: Iterable[int]) -> tuple[str, ...]:
        """Prove that every frame can be read, as far as headers say; return what stands in.

        Raises:
            InputError: frames are missing and nothing may stand in, or one has another size.
        """
        asked = list(frames)
        lacking = self.lacking(asked)
        if lacking and self._missing is Missing.FAIL:
            raise self._lacks(lacking)
        for source in sorted({one for one in map(self._source, asked) if one in self._left_out}):
            with self._named():
                self._plate.header(source)
        if not lacking:
            return ()
        are = "black" if self._missing is Missing.BLACK else "held from their neighbours"
        what = f"{counted(len(lacking), 'missing frame')} of the {self._kind} matte"
        return (f"{what} {ARE[len(lacking) != 1]} {are}: {abbreviated_frames(lacking)}.",)

    def look_ahead(self, frames: Iterable[int]) -> None:
        """Say that the keys of these frames come next.

        Raises:
            InputError: it has no such frame, or its disk does not answer.
        """
        sources = {self._source(frame) for frame in frames}
        with self._named():
            self._plate.look_ahead(sorted(one for one in sources if one is not None))

    def key(self, frame: int) -> bytes:
        """Return 16 bytes that stand for what the guide is at a frame.

        Raises:
            InputError: it has no such frame.
        """
        source = self._source(frame)
        if source is None:
            return hash_texts("black")
        with self._named():
            return self._plate.key(source)

    def read(self, frame: int) -> LaidGuide | None:
        """Return a frame as it lies on the plate; None where it is black.

        Raises:
            InputError: it has no such frame, or it cannot be read.
        """
        source = self._source(frame)
        if source is None:
            return None
        with self._named():
            shown = self._plate.read(source)
        values = np.ascontiguousarray(shown.pixels[..., 0])
        if self._lossy:
            values = (values - LOSSY_ERROR) / (1 - 2 * LOSSY_ERROR)
        values = np.clip(values, 0.0, 1.0)
        own, data = self._own, shown.header.data
        if self._scaled:
            values = downscale(on_display(values, data, own), *_sides(self._display))
            values[values > 1 - _ROUNDING] = 1.0
            values[values < _ROUNDING] = 0.0
            return LaidGuide(pixels=values, box=self._display)
        whole = own.united(data)
        right, down = self._display.x - own.x, self._display.y - own.y
        pixels = LaidGuide(pixels=values, box=data).over(whole)
        return LaidGuide(pixels=pixels, box=replace(whole, x=whole.x + right, y=whole.y + down))

    def close(self) -> None:
        """Give files and decoders back."""
        self._plate.close()

    def _source(self, frame: int) -> int | None:
        """Return the guide's own frame that counts at a frame; None for black."""
        if self._still:
            return self._there[0]
        place = bisect_right(self._there, frame)
        if place and self._there[place - 1] == frame:
            return frame
        if self._missing is Missing.BLACK:
            return None
        if self._missing is Missing.HOLD:
            return self._there[max(place - 1, 0)]
        raise self._lacks([frame])

    def _lacks(self, frames: list[int]) -> InputError:
        return InputError(
            f"The {self._kind} matte {self.name} has no {'frames' if len(frames) > 1 else 'frame'}"
            f" {abbreviated_frames(frames)}; it has {abbreviated_frames(self._there)}.",
            remedy="Frames are matched by their numbers, a movie's from 1: render them, name one"
            " image for all frames, or let others stand in with --missing hold or black.",
            code=ErrorCode.PLATE_MISSING,
            frame=frames[0],
            path=self.name,
        )

    def _said_of_scale(self) -> Iterator[str]:
        if self._scaled:
            yield (
                f"The {self._kind} matte is scaled from {describe_size(self._own)} to the plate's"
                f" {describe_size(self._display)}."
            )

    @contextmanager
    def _named(self) -> Iterator[None]:
        with naming(self._kind):
            yield


def open_guide(options: PlateOptions, kind: str, onto: ClipGeometry, *, roots: Roots) -> GuideClip:
    """Open a guide for a clip of a geometry.

    Args:
        options: its path, and what the plate's options say of missing frames, of NaN and infinite
            pixels and of keys.
        kind: `garbage` or `holdout`.
        onto: the plate's.
        roots: where it may lie.

    Raises:
        InputError: it is not there, unreadable, of another shape, or lies outside the roots.
    """
    with naming(kind):
        roots.check_read(Path(options.path))
        probe_folder(Path(options.path).parent)
        # `raw`: a matte's values are coverage, in every space. Its extent is its own.
        own = replace(options, colourspace="raw", missing=Missing.FAIL, first=None, last=None)
        plate = _open(own, roots)
        with ExitStack() as failed:
            failed.callback(plate.close)
            place = resolve_plate(options.path)
            guide = GuideClip(plate, place, kind, onto, options.missing)
            failed.pop_all()
        return guide


def _open(options: PlateOptions, roots: Roots) -> Plate:
    try:
        return open_first_layer(options, ALPHA_FIRST, roots=roots)
    except InputError as error:
        if error.code is ErrorCode.PLATE_MISMATCH:  # it has several layers, and no alpha
            error.remedy = "Write it as the alpha of its file, or alone into one."
        raise


@contextmanager
def naming(kind: str) -> Iterator[None]:
    """Have an error say that it is a guide's, and not the plate's."""
    try:
        yield
    except InputError as error:
        if not error.message.startswith(whose := f"The {kind} matte"):
            error.message = f"{whose}: {error.message}"
            error.args = (error.message,)
        raise


def _said_of_channel(plate: Plate, kind: str) -> Iterator[str]:
    """Say which channel counts where there are several: an opaque alpha would force everything."""
    if isinstance(plate, MoviePlate):
        chosen, of_several = "alpha", plate.reads_alpha  # in a movie that has none, all are alike
    elif isinstance(plate, ImagePlate):
        first = plate.read_channels[0]
        chosen = "alpha" if first.lower().rpartition(".")[2] in ALPHA_NAMES else f"{first} channel"
        of_several = len(plate.read_channels) > 1 or bool(plate.unread_channels)
    else:
        return
    if of_several:
        yield f"Of the {kind} matte {plate.name} the {chosen} counts, and nothing else of it."


def describe_size(box: Box) -> str:
    """Return a box's size in words."""
    return f"{box.width}x{box.height}"


def _fit(kind: str, name: str, guide: ClipGeometry, plate: ClipGeometry) -> bool:
    """Return whether a guide is to be scaled.

    Raises:
        InputError: PLATE_MISMATCH, it has another shape than the plate.
    """
    own, onto = guide.display, plate.display
    if _sides(own) == _sides(onto):
        return False
    squeezed = guide.pixel_aspect / plate.pixel_aspect  # where both say what a pixel is
    if _same_shape(own, onto, 1.0) or _same_shape(own, onto, squeezed):
        return True
    raise InputError(
        f"The {kind} matte {name} is {describe_size(own)}, the plate {describe_size(onto)}.",
        remedy="Render it at the plate's size, or at one of the same shape, which is scaled.",
        code=ErrorCode.PLATE_MISMATCH,
        path=name,
    )


def _same_shape(own: Box, onto: Box, squeezed: float) -> bool:
    """Return whether a box times a pixel aspect has another one's shape, but for rounding."""
    exact = own.height * onto.width / onto.height / squeezed  # the width that it should have
    there = own.width * onto.height / own.height * squeezed  # that the other one should
    off = min(abs(own.width - exact), abs(onto.width - there))
    return off < 1.0 and abs(own.width - exact) <= _SHAPE_TOLERANCE * own.width


def _sides(box: Box) -> tuple[int, int]:
    """Return rows and columns."""
    return box.height, box.width
