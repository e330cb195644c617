"""Alpha files: what is in them, and that they appear whole or not at all."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import replace
from fractions import Fraction

import numpy as np
import OpenEXR
import OpenImageIO as oiio
import pytest

from gvm_client.errors import ErrorCode, InputError, OutputError, SettingsError
from gvm_client.file_content import Compression
from gvm_client.settings import Depth
from gvm_server.media.alphas.exr import (
    check_compression,
    read_alpha,
    read_proven,
    sealed_bytes,
)
from gvm_server.media.alphas.stamp import Fingerprint, prove_file, read_stamp, seal
from gvm_server.media.atomic_files import LEFTOVER_SECONDS, put_whole, sweep_leftovers
from gvm_server.media.geometry import Box, FrameHeader
from tests.fakes.plates import write_image
from tests.support.alphas import write_alpha
from tests.support.tree import ROOT

KEY = bytes(range(16))
MADE = Fingerprint(KEY, "")
BOX = Box(x=0, y=0, width=8, height=6)
PLAIN = FrameHeader(display=BOX, data=BOX)


def ramp(height=6, width=8):
    """Return an alpha whose values are exact in half."""
    return np.linspace(0, 1, height * width, dtype=np.float32).reshape(height, width)


def write(path, alpha=None, header=PLAIN, depth=Depth.HALF, key=KEY):
    """Write an alpha with our stamp."""
    alpha = ramp() if alpha is None else alpha
    write_alpha(path, alpha, header=header, depth=depth, attributes={"gvm:key": key.hex()})
    return path


def names(folder):
    """Return the names in a folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(("depth", "dtype"), [(Depth.HALF, np.float16), (Depth.FLOAT, np.float32)])
def test_pixels_come_back_as_written(tmp_path, depth, dtype):
    """Float keeps every bit; half rounds as numpy does."""
    path = write(tmp_path / "a.exr", depth=depth)
    assert np.array_equal(read_alpha(path), ramp().astype(dtype).astype(np.float32))
    assert names(tmp_path) == ["a.exr"]


def test_the_file_is_what_a_compositor_expects(tmp_path):
    """One channel A, half, ZIPS; windows, aspect, rate, timecode and words as given."""
    header = FrameHeader(
        display=Box(x=0, y=0, width=20, height=10),
        data=Box(x=-3, y=2, width=8, height=6),
        pixel_aspect=2.0,
        frame_rate=(24000, 1001),
        timecode=(0x91020304, 0x80000005),
    )
    attributes = {"gvm:key": KEY.hex(), "gvm:engine": "preview", "Software": "GVM Bridge"}
    path = tmp_path / "a.exr"
    write_alpha(path, ramp(), header=header, depth=Depth.HALF, attributes=attributes)
    _as_openexr_reads_it(path, attributes)
    file = oiio.ImageInput.open(str(path))
    spec = file.spec()
    assert (spec.channelnames, str(spec.format)) == (("A",), "half")
    assert (spec.x, spec.y, spec.width, spec.height) == (-3, 2, 8, 6)
    assert (spec.full_x, spec.full_y, spec.full_width, spec.full_height) == (0, 0, 20, 10)
    assert spec.getattribute("compression") == "zips"
    assert spec.getattribute("PixelAspectRatio") == 2.0
    assert spec.getattribute("FramesPerSecond") == (24000, 1001)
    assert spec.getattribute("smpte:TimeCode") == (0x91020304, 0x80000005)
    for name, text in attributes.items():
        assert spec.getattribute(name) == text


def test_the_same_alpha_is_the_same_file_whenever_it_is_written(tmp_path):
    """Two hosts of a farm write equal files; a time stands in one only where the plate has one."""
    box = Box(x=0, y=0, width=8, height=6)
    seen = set()
    for name in ("a.exr", "b.exr"):
        header = FrameHeader(display=box, data=box)
        write_alpha(tmp_path / name, ramp(), header=header, depth=Depth.HALF, attributes={})
        seen.add((tmp_path / name).read_bytes())
        time.sleep(1.1)  # a writer's own time has whole seconds
    assert len(seen) == 1
    assert "capDate" not in OpenEXR.File(str(tmp_path / "a.exr"), header_only=True).header()
    dated = replace(header, date_time="2026:11:03 09:30:00")
    write_alpha(tmp_path / "c.exr", ramp(), header=dated, depth=Depth.HALF, attributes={})
    found = OpenEXR.File(str(tmp_path / "c.exr"), header_only=True).header()
    assert found["capDate"] == "2026:11:03 09:30:00"


