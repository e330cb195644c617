"""OpenEXR's own module: what it reads is what OpenImageIO reads, and it writes what it is given."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import OpenEXR
import OpenImageIO as oiio
import pytest

from gvm_server.media.openexr import file_bytes, read_channels


def _random(dtype=np.float16, height=37, width=53):
    values = np.random.default_rng(1).normal(0, 3, (height, width)).astype(dtype)
    values[0, 0] = 0.0
    return values


def _write(path, channels, compression=OpenEXR.ZIP_COMPRESSION, **attributes: object):
    says = {"compression": compression, "type": OpenEXR.scanlineimage, **attributes}
    OpenEXR.File(says, channels).write(str(path))
    return path


@pytest.mark.parametrize("in_blocks", [False, True])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("compression", ["NO", "RLE", "ZIPS", "ZIP", "PIZ"])
def test_it_reads_what_openimageio_reads(tmp_path, dtype, compression, in_blocks):
    """Every bit, in the order that is asked for, where other channels stand between."""
    planes = {
        name: _random(dtype) + dtype(place) for name, place in zip("RAGBZ", range(5), strict=True)
    }
    packed = getattr(OpenEXR, f"{compression}_COMPRESSION")
    path = _write(tmp_path / "a.exr", planes, compression=packed)
    found = read_channels(path, ("B", "R", "G"), in_blocks=in_blocks)
    assert OpenEXR.global_thread_count() == 0  # none is left for whatever forks later
    assert found is not None
    assert found.pixels.dtype == dtype
    assert found.pixels.flags.c_contiguous
    file = oiio.ImageInput.open(str(path))
    names = file.spec().channelnames
    theirs = file.read_image(oiio.FLOAT)[..., [names.index(name) for name in "BRG"]]
    assert np.array_equal(found.pixels.astype(np.float32), theirs)


def test_threads_stay_until_the_last_file_is_done(tmp_path, monkeypatch):
    """Taken away while a file is written they left its task undone, and its writer hung for ever.

    A writer is held where it works; meanwhile a file is read on several threads, to its end.
    """
    path = _write(tmp_path / "a.exr", dict.fromkeys("RGB", _random()))
    inside, go_on, theirs = threading.Event(), threading.Event(), OpenEXR.File

    class SlowFile:
        def __init__(self, *given: object) -> None:
            self._file = theirs(*given)

        def write(self, stream):
            inside.set()
            assert go_on.wait(60)
            self._file.write(stream)

    monkeypatch.setattr(OpenEXR, "File", SlowFile)
    monkeypatch.setattr("gvm_server.media.openexr._threads", lambda: 2)
    with ThreadPoolExecutor(1) as writer:
        written = writer.submit(file_bytes, {"A": _random()}, {}, half=True)
        assert inside.wait(60)
        try:
            for _ in range(2):
                assert read_channels(path, "RGB", in_blocks=True) is not None
                assert OpenEXR.global_thread_count() == 2
        finally:
            go_on.set()
        assert written.result(60)
    assert OpenEXR.global_thread_count() == 0


def test_one_channel_may_stand_for_all(tmp_path):
    """A matte that is read as a picture."""
    path = _write(tmp_path / "a.exr", {"A": _random(), "R": -_random()})
    found = read_channels(path, "AAA")
    assert found is not None
    assert all(np.array_equal(found.pixels[..., index], _random()) for index in range(3))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("compression", ["NO", "ZIPS", "ZIP", "PIZ"])
def test_some_lines_alone_are_those_of_the_whole(tmp_path, dtype, compression):
    """Within, across and at the end of what is compressed together, wherever the window lies."""
    planes = {name: _random(dtype) * dtype(place + 1) for place, name in enumerate("RGB")}
    window = np.array((3, -5), np.int32), np.array((3 + 53 - 1, -5 + 37 - 1), np.int32)
    packed = getattr(OpenEXR, f"{compression}_COMPRESSION")
    path = _write(tmp_path / "a.exr", planes, compression=packed, dataWindow=window)
    whole = read_channels(path, "RGB")
    spans = [range(3), range(14, 19), range(36, 37)]
    found = read_channels(path, "RGB", spans)
    assert whole is not None
    assert found is not None
    assert found.data == whole.data
    assert found.pixels.dtype == dtype
    lines = np.concatenate([whole.pixels[span.start : span.stop] for span in spans])
    assert np.array_equal(found.pixels, lines)
    nothing = read_channels(path, "RGB", [])
    assert nothing is not None
    assert nothing.pixels.shape == (0, 53, 3)


def test_windows_and_tiles_are_read(tmp_path):
    """A tiled file of OpenImageIO's, whose data window lies outside the display window."""
    spec = oiio.ImageSpec(53, 37, 3, oiio.HALF)
    spec.x, spec.y, spec.full_x, spec.full_y = -7, 5, 0, 0
    spec.full_width, spec.full_height, spec.tile_width, spec.tile_height = 20, 10, 16, 16
    pixels = np.stack([_random()] * 3, axis=-1)
    file = oiio.ImageOutput.create("exr")
    assert file.open(str(tmp_path / "a.exr"), spec), file.geterror()
    assert file.write_image(pixels), file.geterror()
    file.close()
    found = read_channels(tmp_path / "a.exr", "RGB")
    assert found is not None
    assert np.array_equal(found.pixels, pixels)
    assert (found.data.x, found.data.y, found.data.width, found.data.height) == (-7, 5, 53, 37)
    assert (found.display.width, found.display.height) == (20, 10)
    assert read_channels(tmp_path / "a.exr", "RGB", [range(3)]) is None  # lines of lines alone


