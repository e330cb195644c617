"""A clip's canvas and windows, and how stored pictures are turned."""

from __future__ import annotations

import os
import threading
import time

import numpy as np
import pytest
from PIL import Image, ImageOps

from gvm_client.errors import ErrorCode, InputError
from gvm_server.media.file_access import Roots, StallError
from gvm_server.media.geometry import Box, FrameHeader, FrameWindows, geometry_of, orientation_of
from gvm_server.media.plates import sequence
from gvm_server.media.plates.base import AT_A_TIME, PlateOptions
from gvm_server.media.plates.open import open_plate
from gvm_server.media.store import file_keys
from tests.fakes.plates import ImageSpec, pixels, write_image

DISPLAY = Box(x=0, y=0, width=20, height=10)

_ORIENTATION = 0x0112  # the tag's number in TIFF and EXIF
WIDTH, HEIGHT = 24, 16


def box(x: int, y: int, width: int, height: int) -> Box:
    """Return a box."""
    return Box(x=x, y=y, width=width, height=height)


def write(folder, frame: int, data: Box, display: Box = DISPLAY, aspect: float = 1.0) -> None:
    """Write one frame with these windows."""
    folder.mkdir(exist_ok=True)
    spec = ImageSpec(data=data, display=display, attributes={"PixelAspectRatio": aspect})
    write_image(folder / f"a.{frame:04d}.exr", pixels(data.height, data.width), spec)


def opened(folder, **options: object):
    """Open the plate of a folder."""
    return open_plate(PlateOptions(path=str(folder), **options), roots=Roots())


@pytest.mark.parametrize(
    "windows",
    [
        [box(0, 0, 20, 10), box(-3, -2, 26, 14)],  # overscan that comes later
        [box(0, 0, 1, 1), box(-3, -2, 26, 14)],  # an empty first frame, as renderers write one
        [box(5, 2, 4, 4), box(-3, 5, 4, 7), box(20, -2, 3, 4)],  # one that wanders
        [box(-3, -2, 2, 2), box(21, 10, 2, 2)],  # outside of the display window at both ends
    ],
)
def test_the_canvas_holds_the_display_window_and_every_frames_data_window(tmp_path, windows):
    """In whatever order they come; a part of the clip in hand does not change it."""
    for order, frames in (("up", windows), ("down", windows[::-1])):
        for number, data in enumerate(frames, 1):
            write(tmp_path / order, number, data)
        geometry = opened(tmp_path / order).geometry()
        assert geometry.display == DISPLAY
        assert geometry.canvas == box(-3, -2, 26, 14)
        assert geometry.left_out == ()


def test_the_clips_extent_counts_and_frames_beside_it_do_not(tmp_path):
    """What lies in the folder before `first` and after `last` is another clip's."""
    for number, more in enumerate((9, 0, 1, 9)):
        write(tmp_path, number, box(-more, 0, 20 + more, 10))
    assert opened(tmp_path, first=1, last=2).geometry().canvas == box(-1, 0, 21, 10)


def test_a_display_window_may_begin_anywhere(tmp_path):
    """Negative origins, and a plate that is smaller than its display window."""
    display = box(-7, -5, 20, 10)
    write(tmp_path, 1, box(-6, -5, 3, 3), display)
    assert opened(tmp_path).geometry().canvas == display


def test_frames_that_cannot_count_are_left_out_and_fail_when_they_are_read(tmp_path):
    """Another display window, another pixel aspect, and a header that is no header."""
    write(tmp_path, 2, DISPLAY)
    write(tmp_path, 3, box(0, 0, 30, 10), box(0, 0, 30, 10))
    write(tmp_path, 4, box(-5, 0, 25, 10), aspect=2.0)
    write(tmp_path, 5, box(-1, 0, 21, 10), aspect=1.0000001)
    for number in (1, 6):
        (tmp_path / f"a.{number:04d}.exr").write_bytes(b"not rendered yet")
    plate = opened(tmp_path)
    geometry = plate.geometry()
    assert geometry.left_out == (1, 3, 4, 6)
    assert geometry.canvas == box(-1, 0, 21, 10)
    assert plate.read(2).header.data == DISPLAY
    for frame, words in ((3, ("30x10", "20x10")), (4, ("pixel aspect of 2", "one of 1"))):
        with pytest.raises(InputError) as caught:
            plate.read(frame)
        assert caught.value.code is ErrorCode.PLATE_MISMATCH
        assert all(word in str(caught.value) for word in words)


