"""Plates of image files."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import OpenImageIO as oiio
import pytest
from PIL import Image

from gvm_client.errors import ErrorCode, InputError, SettingsError
from gvm_client.settings import BadPixels, Missing, PlateKeys
from gvm_server.media.file_access import Roots
from gvm_server.media.geometry import Box
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.open import open_plate
from tests.fakes.plates import ImageSpec, pixels, write_image, write_parts, write_sequence


def opened(path, **options: object):
    """Open a plate with these options."""
    return open_plate(PlateOptions(path=str(path), **options), roots=Roots())


def code_of(look):
    """Return the code and the text of the input error that a call raises."""
    with pytest.raises(InputError) as caught:
        look()
    return caught.value.code, str(caught.value)


def test_a_sequence_knows_its_extent_and_reads_each_frame(tmp_path):
    """Numbers come from the names, negative ones too; pixels from the right file."""
    plate = opened(write_sequence(tmp_path, range(-3, 4)))
    assert (plate.first, plate.last, plate.missing()) == (-3, 3, [])
    assert plate.name == str(tmp_path / "plate.%04d.exr")
    for frame in (3, -3, 0):
        read = plate.read(frame)
        assert read.frame == frame
        assert read.pixels.dtype == np.float32
        assert np.all(read.pixels == np.float32(frame / 4096))


def test_extent_is_the_options_where_given(tmp_path):
    """First and last trim or widen the clip."""
    pattern = write_sequence(tmp_path, range(1, 11))
    plate = opened(pattern, first=3, last=5)
    assert (plate.first, plate.last) == (3, 5)
    assert code_of(lambda: plate.read(6))[0] is ErrorCode.RANGE_OUTSIDE
    assert opened(pattern, last=12).missing() == [11, 12]
    code, text = code_of(lambda: opened(pattern, first=20, last=30))
    assert code is ErrorCode.RANGE_OUTSIDE
    assert "1-10" in text
    with pytest.raises(SettingsError, match="after its last"):
        opened(pattern, first=5, last=4)


def test_windows_aspect_rate_and_timecode_are_the_files(tmp_path):
    """Pixels cover the data window; the header repeats the file's."""
    data, display = Box(x=-2, y=3, width=8, height=6), Box(x=0, y=0, width=20, height=10)
    write_image(
        tmp_path / "a.0001.exr",
        pixels(6, 8),
        ImageSpec(
            data=data,
            display=display,
            attributes={
                "PixelAspectRatio": 2.0,
                "FramesPerSecond": ("rational", (24000, 1001)),
                "smpte:TimeCode": ("timecode", (0x91020304, 0x80000005)),
                "DateTime": "2026:11:03 09:30:00",
            },
        ),
    )
    plate = opened(tmp_path)
    header = plate.header(1)
    assert (header.data, header.display) == (data, display)
    assert header.pixel_aspect == 2.0
    assert header.frame_rate == (24000, 1001)
    assert header.timecode == (0x91020304, 0x80000005)
    assert header.date_time == "2026:11:03 09:30:00"
    read = plate.read(1)
    assert read.header == header
    assert np.array_equal(read.pixels, pixels(6, 8))


@pytest.mark.parametrize(
    ("name", "depth", "tolerance"),
    [
        ("a.exr", "half", 0.0),
        ("a.exr", "float", 0.0),
        ("a.tif", "float", 0.0),
        ("a.tif", "uint16", 1e-5),
        ("a.png", "uint16", 1e-5),
        ("a.png", "uint8", 3e-3),
        ("a.tga", "uint8", 3e-3),
        ("a.dpx", "uint16", 1e-5),
        ("a.hdr", "float", 5e-3),
        ("a.jpg", "uint8", 5e-2),
    ],
)
def test_every_format_comes_as_float_rgb(tmp_path, name, depth, tolerance):
    """Integers become 0..1, float stays."""
    smooth = np.repeat(np.linspace(0, 1, 16, dtype=np.float32)[np.newaxis, :, np.newaxis], 16, 0)
    image = np.repeat(smooth, 3, axis=2)
    plate = opened(write_image(tmp_path / name, image, ImageSpec(depth=depth)))
    assert np.abs(plate.read(1).pixels - image).max() <= max(tolerance, 5e-4)


def test_a_dpx_has_its_rate_and_timecode(tmp_path):
    """A rate in float becomes the broadcast fraction."""
    attributes = {"dpx:FrameRate": 23.976, "smpte:TimeCode": ("timecode", (0x01020304, 0))}
    write_image(tmp_path / "a.dpx", spec=ImageSpec(depth="uint16", attributes=attributes))
    header = opened(tmp_path / "a.dpx").header(1)
    assert header.frame_rate == (24000, 1001)
    assert header.timecode == (0x01020304, 0)