def _as_openexr_reads_it(path, attributes):
    """The library of the format itself sees its standard attributes."""
    header = OpenEXR.File(str(path), header_only=True).parts[0].header
    assert [channel.name for channel in header["channels"]] == ["A"]
    assert [tuple(corner) for corner in header["dataWindow"]] == [(-3, 2), (4, 7)]
    assert [tuple(corner) for corner in header["displayWindow"]] == [(0, 0), (19, 9)]
    assert header["compression"] == OpenEXR.ZIPS_COMPRESSION
    assert header["pixelAspectRatio"] == 2.0
    assert header["framesPerSecond"] == Fraction(24000, 1001)
    code = header["timeCode"]
    assert (code.hours, code.minutes, code.seconds, code.frame) == (11, 2, 3, 4)
    for name, text in attributes.items():
        assert header[name] == text


@pytest.mark.parametrize("compression", list(Compression))
@pytest.mark.parametrize("depth", list(Depth))
def test_planes_come_back_bit_for_bit_by_their_names(tmp_path, compression, depth):
    """Views of larger arrays too, whose rows do not follow each other; no format loses a bit."""
    rng = np.random.default_rng(5)
    whole = rng.normal(0, 3, (70, 90, 4)).astype(np.float32)
    names = ("A", "fg.R", "fg.G", "matte.raw")
    planes = {name: whole[3:67, 5:81, at] for at, name in enumerate(names)}
    path = tmp_path / "a.exr"
    data = sealed_bytes(
        planes,
        header=replace(_sized(64, 76), view="left", part="rgba.left"),
        depth=depth,
        attributes={"gvm:key": KEY.hex()},
        compression=compression,
    )
    path.write_bytes(data)
    kind = np.float16 if depth is Depth.HALF else np.float32
    with OpenEXR.File(str(path), separate_channels=True) as file:
        (part,) = file.parts
        assert set(part.channels) == set(names)
        for name, plane in planes.items():
            assert np.array_equal(part.channels[name].pixels, plane.astype(kind)), name
        assert part.header["compression"].name == f"{compression.value.upper()}_COMPRESSION"
        assert (part.header["view"], part.header["name"]) == ("left", "rgba.left")
    assert np.array_equal(read_alpha(path), planes["A"].astype(kind))
    assert prove_file(path) == MADE


def test_the_alpha_is_read_by_its_name(tmp_path):
    """Beside premultiplied colours it is not the first channel."""
    planes = {name: ramp() * (at + 1) / 4 for at, name in enumerate("BGRA")}
    path = tmp_path / "a.exr"
    data = sealed_bytes(planes, header=PLAIN, depth=Depth.FLOAT, attributes={})
    path.write_bytes(data)
    assert np.array_equal(read_alpha(path), ramp())


def test_a_compression_that_openexr_does_not_know_is_refused(monkeypatch):
    """An older one has none of that name (fault injected)."""
    for compression in Compression:
        check_compression(compression)
    monkeypatch.delattr(OpenEXR, "HTJ2K256_COMPRESSION")
    with pytest.raises(SettingsError, match="does not know the compression htj2k256"):
        check_compression(Compression.HTJ2K)


def test_no_text_of_a_file_goes_through_openimageio(tmp_path, monkeypatch):
    """OpenImageIO 3.2 keeps each different text for good, and a clip has no end."""
    monkeypatch.delattr(oiio.ImageOutput, "create")
    monkeypatch.delattr(oiio.ImageInput, "open")
    attributes = {"gvm:key": KEY.hex(), "gvm:engine": "Grün"}
    write_alpha(tmp_path / "a.exr", ramp(), header=PLAIN, depth=Depth.HALF, attributes=attributes)
    assert np.array_equal(read_alpha(tmp_path / "a.exr"), ramp().astype(np.float16))
    header = OpenEXR.File(str(tmp_path / "a.exr"), header_only=True).parts[0].header
    assert {name: header[name] for name in attributes} == attributes
    assert prove_file(tmp_path / "a.exr") == MADE


