"""Stills are turned as their orientation tag says; Pillow is the judge."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from gvm_client.errors import ErrorCode, InputError
from gvm_server.media.confine import Roots
from gvm_server.media.geometry import Box, FrameHeader
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.open import open_plate
from gvm_server.media.plates.orientation import orientation_of
from tests.fakes.plates import ImageSpec, write_image

_ORIENTATION = 0x0112  # the tag's number in TIFF and EXIF
WIDTH, HEIGHT = 24, 16


def stored() -> Image.Image:
    """A picture without any symmetry, in blocks of 8 so that JPEG keeps it."""
    steps = np.arange(WIDTH // 8 * HEIGHT // 8 * 3).reshape(HEIGHT // 8, WIDTH // 8, 3) * 12 + 20
    return Image.fromarray(steps.repeat(8, axis=0).repeat(8, axis=1).astype(np.uint8))


def saved(path, tag: int):
    """Write it with an orientation tag, as a camera does."""
    exif = Image.Exif()
    exif[_ORIENTATION] = tag
    more = {"quality": 100, "subsampling": 0} if path.suffix == ".jpg" else {}
    stored().save(path, exif=exif, **more)
    return path


def opened(path):
    """Open it as a plate of one frame."""
    return open_plate(PlateOptions(path=str(path)), roots=Roots())


@pytest.mark.parametrize("tag", range(1, 9))
@pytest.mark.parametrize("extension", [".png", ".tif", ".jpg"])
def test_a_still_is_read_as_it_is_looked_at(tmp_path, extension, tag):
    """Size, pixels and what is said fit each of the eight orientations."""
    path = saved(tmp_path / f"still{extension}", tag)
    plate = opened(path)
    right = np.asarray(ImageOps.exif_transpose(Image.open(path)), dtype=np.float32) / 255
    read = plate.read(plate.first)
    height, width = right.shape[:2]
    assert read.header == plate.header(plate.first)
    assert read.header.display == read.header.data == Box(x=0, y=0, width=width, height=height)
    assert np.abs(read.pixels - right).max() <= 2 / 255
    said = [note for note in plate.notes if "orientation" in note]
    assert len(said) == (tag != 1)


@pytest.mark.parametrize("tag", range(1, 9))
def test_a_data_window_is_turned_with_its_pixels(tag):
    """Laying the window on the display before or after the turn gives the same picture."""
    display, data = Box(x=3, y=-2, width=7, height=5), Box(x=5, y=-1, width=4, height=2)
    pixels = np.arange(1, 9, dtype=np.float32).reshape(2, 4, 1)

    def laid(pixels, data, display):
        whole = np.zeros((display.height, display.width, 1), np.float32)
        top, left = data.y - display.y, data.x - display.x
        whole[top : top + data.height, left : left + data.width] = pixels
        return whole

    orientation = orientation_of(tag)
    header = FrameHeader(display=display, data=data, pixel_aspect=2.0)
    turned = orientation.turn_header(header)
    after = laid(orientation.turn(pixels), turned.data, turned.display)
    assert np.array_equal(orientation.turn(laid(pixels, data, display)), after)
    assert turned.pixel_aspect == (0.5 if tag > 4 else 2.0)
    assert (turned.display.x, turned.display.y) == (3, -2)


@pytest.mark.parametrize("tag", [0, 9, -1, "6", None, 6.5])
def test_no_such_orientation_is_upright(tag):
    """A broken tag turns nothing."""
    assert orientation_of(tag) == orientation_of(1)


def test_an_exr_is_never_turned(tmp_path):
    """A tag that a converter carried over from a photo means nothing there."""
    path = tmp_path / "a.exr"
    spec = ImageSpec(attributes={"Orientation": 6})
    write_image(path, np.zeros((2, 3, 3), np.float32), spec)
    assert opened(path).header(1).display == Box(x=0, y=0, width=3, height=2)


def test_a_dpx_scanned_from_top_to_bottom_is_refused(tmp_path):
    """OpenImageIO 3.2.2 cuts its lines at the wrong length: mixed pixels are worse than none."""
    path = tmp_path / "a.0001.dpx"
    spec = ImageSpec(depth="uint8", attributes={"Orientation": 5})
    write_image(path, np.zeros((4, 6, 3), np.float32), spec)
    with pytest.raises(InputError, match=r"Frame 1 .*orientation 5") as caught:
        opened(path).read(1)
    assert caught.value.code is ErrorCode.PLATE_UNREADABLE
    assert caught.value.remedy


def test_interlaced_dpx_is_said_aloud(tmp_path):
    """SMPTE 268M, television header: byte 1928 is 1 where two fields make the picture."""
    path = tmp_path / "a.0001.dpx"
    write_image(path, np.zeros((4, 6, 3), np.float32), ImageSpec(depth="uint8"))
    assert not any("interlaced" in note for note in opened(path).notes)
    content = bytearray(path.read_bytes())
    content[1928] = 1
    path.write_bytes(content)
    assert any("interlaced" in note for note in opened(path).notes)
