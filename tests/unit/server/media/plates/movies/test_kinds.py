"""Movies of every kind, edited, joined, cut and damaged: what is read is what a decoder shows."""

from __future__ import annotations

import os
import random
from contextlib import closing
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest
from av.stream import Disposition

from gvm_client.errors import ErrorCode, InputError
from gvm_client.settings import PlateKeys
from gvm_server.media.file_access import Roots
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.movies import indexing
from gvm_server.media.plates.movies.file import open_movie
from gvm_server.media.plates.movies.indexing import index_movie
from gvm_server.media.plates.open import open_plate
from gvm_server.media.store.memo import Memo
from tests.fakes.movies import (
    write_edited,
    write_late_b_frames,
    write_with_double_times,
)
from tests.fakes.plates import MovieSpec, number_in, numbered_picture, write_movie

FRAMES = 40
UNEVEN = [index * 42 + (index % 3) * 13 for index in range(FRAMES)]
MPEG2 = {"g": "12", "bf": "2", "b": "9000000"}
NO_WAIT = {"g": "12", "bf": "0"}
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov"}
WRAP = 2**33 / 90_000  # seconds after which a transport stream's clock begins anew

WHOLE = {
    "mpeg4.ts": MovieSpec(codec="mpeg4", options=MPEG2),
    "open_gop.ts": MovieSpec(codec="mpeg2video", options={**MPEG2, "flags": "-cgop"}),
    "b_frames.mpg": MovieSpec(codec="mpeg2video", rate=Fraction(25), options=MPEG2),
    "b_frames.flv": MovieSpec(),
    "b_frames.wmv": MovieSpec(codec="wmv2", options={"g": "12"}),
    "started.ts": MovieSpec(container_options={"output_ts_offset": "3600"}),
    "clock_begins_anew.ts": MovieSpec(container_options={"output_ts_offset": str(WRAP - 0.8)}),
    "uneven_fragments.mp4": MovieSpec(times=UNEVEN, container_options=FRAGMENTS),
    "uneven.gif": MovieSpec(codec="gif", pixel_format="gray", options={}, times=UNEVEN),
    "refreshed.mkv": MovieSpec(options={**NO_WAIT, "x264-params": "intra-refresh=1"}),
    "ten_bits.mkv": MovieSpec(pixel_format="yuv422p10le"),
    "ten_whole.mp4": MovieSpec(pixel_format="yuv444p10le"),
    "four.mov": MovieSpec(codec="prores_ks", pixel_format="yuva444p10le", options={}),
    "whole_colour.mxf": MovieSpec(
        codec="dnxhd",
        pixel_format="yuv444p10le",
        width=256,
        height=120,
        options={"profile": "dnxhr_444"},
    ),
}

ONE = {
    **{f"one.{ending}": MovieSpec(frames=1) for ending in ("mp4", "mov", "mkv", "ts", "avi")},
    "one.mxf": MovieSpec(frames=1, codec="mpeg2video", options=MPEG2),
    "one.gif": MovieSpec(frames=1, codec="gif", pixel_format="gray", options={}),
}

# No picture waits for a later one: each frame that is there has its number in the whole movie.
TO_CUT = {
    "a.ts": MovieSpec(options=NO_WAIT),
    "b.ts": MovieSpec(codec="mpeg2video", options={**MPEG2, "bf": "0"}),
    "c.ts": MovieSpec(
        codec="libx265", options={"x265-params": "log-level=none:keyint=12:bframes=0"}
    ),
    "a.mkv": MovieSpec(options=NO_WAIT),
    "a.mxf": MovieSpec(codec="mpeg2video", options={**MPEG2, "bf": "0"}),
    "b.mxf": MovieSpec(codec="prores_ks", pixel_format="yuv422p10le", options={}),
    "a.flv": MovieSpec(options=NO_WAIT),
    "a.mp4": MovieSpec(options=NO_WAIT, container_options=FRAGMENTS),
    "a.avi": MovieSpec(codec="mjpeg", pixel_format="yuvj420p", options={}),
}


def opened(path, **options: object):
    """Open a plate with these options."""
    return open_plate(PlateOptions(path=str(path), **options), roots=Roots())


def written(path, spec, *, noise=0):
    """Write a movie whose frames carry their index; noise makes each worth some bytes."""
    return write_movie(path, replace(spec, numbered=True, noise=noise))


def shown(path):
    """Return what a decoder shows from the start to the end, as greys."""
    container, stream = open_movie(path)
    with container:
        pictures = (frame.to_ndarray(format="rgb24") for frame in container.decode(stream))
        return [number_in(picture / 255) for picture in pictures]