def with_short_header(path: Path, *, line: int, filling: int = 0) -> Path:
    """Rewrite a DPX as FFmpeg writes one: pixels at byte 1664, lines filled up without a word."""
    data = path.read_bytes()
    order: Literal["little", "big"] = "little" if data.startswith(b"XPDS") else "big"
    stored = data[int.from_bytes(data[4:8], order) :]
    lines = [stored[at : at + line] + bytes(filling) for at in range(0, len(stored), line)]
    head = bytearray(data[:1664])
    for at in (4, 808):  # of the file's pixels, and of its only element's
        head[at : at + 4] = (1664).to_bytes(4, order)
    path.write_bytes(head + b"".join(lines))
    return path


def test_pixels_of_a_dpx_with_a_short_header_are_no_timecode(tmp_path):
    """Where its part of film and television should be, its first pixels lie."""
    noise = np.random.default_rng(1).random((8, 24, 3), dtype=np.float32)
    path = write_image(tmp_path / "a.dpx", noise, ImageSpec(depth="uint16"))
    plate = opened(with_short_header(path, line=24 * 6))
    assert np.abs(plate.read(1).pixels - noise).max() < 1e-4
    assert plate.header(1).timecode is None
    assert plate.header(1).frame_rate is None
    assert not [note for note in plate.notes if "interlaced" in note]


@pytest.mark.parametrize(("depth", "width"), [("uint8", 22), ("uint16", 23)])
def test_a_dpx_of_lines_that_are_filled_up_is_refused(tmp_path, depth, width):
    """Its picture would lean: each line begins behind where it is looked for."""
    noise = np.random.default_rng(1).random((8, width, 3), dtype=np.float32)
    path = write_image(tmp_path / "a.dpx", noise, ImageSpec(depth=depth))
    assert opened(path).read(1).pixels.shape == noise.shape
    line = width * 3 * (1 if depth == "uint8" else 2)
    with_short_header(path, line=line, filling=2)
    with pytest.raises(InputError, match=f"lines of {line} bytes are filled up to {line + 2}"):
        opened(path)


def test_a_tiff_in_cielab_is_refused(tmp_path):
    """OpenImageIO gives lightness and the two others as they are: they are no red, green, blue."""
    Image.new("LAB", (8, 8), (200, 10, 30)).save(tmp_path / "a.tif")
    code, text = code_of(lambda: opened(tmp_path / "a.tif"))
    assert code is ErrorCode.PLATE_UNREADABLE
    assert "its colours are CIELAB. Convert it to RGB." in text


def test_stored_colours_under_alpha_stay(tmp_path):
    """A straight PNG is not multiplied by its alpha."""
    image = np.full((4, 4, 4), 0.5, np.float32)
    image[..., 3] = 0.0
    spec = ImageSpec(
        depth="uint16", channels=("R", "G", "B", "A"), attributes={"oiio:UnassociatedAlpha": 1}
    )
    plate = opened(write_image(tmp_path / "a.png", image, spec))
    assert plate.read(1).pixels.mean() == pytest.approx(0.5, abs=1e-4)


def test_layers_and_parts_are_read_by_name(tmp_path):
    """The same frame gives the main RGB, a layer of it, or another part."""
    names = ("R", "G", "B", "A", "spec.R", "spec.G", "spec.B")
    main = pixels(channels=7)
    path = write_parts(
        tmp_path / "a.exr",
        [
            (main, ImageSpec(channels=names, part="main")),
            (pixels(channels=1), ImageSpec(channels=("Z",), part="depth")),
        ],
    )
    assert np.array_equal(opened(path).read(1).pixels, main[..., :3])
    assert np.array_equal(opened(path, layer="spec").read(1).pixels, main[..., 4:])
    depth = opened(path, layer="depth").read(1).pixels
    assert np.array_equal(depth, np.repeat(pixels(channels=1), 3, axis=2))
    code, text = code_of(lambda: opened(path, layer="nope"))
    assert code is ErrorCode.PLATE_MISMATCH
    assert "spec" in text


def test_missing_frames_are_named_and_fail_by_default(tmp_path):
    """The plate knows its holes before any work, and a read says which file."""
    plate = opened(write_sequence(tmp_path, [1, 2, 4, 7]))
    assert plate.missing() == [3, 5, 6]
    code, text = code_of(lambda: plate.read(3))
    assert code is ErrorCode.PLATE_MISSING
    assert "plate.0003.exr" in text