def test_equal_alphas_make_equal_files(tmp_path):
    """To the byte; a view whose rows are not contiguous makes the file of its copy."""
    wide = np.linspace(0, 1, 12 * 24, dtype=np.float32).reshape(12, 24)
    first = write(tmp_path / "a.exr", wide[::2, ::3]).read_bytes()
    assert write(tmp_path / "b.exr", wide[::2, ::3].copy()).read_bytes() == first


@pytest.mark.parametrize("rate", [(24, 1), (60_000, 1001), (2**31 - 1, 1), (10**12 + 1, 10**11)])
def test_any_rate_is_written_with_parts_of_32_bits(tmp_path, rate):
    """A rate that does not fit is written as its nearest."""
    header = FrameHeader(display=BOX, data=BOX, frame_rate=rate)
    path = write(tmp_path / "a.exr", header=header)
    written = OpenEXR.File(str(path), header_only=True).parts[0].header["framesPerSecond"]
    assert float(written) == pytest.approx(rate[0] / rate[1], rel=1e-6)


def test_bytes_without_room_for_a_checksum_are_not_sealed(tmp_path):
    """A file that is not of ours has no place for one."""
    path = write_image(tmp_path / "a.exr", np.zeros((4, 4, 3), np.float32))
    with pytest.raises(OSError, match="no place for gvm:checksum"):
        seal(bytearray(path.read_bytes()))


def test_the_stamp_is_read_and_others_files_have_none(tmp_path):
    """A missing, foreign, broken or wrongly stamped file is not ours."""
    assert read_stamp(write(tmp_path / "a.exr")) == KEY
    assert read_stamp(tmp_path / "none.exr") is None
    assert read_stamp(write_image(tmp_path / "foreign.exr")) is None
    (tmp_path / "broken.exr").write_bytes(b"no image")
    assert read_stamp(tmp_path / "broken.exr") is None
    for text in ("", "zz" * 16, "ab" * 15):
        odd = tmp_path / "odd.exr"
        write_alpha(odd, ramp(), header=PLAIN, depth=Depth.HALF, attributes={"gvm:key": text})
        assert read_stamp(odd) is None


def test_a_file_is_replaced_in_one_step(tmp_path):
    """A reader that looks all the time sees the old file or the new one, whole."""
    path = write(tmp_path / "a.exr", np.zeros((200, 100), np.float32), _sized(200, 100))
    wrong, done = [], threading.Event()

    def look():
        while not done.is_set():
            values = np.unique(read_alpha(path))
            if len(values) != 1:
                wrong.append(values)

    reader = threading.Thread(target=look)
    reader.start()
    for index in range(20):
        write(path, np.full((200, 100), index / 32, np.float32), _sized(200, 100))
    done.set()
    reader.join()
    assert not wrong
    assert names(tmp_path) == ["a.exr"]


def test_the_wrong_size_is_a_defect(tmp_path):
    """An alpha that doesn't fill the data window is refused before a file is made."""
    with pytest.raises(ValueError, match="data window"):
        write(tmp_path / "a.exr", ramp(5, 8))
    assert names(tmp_path) == []


def test_a_missing_folder_is_named(tmp_path):
    """The system's reason and the path are told."""
    with pytest.raises(OutputError, match="No such file") as caught:
        write(tmp_path / "no" / "a.exr")
    assert caught.value.code is ErrorCode.OUTPUT_UNWRITABLE
    assert caught.value.path == str(tmp_path / "no" / "a.exr")


def test_a_folder_in_the_files_place_is_named_and_stays(tmp_path):
    """The rename fails, and the temporary file is gone."""
    (tmp_path / "a.exr").mkdir()
    with pytest.raises(OutputError) as caught:
        write(tmp_path / "a.exr")
    assert caught.value.code is ErrorCode.OUTPUT_UNWRITABLE
    assert names(tmp_path) == ["a.exr"]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB; needs the right to mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)]
    if not sys.platform.startswith("linux") or subprocess.run(words, check=False).returncode:
        pytest.skip("needs the right to mount a tmpfs: run as root in a container")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("height", [40, 66, 67, 68, 69, 70, 100])