def check(path):
    """Prove that a movie is what a decoder shows: in order, backwards and at random; return it."""
    expected = shown(path)
    plate = opened(path)
    frames = range(1, plate.last + 1)
    in_order = [plate.read(frame).pixels for frame in frames]
    assert [number_in(pixels) for pixels in in_order] == expected
    for frame in (*reversed(frames), *random.Random(2).choices(frames, k=len(frames))):
        assert np.array_equal(plate.read(frame).pixels, in_order[frame - 1]), frame
    plate.close()
    for frame in {1, plate.last // 2 or 1, plate.last}:  # the first that is read
        plate = opened(path, first=frame)
        assert np.array_equal(plate.read(frame).pixels, in_order[frame - 1]), frame
        plate.close()
    return expected


@pytest.mark.parametrize("kind", [*WHOLE, *ONE])
def test_every_frame_is_the_one_that_a_decoder_shows(tmp_path, kind):
    """Whatever the container, the codec, its times and its start."""
    spec = (WHOLE | ONE)[kind]
    assert check(written(tmp_path / kind, spec)) == list(range(spec.frames))


@pytest.mark.parametrize("codec", ["libx264", "prores_ks"])
@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ([(30, 5)], range(5, 35)),
        ([(20, 0)], range(20)),
        ([(15, 13)], range(13, 28)),
        ([(6, -1), (34, 0)], range(34)),
        ([(10, 2), (10, 25)], None),
        ([(10, 25), (10, 2)], None),
        ([(10, 5), (10, 5)], None),
    ],
)
def test_an_edit_list_says_what_is_shown(tmp_path, codec, edits, expected):
    """Its head, its tail or its middle left out, begun late, in another order, twice."""
    prores = MovieSpec(codec=codec, pixel_format="yuv422p10le", options={})
    path = tmp_path / "a.mov"
    write_edited(
        path, replace(prores if codec == "prores_ks" else MovieSpec(), numbered=True), edits
    )
    numbers = check(path)
    assert 0 < len(numbers) < FRAMES
    if expected is not None:
        assert numbers == list(expected)


@pytest.mark.parametrize("kind", ["a.mkv", "b.mkv"])
@pytest.mark.parametrize("doubles", [(1,), (5,), (20,), (3, 4, 5, 20, 21, 30)])
def test_frames_of_one_time_are_all_there(tmp_path, kind, doubles):
    """Where a time does not tell which frame it is, they are counted."""
    spec = MovieSpec(options=NO_WAIT)
    if kind == "b.mkv":
        spec = MovieSpec(codec="mjpeg", pixel_format="yuvj420p", options={})
    path = write_with_double_times(tmp_path / kind, spec, doubles)
    assert check(path) == list(range(FRAMES))