@pytest.mark.parametrize(("frame", "stand_in"), [(3, 2), (5, 4), (6, 4), (1, 2), (0, 2), (8, 7)])
def test_held_frames_are_the_nearest_earlier_one(tmp_path, frame, stand_in):
    """At the head of the clip it is the nearest later one; key and pixels are the stand-in's."""
    plate = opened(write_sequence(tmp_path, [2, 4, 7]), first=0, last=8, missing=Missing.HOLD)
    assert plate.missing() == []
    assert plate.read(frame).frame == frame
    assert np.array_equal(plate.read(frame).pixels, plate.read(stand_in).pixels)
    assert plate.key(frame) == plate.key(stand_in)
    assert any("0-1, 3, 5-6, 8" in note for note in plate.notes)


def test_black_frames_have_a_key_of_their_own_no_timecode_and_no_time(tmp_path):
    """Black is the same black wherever it stands, with the clip's size."""
    attributes = {"smpte:TimeCode": ("timecode", (1, 2))}
    for frame in (1, 3):
        write_image(tmp_path / f"a.{frame:04d}.exr", spec=ImageSpec(attributes=attributes))
    plate = opened(tmp_path, last=4, missing=Missing.BLACK)
    black = plate.read(2)
    assert black.pixels.shape == (6, 8, 3)
    assert not black.pixels.any()
    assert black.header == replace(plate.header(1), timecode=None, date_time="")
    assert plate.key(2) == plate.key(4) not in {plate.key(1), plate.key(3)}
    assert plate.read(3).header.timecode == (1, 2)


def test_a_frame_of_another_size_is_refused_with_both_sizes(tmp_path):
    """The clip's size is its first present frame's."""
    write_image(tmp_path / "a.0001.exr", pixels(6, 8))
    write_image(tmp_path / "a.0002.exr", pixels(5, 8))
    plate = opened(tmp_path)
    for look in (plate.read, plate.header):
        code, text = code_of(lambda look=look: look(2))
        assert code is ErrorCode.PLATE_MISMATCH
        assert "8x5" in text
        assert "8x6" in text


@pytest.mark.parametrize("keep", [0, 40, 0.5, 0.95])
def test_a_truncated_frame_is_named_with_its_path(tmp_path, keep):
    """Wherever the file ends: in no header, in the header, in the pixels."""
    write_sequence(tmp_path, [1, 2])
    path = write_image(tmp_path / "plate.0002.exr", pixels(600, 80))
    whole = path.read_bytes()
    path.write_bytes(whole[: keep if isinstance(keep, int) else int(len(whole) * keep)])
    plate = opened(tmp_path)
    with pytest.raises(InputError) as caught:
        plate.read(2)
    assert caught.value.code in {ErrorCode.PLATE_UNREADABLE, ErrorCode.PLATE_MISMATCH}
    assert (caught.value.frame, caught.value.path) == (2, str(path))


def test_a_deep_image_is_refused_with_the_remedy(tmp_path):
    """Samples in depth are no plate: flatten first."""
    spec = oiio.ImageSpec(4, 3, 5, "float")
    spec.channelnames, spec.deep = ("R", "G", "B", "A", "Z"), True
    path = tmp_path / "a.0001.exr"
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec)
    samples = oiio.DeepData()
    samples.init(12, 5, spec.format, spec.channelnames)
    assert file.write_deep_image(samples)
    file.close()
    with pytest.raises(InputError, match="deep image") as caught:
        opened(path)
    assert caught.value.code is ErrorCode.PLATE_UNREADABLE
    assert "Flatten" in caught.value.remedy
    assert "copy" not in caught.value.remedy, "a copy is as deep"


def test_what_is_no_image_is_unreadable(tmp_path):
    """A text file with an image's name says so when the plate is opened."""
    (tmp_path / "a.0001.exr").write_text("no image")
    code, text = code_of(lambda: opened(tmp_path))
    assert code is ErrorCode.PLATE_UNREADABLE
    assert "a.0001.exr" in text


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_not_finite_are_refused_with_their_place(tmp_path, value):
    """Frame, count and the first one's position are named; black is the way out."""
    image = pixels()
    image[2, 5, 1] = image[4, 1] = value
    path = write_image(tmp_path / "a.0007.exr", image)
    plate = opened(path)
    code, text = code_of(lambda: plate.read(7))
    assert code is ErrorCode.PLATE_NOT_FINITE
    for word in ("Frame 7", "2 NaN or infinite", "x 5, y 2", "--bad-pixels black"):
        assert word in text
    lenient = opened(path, bad_pixels=BadPixels.BLACK)
    expected = image.copy()
    expected[2, 5] = expected[4, 1] = 0.0
    assert np.array_equal(lenient.read(7).pixels, expected)
    assert lenient.key(7) != plate.key(7)


