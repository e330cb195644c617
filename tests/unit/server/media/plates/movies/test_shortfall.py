"""What a movie's file lacks, by the sizes that its container wrote down."""

from __future__ import annotations

import pytest

from gvm_server.media.file_access import Roots
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.movies.shortfall import missing_bytes
from gvm_server.media.plates.open import open_plate
from tests.fakes.plates import MovieSpec, write_movie

UNKNOWN = b"\x01" + b"\xff" * 7


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.mov"])
def test_a_whole_file_lacks_nothing_and_a_cut_one_what_was_cut(tmp_path, name):
    """By the segment's size, and by the last box's."""
    path = write_movie(tmp_path / name, MovieSpec(frames=12))
    data = path.read_bytes()
    assert missing_bytes(path) == 0
    path.write_bytes(data[:-100])
    assert missing_bytes(path) == 100


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
    ],
)
def test_what_says_no_size_lacks_nothing(tmp_path, data):
    """Live recordings, a last box up to the end, other containers, and stumps of a header."""
    path = tmp_path / "a.mkv"
    path.write_bytes(data)
    assert missing_bytes(path) == 0


def test_a_cut_matroska_movie_says_so(tmp_path):
    """It was a shorter clip without a word: FFmpeg drops the part of a picture at its end."""
    path = write_movie(tmp_path / "a.mkv", MovieSpec(codec="ffv1", frames=12, noise=40))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    plate = open_plate(PlateOptions(path=str(path)), roots=Roots())
    said = [note for note in plate.notes if "cut short" in note]
    assert plate.last < 12
    assert len(said) == 1
    assert f"1-{plate.last}" in said[0]
    plate.close()