@pytest.mark.parametrize("kind", ["open_gop.ts", "mpeg4.ts", "started.ts"])
def test_joined_and_headless_streams_are_what_a_decoder_shows(tmp_path, kind):
    """Two files in one, whose times begin anew; and one whose first pictures have no key."""
    data = written(tmp_path / kind, WHOLE[kind], noise=40).read_bytes()
    joined, headless = tmp_path / "joined.ts", tmp_path / "headless.ts"
    joined.write_bytes(data + data)
    assert check(joined) == [*range(FRAMES), *range(FRAMES)]
    headless.write_bytes(data[len(data) // 188 // 2 * 188 :])
    assert check(headless)


@pytest.mark.parametrize("codec", ["mpeg1video", "mpeg2video"])
@pytest.mark.parametrize("noise", [20, 40])
@pytest.mark.parametrize("options", [{"g": "6"}, {"g": "4", "bf": "1"}, MPEG2])
def test_a_program_stream_s_small_pictures_are_in_their_places(tmp_path, codec, noise, options):
    """Several lie in one packet, and have guessed times after a seek: others were handed out.

    Whole files were called cut short too, and their last pictures left out.
    """
    spec = MovieSpec(
        codec=codec, frames=30, rate=Fraction(25), options=options, noise=noise, numbered=True
    )
    path = write_movie(tmp_path / "a.mpg", spec)
    with closing(open_plate(PlateOptions(path=str(path)), roots=Roots())) as plate:
        assert plate.last == 30
        assert not [note for note in plate.notes if "cut short" in note]
        asked = (29, 3, 20, 27, 11, 30, 8, 24, 1, 16)
        assert [number_in(plate.read(frame).pixels) + 1 for frame in asked] == list(asked)


@pytest.mark.parametrize(("ending", "first"), [("mov", 20), ("mkv", 0), ("ts", 0)])
def test_of_two_tracks_the_one_that_ffmpeg_takes_is_the_movie(tmp_path, ending, first):
    """The one that is marked, as a mov's first is, or the larger; wherever the packets lie."""
    path = tmp_path / f"a.{ending}"
    with av.open(str(path), "w") as container:
        tracks = [container.add_stream("libx264", rate=25, options={"g": "9"}) for _ in range(2)]
        for track, (width, height) in zip(tracks, [(64, 48), (128, 96)], strict=True):
            track.width, track.height, track.pix_fmt = width, height, "yuv420p"
        for index in range(20):
            for track, number in zip(tracks, (index + 20, index), strict=True):
                picture = numbered_picture(number, track.width, track.height)
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts = index
                container.mux(track.encode(frame))
        for track in tracks:
            container.mux(track.encode())
    assert check(path) == list(range(first, first + 20))


def test_a_cover_is_not_the_movie(tmp_path):
    """It is larger than the picture, and comes first."""
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=24)
        cover.width, cover.height, cover.pix_fmt = 320, 240, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        main = container.add_stream("libx264", rate=24)
        main.width, main.height, main.pix_fmt = 64, 48, "yuv420p"
        for index in range(20):
            picture = numbered_picture(index, 64, 48)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = index
            if index == 0:
                container.mux(cover.encode(frame.reformat(320, 240, "yuvj420p")))
            container.mux(main.encode(frame))
        container.mux(cover.encode())
        container.mux(main.encode())
    assert check(path) == list(range(20))


@pytest.mark.parametrize("part", [0.97, 0.8, 0.613, 0.35])
@pytest.mark.parametrize("kind", TO_CUT)
def test_a_movie_cut_short_has_the_frames_that_are_whole(tmp_path, kind, part):
    """Each is the whole movie's, bit for bit; half a picture is none, and the artist is told."""
    whole, cut = tmp_path / kind, tmp_path / f"cut_{kind}"
    data = written(whole, TO_CUT[kind], noise=40).read_bytes()
    cut.write_bytes(data[: int(len(data) * part)])
    plate, other = opened(whole), opened(cut, keys=PlateKeys.CONTENT)
    assert 0 < other.last <= (FRAMES if part > 0.9 else FRAMES - 1)
    frames = range(1, other.last + 1)
    for frame in (*frames, *reversed(frames)):
        assert np.array_equal(plate.read(frame).pixels, other.read(frame).pixels), frame
    assert len({other.key(frame) for frame in frames}) == other.last
    lost = index_movie(cut).lost
    said = f"frames 1-{other.last} are whole, {lost} after them are not"
    assert any(said in note for note in other.notes) == (lost > 0)
    plate.close()
    other.close()


def test_half_a_picture_at_the_end_is_said(tmp_path):
    """Cut within the last frame: which are whole, and how many are not."""
    path = written(tmp_path / "a.ts", TO_CUT["a.ts"], noise=40)
    os.truncate(path, path.stat().st_size // 188 * 188 - 2 * 188)
    plate = opened(path)
    assert plate.last == FRAMES - 1
    assert any("frames 1-39 are whole, 1 after them" in note for note in plate.notes)


def test_no_damaged_frame_passes_for_a_whole_one(tmp_path):
    """Noise in the middle: the frame that has it fails with its number, as do those made of it."""
    path = written(tmp_path / "a.mxf", TO_CUT["a.mxf"], noise=40)
    plate = opened(path)
    before = [plate.read(frame).pixels for frame in range(1, FRAMES + 1)]
    with av.open(str(path)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][20]
    data = bytearray(path.read_bytes())
    at = data.index(bytes(packet)) + packet.size // 3
    data[at : at + 300] = np.random.default_rng(5).bytes(300)
    path.write_bytes(data)
    plate = opened(path)
    failed = [frame for frame in range(1, plate.last + 1) if not reads(plate, frame, before)]
    assert failed == list(range(failed[0], failed[-1] + 1))
    assert 0 < len(failed) < 13


def test_a_table_that_is_wrong_from_some_frame_on_is_counted_once_and_kept(tmp_path, monkeypatch):
    """The header knows no B-frames, and they come after the first pictures were proven."""
    times = [index * 40 + (index % 3) * 13 * (index >= 20) for index in range(FRAMES)]
    path = write_late_b_frames(tmp_path / "a.mp4", times, 20)
    monkeypatch.setattr(indexing, "_KNOWN", indexing._Memory())
    believed = index_movie(path, Memo(tmp_path / "cache"))
    assert believed.times is not None, "the table must be believed at first"
    assert not set(shown_times(path)) <= set(believed.times.tolist()), "and be wrong"
    counts = []
    count = indexing._by_counting
    monkeypatch.setattr(indexing, "_by_counting", lambda path: counts.append(1) or count(path))
    for _ in range(2):  # servers
        plate = opened(path, memo=Memo(tmp_path / "cache"))
        key = plate.key(30)
        for frame in (5, 40, 33, 21, 25, 20, 1, 39, 22):
            assert number_in(plate.read(frame).pixels) == frame - 1
        assert plate.key(30) == key
        plate.close()
        monkeypatch.setattr(indexing, "_KNOWN", indexing._Memory())
    assert counts == [1]


def shown_times(path):
    """Return when each picture is shown."""
    with av.open(str(path)) as container:
        return [frame.pts for frame in container.decode(video=0)]


def reads(plate, frame, before):
    """Return whether a frame is read, and then is the one that it was; else it is said damaged."""
    try:
        pixels = plate.read(frame).pixels
    except InputError as error:
        found = (error.code, error.frame, "damaged" in error.message)
        assert found == (ErrorCode.PLATE_UNREADABLE, frame, True)
        return False
    assert np.array_equal(pixels, before[frame - 1]), frame
    return True