def test_keys_change_with_the_file_and_with_how_it_is_read(tmp_path):
    """Size or time of the file, layer, and frame each change the key; reading does not."""
    pattern = write_sequence(tmp_path, [1, 2])
    plate = opened(pattern)
    key = plate.key(1)
    assert len(key) == 16
    plate.read(1)
    assert plate.key(1) == key == opened(pattern).key(1)
    assert key != plate.key(2)
    assert key != opened(pattern, layer="R").key(1)
    status = (tmp_path / "plate.0001.exr").stat()
    os.utime(tmp_path / "plate.0001.exr", ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert plate.key(1) == key == opened(pattern).key(1)
    by_time = {"keys": PlateKeys.STAT}
    plate = opened(pattern, **by_time)
    key = plate.key(1)
    os.utime(tmp_path / "plate.0001.exr", ns=(status.st_atime_ns, status.st_mtime_ns + 2))
    assert plate.key(1) == key != opened(pattern, **by_time).key(1), "one version all its life"


@pytest.mark.parametrize("keys", [PlateKeys.AUTO, PlateKeys.CONTENT])
def test_content_keys_survive_a_copy_and_see_a_change(tmp_path, keys):
    """Neither the path nor the time is in them; a byte is. It is what a sequence has unasked."""
    content = {"keys": keys}
    here, there = write_sequence(tmp_path / "a", [1]), write_sequence(tmp_path / "b", [1])
    original = (tmp_path / "a" / "plate.0001.exr").read_bytes()
    (tmp_path / "b" / "plate.0001.exr").write_bytes(original)
    plate = opened(there, **content)
    assert plate.key(1) == opened(here, **content).key(1)
    by_time = {"keys": PlateKeys.STAT}
    assert opened(there, **by_time).key(1) != opened(here, **by_time).key(1)
    before = plate.key(1)
    write_image(tmp_path / "b" / "plate.0001.exr", pixels())
    assert opened(there, **content).key(1) != before


def test_a_file_that_vanishes_after_opening_is_missing(tmp_path):
    """Key and read name the frame."""
    plate = opened(write_sequence(tmp_path, [1, 2]))
    (tmp_path / "plate.0002.exr").unlink()
    assert code_of(lambda: plate.key(2))[0] is ErrorCode.PLATE_MISSING
    assert code_of(lambda: plate.read(2))[0] is ErrorCode.PLATE_MISSING


def test_a_link_to_nowhere_is_named_and_the_remedy_helps(tmp_path):
    """It is there by its name, so `--missing hold` cannot stand in; once deleted it is missing."""
    plate = opened(write_sequence(tmp_path, [1, 2, 3]), missing=Missing.HOLD)
    (tmp_path / "plate.0002.exr").unlink()
    (tmp_path / "plate.0002.exr").symlink_to(tmp_path / "old.exr")
    for ask in (plate.key, plate.read):
        with pytest.raises(
            InputError, match=r"plate\.0002\.exr is a link that leads nowhere"
        ) as caught:
            ask(2)
        assert caught.value.code is ErrorCode.PLATE_MISSING
        assert caught.value.remedy.startswith("Mend the link")


def test_a_still_is_a_clip_of_one_frame(tmp_path):
    """Its own number, else the clip's first, else 1."""
    write_sequence(tmp_path, [1001, 1002])
    plate = opened(tmp_path / "plate.1002.exr")
    assert (plate.first, plate.last) == (1002, 1002)
    still = write_image(tmp_path / "still.png", spec=ImageSpec(depth="uint8"))
    assert opened(still).first == opened(still).last == 1
    held = opened(still, first=10, last=12, missing=Missing.HOLD)
    assert held.key(12) == held.key(10)


def test_a_pattern_without_files_says_what_lies_there(tmp_path):
    """A wrong padding is seen at once."""
    write_sequence(tmp_path, [1, 2])
    code, text = code_of(lambda: opened(tmp_path / "plate.%05d.exr"))
    assert code is ErrorCode.PLATE_MISSING
    assert "plate.%04d.exr 1-2" in text


def test_many_threads_read_at_once(tmp_path):
    """Each read opens the file anew: no thread sees another's frame."""
    plate = opened(write_sequence(tmp_path, range(40)))
    with ThreadPoolExecutor(4) as pool:
        for frame, read in zip(range(40), pool.map(plate.read, range(40)), strict=True):
            assert np.all(read.pixels == np.float32(frame / 4096))