def test_a_full_disk_leaves_a_whole_file_or_none(small_disk, height):
    """Also where the room ends within the last bytes."""
    noise = np.random.default_rng(1).random((height, 500), dtype=np.float32)
    try:
        write(small_disk / "a.exr", noise, _sized(height, 500))
    except OutputError as error:
        assert error.code is ErrorCode.DISK_FULL  # noqa: PT017 - both ends are right here
        assert names(small_disk) == []
    else:
        assert np.array_equal(read_alpha(small_disk / "a.exr"), noise.astype(np.float16))


def test_a_full_disk_is_told_from_other_failures(small_disk):
    """A copy and a write that don't fit both say that the disk is full."""
    noise = np.random.default_rng(1).random((300, 500), dtype=np.float32)
    source = write(small_disk.parent / "b.exr", noise, _sized(300, 500))
    for attempt in (
        lambda: put_whole(small_disk / "a.exr", read_proven(source, MADE)),
        lambda: write(small_disk / "a.exr", noise, _sized(300, 500)),
    ):
        with pytest.raises(OutputError, match="No space") as caught:
            attempt()
        assert caught.value.code is ErrorCode.DISK_FULL
        assert names(small_disk) == []


def test_copies_are_whole_and_equal(tmp_path):
    """A copy has the same bytes; a vanished source leaves nothing behind."""
    source = write(tmp_path / "a.exr")
    put_whole(tmp_path / "b.exr", read_proven(source, MADE))
    assert (tmp_path / "b.exr").read_bytes() == source.read_bytes()
    with pytest.raises(FileNotFoundError):
        read_proven(tmp_path / "gone.exr", MADE)
    assert names(tmp_path) == ["a.exr", "b.exr"]


def test_unreadable_alphas_are_named(tmp_path):
    """Reading back what is no image is an input error."""
    (tmp_path / "a.exr").write_bytes(b"")
    with pytest.raises(InputError, match=r"a\.exr"):
        read_alpha(tmp_path / "a.exr")


def test_only_old_leftovers_are_swept(tmp_path):
    """By the file system's clock, whosever they are: another machine's process is no number here.

    What is being written, on any machine, and what others named, stays.
    """
    fresh = ".gvm-farm07-1a2b3c4d-1-0123abcd-a.exr.part"
    old = [f".gvm-farm07-1a2b3c4d-{os.getpid()}-{name}" for name in ("0123abcd-b.exr.part",)]
    old.append(f".gvm-{os.getpid()}-0123abcd-a.exr.part")  # as earlier releases named them
    kept = {fresh, "a.exr", ".gvm-x-a.exr.part", ".hidden"}
    skewed = time.time() + 7200  # a file server's clock
    for name in (*kept, *old):
        (tmp_path / name).touch()
        age = LEFTOVER_SECONDS - 60 if name == fresh else LEFTOVER_SECONDS + 60
        os.utime(tmp_path / name, (skewed - age, skewed - age))
    os.utime(tmp_path, (skewed, skewed))
    sweep_leftovers(tmp_path)
    assert set(names(tmp_path)) == kept
    sweep_leftovers(tmp_path / "none")


def test_a_killed_writer_leaves_no_final_name(tmp_path):
    """After kill -9 between writing and naming: only the hidden file is there; it says whose."""
    script = (
        "import os, pathlib, signal, sys\n"
        "from gvm_server.media.atomic_files import replacing\n"
        "with replacing(pathlib.Path(sys.argv[1]), size_hint=1) as temporary:\n"
        "    temporary.write_bytes(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = ROOT
    path = f"{root}{os.pathsep}{root / 'nodes'}"
    words = [sys.executable, "-c", script, str(tmp_path / "a.exr")]
    subprocess.run(words, check=False, env={**os.environ, "PYTHONPATH": path})
    (leftover,) = names(tmp_path)
    assert re.fullmatch(r"\.gvm-\w+-[0-9a-f]{1,8}-\d+-[0-9a-f]{8}-a\.exr\.part", leftover)


def _sized(height, width):
    box = Box(x=0, y=0, width=width, height=height)
    return FrameHeader(display=box, data=box)
