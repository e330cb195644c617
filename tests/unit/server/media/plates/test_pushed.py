"""Plates that a host pushes, and images in mapped files."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from gvm_client.errors import ErrorCode, InputError, JobCancelled, OutputError
from gvm_client.settings import BadPixels
from gvm_server.media.geometry import Box
from gvm_server.media.mapped_image import MappedImage, read_mapped, write_mapped
from gvm_server.media.plates.pushed import PushedFrames, PushedOptions

OPTIONS = PushedOptions(
    name="Read1",
    first=1001,
    last=1010,
    width=4,
    height=3,
    keys={frame: f"{frame:032x}" for frame in range(1001, 1009)},
)
IMAGE = MappedImage(buffer="b.pixels", offset=0, width=4, height=3, channels=3, pixel_type="float")


def store(folder, array, name="b.pixels", offset=0):
    """Write an array as a buffer."""
    (folder / name).write_bytes(bytes(offset) + array.tobytes())


def values(frame=0, channels=3):
    """Return the pixels of a frame."""
    return np.arange(12 * channels, dtype=np.float32).reshape(3, 4, channels) / 64 + frame


def give(plate, frame, image):
    """Give a frame as the host named it."""
    plate.give(frame, image, key=OPTIONS.keys[frame])


class Host:
    """A host that gives each frame that it is asked for, a moment later."""

    def __init__(self, folder, delay=0.01) -> None:
        self.folder = folder
        self.delay = delay
        self.asked = []
        self.plate = PushedFrames(OPTIONS, buffers=folder, ask=self.ask)

    def ask(self, frames):
        """Take the question and answer it from another thread."""
        self.asked.extend(frames)
        threading.Timer(self.delay, self.answer, (frames,)).start()

    def answer(self, frames):
        """Give frames."""
        for frame in frames:
            store(self.folder, values(frame), f"{frame}.pixels")
            give(self.plate, frame, replace(IMAGE, buffer=f"{frame}.pixels"))


def test_reads_wait_for_the_host_and_each_frame_is_asked_for_once(tmp_path):
    """Many readers of overlapping frames cause one question for each frame."""
    host = Host(tmp_path)
    frames = [1001, 1003, 1001, 1002, 1003, 1002] * 3
    with ThreadPoolExecutor(4) as pool:
        for frame, read in zip(frames, pool.map(host.plate.read, frames), strict=True):
            assert np.array_equal(read.pixels, values(frame))
            assert read.frame == frame
    assert sorted(host.asked) == [1001, 1002, 1003]


def test_want_asks_once_and_says_when_all_are_given(tmp_path):
    """Nothing is asked for twice, and no question is empty."""
    questions = []
    plate = PushedFrames(OPTIONS, buffers=tmp_path, ask=questions.append)
    assert not plate.want([1001, 1002, 1001])
    assert not plate.want([1002, 1003])
    assert not plate.want([1001])
    assert questions == [(1001, 1002), (1003,)]
    for frame in (1001, 1002):
        give(plate, frame, IMAGE)
    assert plate.want([1001, 1002])
    assert not plate.want([1001, 1003])


def test_the_host_may_answer_within_the_question(tmp_path):
    """A callback that gives at once does not lock up."""
    store(tmp_path, values())
    plate = PushedFrames(
        OPTIONS, buffers=tmp_path, ask=lambda frames: [give(plate, one, IMAGE) for one in frames]
    )
    assert np.array_equal(plate.read(1004).pixels, values())


def test_a_silent_host_ends_the_wait_with_its_name(tmp_path):
    """The frame and the patience are told."""
    plate = PushedFrames(OPTIONS, buffers=tmp_path, ask=lambda _: None, patience_seconds=0.05)
    with pytest.raises(InputError, match=r"frame 1001 of Read1 within 0\.05 seconds") as caught:
        plate.read(1001)
    assert caught.value.code is ErrorCode.PLATE_MISSING


def test_close_ends_every_wait(tmp_path):
    """A cancelled job's readers come back at once."""
    plate = PushedFrames(OPTIONS, buffers=tmp_path, ask=lambda _: None)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(plate.read, frame) for frame in (1001, 1002)]
        time.sleep(0.05)
        begin = time.perf_counter()
        plate.close()
        for future in waiting:
            with pytest.raises(JobCancelled):
                future.result()
    assert time.perf_counter() - begin < 1


def test_what_was_not_asked_for_or_has_another_size_is_refused(tmp_path):
    """Both leave the plate as it was."""
    plate = PushedFrames(OPTIONS, buffers=tmp_path, ask=lambda _: None)
    with pytest.raises(InputError) as caught:
        give(plate, 1001, IMAGE)
    assert caught.value.code is ErrorCode.ILLEGAL_MOVE
    plate.want([1001])
    with pytest.raises(InputError, match="5x3, the clip is 4x3") as caught:
        give(plate, 1001, replace(IMAGE, width=5))
    assert caught.value.code is ErrorCode.PLATE_MISMATCH
    assert not plate.want([1001])


def test_a_frame_that_is_another_than_the_named_one_is_refused(tmp_path):
    """Its matte would be kept under the named one's key; both hashes are said."""
    plate = PushedFrames(OPTIONS, buffers=tmp_path, ask=lambda _: None)
    plate.want([1001])
    with pytest.raises(InputError, match=f"named as {1001:032x} and given as 00") as caught:
        plate.give(1001, IMAGE, key="00")
    assert caught.value.code is ErrorCode.PLATE_MISMATCH
    assert not plate.want([1001])
    give(plate, 1001, IMAGE)
    assert plate.want([1001])


