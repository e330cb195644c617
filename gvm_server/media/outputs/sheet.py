"""A contact sheet: a line of looks for each of some frames, as one picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gvm_client import __version__
from gvm_server.media.atomic_files import replacing
from gvm_server.media.outputs.looks import LOOKS, MATTE
from gvm_server.media.pixels import Pixels

Picture = NDArray[np.uint8]

MARK = "gvm:look"  # the text that makes a file of this kind ours
ENDINGS = (".png", ".jpg", ".jpeg")

_HEAD, _FOOT = 24, 22  # pixels: the looks' names above all, a caption below each line
_GAP = 2
_GROUND, _INK, _ALARM = 24, (210, 210, 210), (255, 150, 110)
_FACE = cv2.FONT_HERSHEY_SIMPLEX, 0.43, 1  # of all texts: font, size, thickness
_HEAD_BYTES = 1 << 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One frame of a sheet.

    Attributes:
        picture: the plate, [H, W, 3], display-referred 0..1.
        alpha: [H, W], 0..1.
        caption: what is said of it; ASCII.
        alarm: whether it is one to look at.
    """

    picture: Pixels
    alpha: Pixels
    caption: str
    alarm: bool = False


def contact_sheet(
    rows: Iterable[Row], *, width: int, pixel_aspect: float = 1.0, preview: bool = False
) -> Picture:
    """Return a sheet [H, W, 3] of 8 bits: a line for each row, a column for each look.

    Args:
        rows: one at a time is in memory.
        width: of a cell, pixels.
        pixel_aspect: width of a plate's pixel over its height.
        preview: whether the mattes are preview grade; it is said above them.
    """
    lines = [_names(width, preview=preview), *(_line(row, width, pixel_aspect) for row in rows)]
    return np.concatenate(lines)


def write_picture(path: Path, picture: Picture) -> None:
    """Write a picture [H, W, 3] as PNG or JPEG, by its name, in one atomic step.

    Raises:
        OutputError: DISK_FULL or OUTPUT_UNWRITABLE; no trace of the file is left.
    """
    image = Image.fromarray(picture)
    says = f"{MARK} GVM Bridge {__version__}"
    with replacing(path, size_hint=picture.nbytes) as temporary:
        if path.suffix.lower() == ".png":
            text = PngInfo()
            text.add_text("Software", says)
            image.save(temporary, format="PNG", pnginfo=text)
        else:
            image.save(temporary, format="JPEG", quality=90, comment=says.encode())


def is_marked(path: Path) -> bool:
    """Return whether a file is a sheet or a page that this program made."""
    try:
        with path.open("rb") as file:
            return MARK.encode() in file.read(_HEAD_BYTES)
    except OSError:
        return False


def _names(width: int, *, preview: bool) -> Picture:
    """Return the line above all others: what each column shows."""
    line = np.full((_HEAD, (width + _GAP) * len(LOOKS), 3), _GROUND, np.uint8)
    for index, name in enumerate(LOOKS):
        _write(line, name, index * (width + _GAP) + 6, 17, _INK)
        if preview and name == MATTE:
            after = cv2.getTextSize(f"{name} ", *_FACE)[0][0]
            _write(line, "(preview)", index * (width + _GAP) + 6 + after, 17, _ALARM)
    return line


def _line(row: Row, width: int, pixel_aspect: float) -> Picture:
    high, wide = row.alpha.shape
    height = max(1, round(high * width / (wide * pixel_aspect)))
    cells = []
    for look in LOOKS.values():
        small = cv2.resize(
            np.ascontiguousarray(look(row.picture, row.alpha)),
            (width, height),
            interpolation=cv2.INTER_AREA,
        )
        cell = np.full((height + _FOOT + _GAP, width + _GAP, 3), _GROUND, np.uint8)
        cell[:height, :width] = np.clip(small * 255 + 0.5, 0, 255).astype(np.uint8)
        cells.append(cell)
    line = np.concatenate(cells, axis=1)
    _write(line, row.caption, 6, height + 15, _ALARM if row.alarm else _INK)
    return line


def _write(image: Picture, text: str, x: int, y: int, ink: tuple[int, int, int]) -> None:
    face, size, thickness = _FACE
    cv2.putText(image, text, (x, y), face, size, ink, thickness, cv2.LINE_AA)
