"""What a comp's subject is put over: green, a checkerboard, a picture or a clip, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from gvm_client.errors import ErrorCode, InputError, SettingsError
from gvm_client.filenames import PICTURE_EXTENSIONS
from gvm_client.frames import abbreviated_frames
from gvm_client.text import counted
from gvm_server.media.colour.encodings import linear_from_srgb, srgb_from_linear
from gvm_server.media.file_access import Roots
from gvm_server.media.geometry import on_display
from gvm_server.media.pixels import Pixels, downscale
from gvm_server.media.plates.base import Plate, PlateOptions
from gvm_server.media.plates.open import open_plate

GREEN, CHECKER, NOTHING = WORDS = ("green", "checker", "none")
"""The words of `--comp-over`; any other text is a file's name."""

_GREEN = np.array([0.0, 1.0, 0.0], dtype=np.float32)  # display-referred
_LIGHT, _DARK = 0.6, 0.4  # display-referred
_SQUARES = 24  # from the top to the bottom


class Background(Protocol):
    """A background, picture by picture."""

    def under(self, picture: Pixels, alpha: Pixels, index: int) -> Pixels:
        """Return a picture over it.

        Args:
            picture: [H, W, 3], display-referred, not premultiplied.
            alpha: [H, W].
            index: of the frame in its clip, from 0.

        Raises:
            InputError: the background cannot be read.
        """
        ...

    def require(self, indexes: Iterable[int]) -> None:
        """Prove that it has what lies under these frames, counted in their clip from 0.

        Raises:
            InputError: frames of it are missing; all are named.
        """
        ...


def over(picture: Pixels, alpha: Pixels, background: Pixels) -> Pixels:
    """Return a picture [H, W, 3], not premultiplied, over another by its alpha [H, W]."""
    coverage = alpha[..., np.newaxis]
    return np.asarray(picture * coverage + background * (1 - coverage), dtype=np.float32)


class _Drawn:
    """Pure green, or squares of two greys; mixed as displayed, for it is there to be looked at."""

    def __init__(self, word: str) -> None:
        self._word = word

    def under(self, picture: Pixels, alpha: Pixels, index: int) -> Pixels:
        del index
        if self._word == NOTHING:
            return picture
        return over(picture, alpha, _GREEN if self._word == GREEN else checkerboard(alpha.shape))

    def require(self, indexes: Iterable[int]) -> None:
        """Do nothing: it is under every frame."""


def checkerboard(shape: tuple[int, ...]) -> Pixels:
    """Return squares [H, W, 1] of two greys, 24 from the top to the bottom."""
    height, width = shape
    side = max(1, round(height / _SQUARES))
    rows, columns = np.arange(height) // side, np.arange(width) // side
    light = (rows[:, np.newaxis] + columns) % 2 == 0
    return np.where(light, np.float32(_LIGHT), np.float32(_DARK))[..., np.newaxis]


class _Clip:
    """An image, a sequence or a movie, scaled to fill the picture; its last frame stays.

    A picture is mixed with it in linear light, as it would have been photographed.
    """

    def __init__(self, plate: Plate) -> None:
        self._plate = plate

    def require(self, indexes: Iterable[int]) -> None:
        name, gone = self._plate.name, frozenset(self._plate.missing())
        if lost := sorted({self._frame(index) for index in indexes} & gone):
            raise InputError(
                f"The background {name} lacks {counted(len(lost), 'frame')} that the comp shows:"
                f" {abbreviated_frames(lost)}.",
                remedy="Render them, or name another background with --comp-over.",
                code=ErrorCode.PLATE_MISSING,
                frame=lost[0],
                path=name,
            )

    def _frame(self, index: int) -> int:
        return min(self._plate.first + index, self._plate.last)

    def under(self, picture: Pixels, alpha: Pixels, index: int) -> Pixels:
        plate = self._plate
        frame = plate.read(self._frame(index))
        shown = plate.colour.to_display(np.ascontiguousarray(frame.pixels))
        whole = on_display(shown, frame.header.data, frame.header.display)
        behind = filling(whole, alpha.shape)
        return srgb_from_linear(over(linear_from_srgb(picture), alpha, linear_from_srgb(behind)))


def filling(picture: Pixels, shape: tuple[int, ...]) -> Pixels:
    """Return a picture [h, w, 3] scaled to fill [H, W], its middle where the shape is another."""
    height, width = shape
    scale = max(height / picture.shape[0], width / picture.shape[1])
    size = max(height, round(picture.shape[0] * scale)), max(width, round(picture.shape[1] * scale))
    if scale < 1:
        scaled = downscale(picture, *size)
    else:
        source = np.ascontiguousarray(picture)
        cubic = cv2.resize(source, size[::-1], interpolation=cv2.INTER_LINEAR)
        scaled = np.asarray(cubic, dtype=np.float32)
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    return np.ascontiguousarray(scaled[top : top + height, left : left + width])


@contextmanager
def opening(word: str) -> Iterator[Background]:
    """Give the background that `--comp-over` names: a word of WORDS, or a clip's absolute path.

    Raises:
        InputError: the clip cannot be read.
    """
    if word in WORDS:
        yield _Drawn(word)
        return
    plate = open_plate(PlateOptions(path=word), roots=Roots())
    try:
        yield _Clip(plate)
    finally:
        plate.close()


def check(word: str, indexes: Iterable[int] = ()) -> None:
    """Refuse a background that is neither a word nor a clip that is there.

    Args:
        word: as for `opening`.
        indexes: of the frames that it is to be under, in their clip, from 0.

    Raises:
        SettingsError: it is not, and may be a word with a slip in it.
        InputError: the clip is not there, cannot be read, or lacks frames.
    """
    if word not in WORDS and "%" not in word and "#" not in word and not _may_be_there(word):
        says = f"The background {word} is not there."
        remedy = f"Name {', '.join(WORDS)}, or an image, a sequence or a movie."
        if Path(word).suffix.lower() in PICTURE_EXTENSIONS:
            raise InputError(says, remedy=remedy, code=ErrorCode.PLATE_MISSING, path=word)
        raise SettingsError(says, remedy=remedy, path=word)
    with opening(word) as background:
        background.require(indexes)


def _may_be_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:  # a folder that may not be entered: opening the clip says which
        return True