def test_extent_keys_and_header_are_the_hosts(tmp_path):
    """Frames without a key are missing; equal keys of the host are equal keys here."""
    plate = PushedFrames(OPTIONS, buffers=tmp_path, ask=lambda _: None)
    assert (plate.first, plate.last, plate.missing()) == (1001, 1010, [1009, 1010])
    assert len(plate.key(1001)) == 16
    assert plate.key(1001) != plate.key(1002)
    same = replace(OPTIONS, keys={1002: OPTIONS.keys[1001]})
    assert PushedFrames(same, buffers=tmp_path, ask=print).key(1002) == plate.key(1001)
    assert (plate.header(1001).data.width, plate.header(1001).data.height) == (4, 3)
    assert plate.colour.name == "Linear Rec.709 (sRGB)"
    for frame, code in ((1009, ErrorCode.PLATE_MISSING), (1011, ErrorCode.RANGE_OUTSIDE)):
        for look in (plate.key, plate.header, plate.read, lambda frame: plate.want([frame])):
            with pytest.raises(InputError) as caught:
                look(frame)
            assert caught.value.code is code


def test_bad_pixels_follow_the_policy(tmp_path):
    """NaN from a host is refused, or black."""
    array = values()
    array[1, 2, 0] = np.nan
    store(tmp_path, array)
    for policy in BadPixels:
        options = replace(OPTIONS, bad_pixels=policy)
        plate = PushedFrames(options, buffers=tmp_path, ask=lambda _: None)
        plate.want([1001])
        give(plate, 1001, IMAGE)
        if policy is BadPixels.BLACK:
            assert not plate.read(1001).pixels[1, 2].any()
        else:
            with pytest.raises(InputError, match="x 2, y 1"):
                plate.read(1001)


@pytest.mark.parametrize(
    ("pixel_type", "dtype", "white"),
    [("uint8", np.uint8, 255), ("uint16", np.uint16, 65535), ("half", "f2", 1), ("float", "f4", 1)],
)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_pixel_type_comes_as_float_rgb(tmp_path, pixel_type, dtype, white, channels):
    """Integers become 0..1, alpha is left out, one channel stands for three; at any offset."""
    array = (values(channels=channels) * white).astype(dtype)
    store(tmp_path, array, offset=7)
    image = replace(IMAGE, offset=7, channels=channels, pixel_type=pixel_type)
    pixels = read_mapped(tmp_path, image)
    expected = array.astype(np.float32)[..., :3] / white
    assert pixels.shape == (3, 4, 3)
    assert pixels.dtype == np.float32
    assert np.allclose(pixels, np.broadcast_to(expected, (3, 4, 3)), atol=1e-6)


def test_pixels_are_copied_out(tmp_path):
    """What the host does to its buffer later changes nothing."""
    store(tmp_path, values())
    pixels = read_mapped(tmp_path, IMAGE)
    store(tmp_path, values(5))
    assert np.array_equal(pixels, values())


@pytest.mark.parametrize(
    "name", ["../b.pixels", "/etc/hostname", "sub/b.pixels", "..", "none", "link", "dir", ""]
)
def test_only_plain_files_of_the_folder_are_read(tmp_path, name):
    """No path, no link, no folder, nothing missing."""
    folder = tmp_path / "pixels"
    (folder / "dir").mkdir(parents=True)
    (folder / "sub").mkdir()
    for place in (tmp_path, folder / "sub"):
        store(place, values())
    (folder / "link").symlink_to(tmp_path / "b.pixels")
    with pytest.raises(InputError, match="cannot be taken"):
        read_mapped(folder, replace(IMAGE, buffer=name))


@pytest.mark.parametrize("offset", [1, 10**15])
def test_a_buffer_that_is_too_small_is_refused(tmp_path, offset):
    """The sizes are told."""
    store(tmp_path, values())
    with pytest.raises(InputError, match="it has 144 bytes"):
        read_mapped(tmp_path, replace(IMAGE, offset=offset))


def test_an_alpha_goes_out_and_comes_back(tmp_path):
    """Float, one channel, in a file of its own."""
    alpha = values(channels=1)[..., 0]
    image = write_mapped(tmp_path, "a.pixels", alpha)
    assert image == replace(IMAGE, buffer="a.pixels", channels=1)
    assert np.array_equal(read_mapped(tmp_path, image)[..., 1], alpha)
    for name in ("../a", "sub/a", ".a", "/tmp/a"):
        with pytest.raises(OutputError) as caught:
            write_mapped(tmp_path, name, alpha)
        assert caught.value.code is ErrorCode.PATH_REFUSED


def test_a_frame_may_be_a_part_of_the_clips_region(tmp_path):
    """It says where it lies; the clip's geometry is the whole region all the same."""
    plate = PushedFrames(OPTIONS, buffers=tmp_path, ask=lambda _: None)
    assert (plate.geometry().canvas.width, plate.geometry().canvas.height) == (4, 3)
    plate.want([1001])
    store(tmp_path, values()[:1, :2])
    part = replace(IMAGE, width=2, height=1)
    with pytest.raises(InputError, match=r"2x1 at \(3, 2\).*4x3"):
        give(plate, 1001, replace(part, x=3, y=2))
    give(plate, 1001, replace(part, x=2, y=2))
    read = plate.read(1001)
    assert read.header.data == Box(x=2, y=2, width=2, height=1)
    assert np.array_equal(read.pixels, values()[:1, :2])