def test_a_second_look_opens_no_file_and_sees_a_new_one(tmp_path, monkeypatch):
    """Headers are remembered by path, size, time and inode."""
    for number in range(1, 31):
        write(tmp_path, number, DISPLAY)
    assert opened(tmp_path).geometry().canvas == DISPLAY
    read, seen = sequence.read_header, []
    monkeypatch.setattr(sequence, "read_header", lambda file: seen.append(file.frame) or read(file))
    plate = opened(tmp_path)
    assert plate.geometry().canvas == DISPLAY
    assert seen == []
    write(tmp_path, 7, box(-2, 0, 22, 10))
    os.utime(tmp_path / "a.0009.exr", ns=(1, 1))
    assert plate.geometry().canvas == box(-2, 0, 22, 10)
    assert sorted(seen) == [7, 9]


def test_a_copy_over_a_file_that_keeps_its_size_and_date_is_seen(tmp_path):
    """As `cp -p` and `rsync -t` leave it; else the job would fail however often it is asked."""
    write(tmp_path, 1, DISPLAY)
    write(tmp_path, 2, DISPLAY)
    path, other = tmp_path / "a.0002.exr", tmp_path / "other"
    assert opened(tmp_path).geometry().canvas == DISPLAY
    write(other, 2, box(-1, 0, 20, 10))
    data, times = (other / path.name).read_bytes(), path.stat()
    assert len(data) == times.st_size
    path.write_bytes(data)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert opened(tmp_path).geometry().canvas == box(-1, 0, 21, 10)


@pytest.mark.parametrize("when", ["as it is opened", "as the others are"])
def test_a_share_that_does_not_answer_is_waited_for_once(tmp_path, monkeypatch, when):
    """Not once for each frame of a clip of thousands."""
    for number in range(1, 61):
        write(tmp_path, number, DISPLAY)
    plate = opened(tmp_path) if when == "as the others are" else None
    waited = []

    def stalled(_look, path, *, frame=None, progress=None):
        waited.append(path)
        time.sleep(0.2)
        raise StallError(f"{path} has not answered for 0.2 s.", path=str(path))

    for module in (file_keys, sequence):
        monkeypatch.setattr(module, "answered", stalled)
    with pytest.raises(InputError, match="has not answered"):
        (plate or opened(tmp_path)).geometry()
    assert len(waited) <= 3 * sequence.READERS


@pytest.mark.parametrize("seconds", [0.0, 0.01])
def test_others_help_a_reader_whose_disk_is_slow(tmp_path, monkeypatch, seconds):
    """Where a disk answers at once, threads would only wait for each other."""
    for number in range(1, 4 * AT_A_TIME):
        write(tmp_path, number, DISPLAY)
    plate, looking, readers = opened(tmp_path), sequence._look, set()

    def slow(image):
        time.sleep(seconds)
        return looking(image)

    monkeypatch.setattr(sequence, "_look", slow)
    windows, parsing = sequence._windows, threading.current_thread()

    def parsed(image, seen):
        readers.add(threading.current_thread())
        return windows(image, seen)

    monkeypatch.setattr(sequence, "_windows", parsed)
    if not seconds:  # however busy the machine is
        monkeypatch.setattr(sequence, "_QUICK_SECONDS", 10.0)
    assert plate.geometry().canvas == DISPLAY
    assert (readers == {parsing}) == (not seconds)


def test_a_canvas_has_a_bound_that_names_the_frame():
    """A data window that lies far away would take the machine's memory."""
    frames = {1: FrameWindows(display=DISPLAY, data=DISPLAY)}
    frames[2] = FrameWindows(display=DISPLAY, data=box(60_000, 60_000, 1, 1))
    with pytest.raises(InputError, match=r"frame 2, 1x1 at \(60000, 60000\)"):
        geometry_of("a", frames)


@pytest.mark.parametrize(
    ("other", "common"),
    [
        (Box(x=2, y=-1, width=9, height=4), Box(x=2, y=0, width=2, height=3)),
        (Box(x=1, y=1, width=1, height=1), Box(x=1, y=1, width=1, height=1)),
        (Box(x=4, y=0, width=3, height=3), Box(x=0, y=0, width=0, height=0)),
    ],
)
def test_what_two_boxes_share_is_the_same_part_of_both(other: Box, common: Box):
    """Where they only touch there are no pixels."""
    box = Box(x=0, y=0, width=4, height=5)
    found = box.common(other)
    assert found == common
    pixels = np.arange(20).reshape(5, 4)
    assert pixels[found.slices_in(box)].shape == (common.height, common.width)
    assert found.area == 0 or pixels[found.slices_in(box)][0, 0] == common.y * 4 + common.x


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
