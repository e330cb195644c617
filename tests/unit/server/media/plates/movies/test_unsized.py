"""What a cut file lacks whose container says no size of the whole: the last link of its chain."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from gvm_server.media.file_access import Roots
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.movies.shortfall import missing_bytes
from gvm_server.media.plates.open import open_plate
from tests.fakes.plates import MovieSpec, write_movie

PLAIN = MovieSpec(frames=24, noise=40, rate=Fraction(25), options={"g": "6"})
KINDS = {
    "a.ts": PLAIN,
    "b.m2ts": replace(
        PLAIN, container="mpegts", container_options={"mpegts_m2ts_mode": "1"}, codec="mpeg2video"
    ),
    "c.gif": replace(PLAIN, codec="gif", pixel_format="rgb8", options={}),
    "d.mpg": replace(PLAIN, codec="mpeg2video", options={"g": "12", "bf": "2"}),
    "e.mpg": replace(PLAIN, codec="mpeg1video", container="mpeg"),
    "f.wmv": replace(PLAIN, codec="wmv2", options={}),
    "g.flv": replace(PLAIN, codec="flv", options={}),
    "h.ogv": replace(PLAIN, codec="libvpx", container="ogg", options={}),
    "i.mp4": replace(PLAIN, container_options={"movflags": "frag_keyframe+empty_moov"}),
    "j.mp4": replace(
        PLAIN, container_options={"movflags": "dash+global_sidx+frag_keyframe+skip_trailer"}
    ),
}


def notes_of(path: Path) -> tuple[int, list[str]]:
    """Return a movie's last frame, and what is said of its end."""
    plate = open_plate(PlateOptions(path=str(path)), roots=Roots())
    try:
        return plate.last, [note for note in plate.notes if "cut short" in note]
    finally:
        plate.close()


@pytest.mark.parametrize("name", KINDS)
def test_a_whole_file_lacks_nothing_and_a_cut_one_what_its_last_link_does(tmp_path, name):
    """However much of it is there; what another program left behind a whole one is no matter."""
    path = write_movie(tmp_path / name, KINDS[name])
    data = path.read_bytes()
    assert missing_bytes(path) == 0
    for cut in range(len(data) // 3, len(data) - 2, len(data) // 7 + 1):
        path.write_bytes(data[: cut | 1])
        lacks = missing_bytes(path)
        assert 0 < lacks <= len(data) - (cut | 1), cut
    path.write_bytes(data + bytes(300))
    assert missing_bytes(path) == 0


@pytest.mark.parametrize("name", KINDS)
def test_a_cut_movie_says_so_and_a_whole_one_nothing(tmp_path, name):
    """It was a shorter clip without a word."""
    path = write_movie(tmp_path / name, KINDS[name])
    assert notes_of(path) == (24, [])
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10 | 1])
    last, said = notes_of(path)
    assert last < 24
    assert len(said) == 1
    assert f"1-{last}" in said[0]


def test_a_file_that_was_cut_before_a_fragment_is_told_by_its_index_alone(tmp_path):
    """Without one its whole boxes are a shorter movie's, which is said in the guide."""
    for name, is_known in (("i.mp4", False), ("j.mp4", True)):
        path = write_movie(tmp_path / name, KINDS[name])
        data = path.read_bytes()
        path.write_bytes(data[: data.rindex(b"moof") - 4])
        last, said = notes_of(path)
        assert last < 24
        assert (missing_bytes(path) > 0) == bool(said) == is_known


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a",
        b"GIF89a" + bytes(7) + b"?",
        b"GIF89a" + bytes(7) + b";left behind",
        b"FLV\1\1\0\0\0\x09\0\0\0\0?" + bytes(20),
        b"\0\0\1\xba" + bytes(30),
        b"OggS",
        b"OggS" + bytes(23) + b"?",
        b"G" * 187,
        (b"G" + bytes(187)) * 20 + b"left behind",
        b"\0\0\0\x10sidx" + bytes(8),
        bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"),
    ],
)
def test_what_does_not_hold_says_nothing(tmp_path, data):
    """Stumps of a header, other contents, and bytes behind a whole file."""
    path = tmp_path / "a.gif"
    path.write_bytes(data)
    assert missing_bytes(path) == 0


def test_a_gif_is_known_by_its_blocks(tmp_path):
    """With tables of colours, extensions and images; the trailer alone may be missing."""
    head = b"GIF89a" + b"\1\0\1\0" + b"\x80\0\0" + bytes(6)
    blocks = b"!\xf9\4\0\0\0\0\0" + b",\0\0\0\0\1\0\1\0\x80" + bytes(6) + b"\2\2\x44\1\0"
    path = tmp_path / "a.gif"
    path.write_bytes(head + blocks + b";")
    assert missing_bytes(path) == 0
    for lacks in range(1, len(blocks) + 1):
        path.write_bytes((head + blocks + b";")[:-lacks])
        assert 0 < missing_bytes(path) <= lacks
