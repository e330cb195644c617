"""What a movie's file lacks, by the sizes that its container wrote down."""

from __future__ import annotations

from fractions import Fraction

import pytest

from gvm_server.media.file_access import Roots
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.movies.shortfall import missing_bytes
from gvm_server.media.plates.open import open_plate
from tests.fakes.plates import MovieSpec, write_movie

UNKNOWN = b"\x01" + b"\xff" * 7
MXF = bytes.fromhex("060e2b34020501010d01020101020400")
RATE = Fraction(25)  # FFmpeg's MXF takes few


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.mov", "a.avi"])
def test_a_whole_file_lacks_nothing_and_a_cut_one_what_was_cut(tmp_path, name):
    """By the segment's size, the last box's, and the list's."""
    path = write_movie(tmp_path / name, MovieSpec(frames=12))
    data = path.read_bytes()
    assert missing_bytes(path) == 0
    path.write_bytes(data[:-100])
    assert missing_bytes(path) == 100


def test_an_mxf_file_has_its_footer(tmp_path):
    """Its header names the footer's place; how long that is, it does not say."""
    path = write_movie(tmp_path / "a.mxf", MovieSpec(codec="mpeg2video", frames=12, rate=RATE))
    data = path.read_bytes()
    assert missing_bytes(path) == 0
    footer = data.rindex(MXF[:13] + b"\x04")
    path.write_bytes(data[: footer - 1000])
    assert missing_bytes(path) == 1000 + len(MXF)


def test_an_avi_of_several_lists_is_cut_in_the_last(tmp_path):
    """As OpenDML has it for files above a gigabyte; each says how long it is."""
    path = tmp_path / "a.avi"
    first, second = b"RIFF\x08\0\0\0AVI junk", b"RIFF\x09\0\0\0AVIXmovi1\0"
    path.write_bytes(first + second)
    assert missing_bytes(path) == 0
    path.write_bytes(first + second[:12])
    assert missing_bytes(path) == 6
    path.write_bytes(first + second + b"what another program left there")
    assert missing_bytes(path) == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x1a\x45\xdf\xa3",
        b"\x1a\x45\xdf\xa3\x81\x00\x18\x53\x80\x67",
        b"\x1a\x45\xdf\xa3\x81\x00\x18\x53\x80\x67" + UNKNOWN + b"live",
        b"\0\0\0\x08free\0\0\0\0mdat" + bytes(40),
        b"\0\0\0\x08free\0\0\0\x01mdat",
        b"RIFF\xff\xff\xff\xffAVI ",
        b"RIFF\0\0\0\0AVI LIST",
        b"RIFF",
        MXF,
        MXF + b"\x83\0\0\x78" + bytes(120),  # a recording that goes on names no footer
        MXF + b"\x78" + bytes(20),
    ],
)
def test_what_says_no_size_lacks_nothing(tmp_path, data):
    """Live recordings, a last box up to the end, other containers, and stumps of a header."""
    path = tmp_path / "a.mkv"
    path.write_bytes(data)
    assert missing_bytes(path) == 0


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mkv", "ffv1"), ("a.avi", "ffv1"), ("a.mxf", "mpeg2video")]
)
def test_a_cut_movie_says_so(tmp_path, name, codec):
    """It was a shorter clip without a word: FFmpeg drops the part of a picture at its end."""
    spec = MovieSpec(codec=codec, frames=12, noise=40, rate=RATE)
    path = write_movie(tmp_path / name, spec)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    plate = open_plate(PlateOptions(path=str(path)), roots=Roots())
    said = [note for note in plate.notes if "cut short" in note]
    assert plate.last < 12
    assert len(said) == 1
    assert f"1-{plate.last}" in said[0]
    plate.close()