def test_what_is_not_read_here_is_left_to_openimageio(tmp_path, capfd):
    """Missing channels, several types, whole numbers, damage, other files; nothing on stdout."""
    half, full = _random(), _random(np.float32)
    mixed = _write(tmp_path / "mixed.exr", {"R": half, "G": full, "B": half})
    ids = _write(
        tmp_path / "ids.exr", {name: half.view(np.uint16).astype(np.uint32) for name in "RGB"}
    )
    whole = _write(tmp_path / "whole.exr", {"R": half, "G": half, "B": half})
    cut = tmp_path / "cut.exr"
    cut.write_bytes(whole.read_bytes()[:-900])
    (tmp_path / "text.exr").write_text("no image")
    for path in (mixed, ids, cut, tmp_path / "text.exr", tmp_path / "none.exr"):
        assert read_channels(path, "RGB") is None, path
        assert read_channels(path, "RGB", in_blocks=True) is None, path
    assert read_channels(whole, ("R", "G", "Y")) is None
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("half", [True, False])
def test_views_are_written_as_they_look(tmp_path, half):
    """The module ignores an array's strides: a channel of an image, a crop, a transposed one."""
    image = np.random.default_rng(2).random((40, 60, 3), np.float32)
    views = {"R": image[2:30:2, 4:40:3, 1], "G": image[:12, :14, 0].T, "B": image[-14:, -12:, 2]}
    (tmp_path / "a.exr").write_bytes(file_bytes(views, {}, half=half))
    found = read_channels(tmp_path / "a.exr", "RGB")
    assert found is not None
    for index, view in enumerate(views.values()):
        expected = view.astype(np.float16 if half else np.float32)
        assert np.array_equal(found.pixels[..., index], expected)


def test_what_is_beyond_half_becomes_its_largest_number(tmp_path):
    """Not infinite, which compositors spread."""
    bright = np.full((4, 4), 1e9, np.float32)
    (tmp_path / "a.exr").write_bytes(file_bytes({"A": bright, "B": -bright}, {}, half=True))
    found = read_channels(tmp_path / "a.exr", "AB")
    assert found is not None
    assert found.pixels[0, 0].tolist() == [65504.0, -65504.0]


def test_what_cannot_be_written_is_an_os_error():
    """Planes of unlike sizes have no file."""
    with pytest.raises(OSError, match=r"\w"):
        file_bytes({"A": np.zeros((4, 4)), "B": np.zeros((4, 5))}, {}, half=True)
