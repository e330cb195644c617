"""Movies as plates: exact frames, in any order."""

from __future__ import annotations

import gc
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from gvm_client.errors import ErrorCode, InputError, JobCancelled
from gvm_server.errors import forget_traces
from gvm_server.media.file_access import LOOKER, Roots
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.movies import decoder
from gvm_server.media.plates.movies.decoder import MovieDecoder
from gvm_server.media.plates.movies.file import exact_rate
from gvm_server.media.plates.movies.indexing import index_movie
from gvm_server.media.plates.open import open_plate
from tests.fakes.plates import GREY_STEP, MovieSpec, write_movie

FRAMES = 40
UNEVEN = [index * 42 + (index % 3) * 13 for index in range(FRAMES)]

KINDS = {
    "b_frames.mp4": MovieSpec(),
    "open_gop.mp4": MovieSpec(options={"g": "12", "bf": "3", "x264-params": "open-gop=1"}),
    "vfr.mp4": MovieSpec(times=UNEVEN),
    "vfr.mkv": MovieSpec(times=UNEVEN),
    "late_start.mp4": MovieSpec(times=[time + 5000 for time in UNEVEN]),
    "packed.avi": MovieSpec(codec="mpeg4", options={"g": "12", "bf": "2", "b": "9000000"}),
    "stream.ts": MovieSpec(),
    "intra.mov": MovieSpec(codec="prores_ks", pixel_format="yuv422p10le", options={}),
    "lossless.mkv": MovieSpec(codec="ffv1", pixel_format="yuv444p", options={}),
    "no_times.mpg": MovieSpec(container="h264"),
    "decode_times.avi": MovieSpec(options={"g": "6", "bf": "2"}),
    "intra.avi": MovieSpec(codec="mjpeg", pixel_format="yuvj420p", options={}),
    "leading.mp4": MovieSpec(
        codec="libx265", options={"x265-params": "log-level=none:keyint=12:open-gop=1"}
    ),
    "hidden.webm": MovieSpec(
        codec="libvpx", options={"auto-alt-ref": "1", "lag-in-frames": "16", "b": "9000000"}
    ),
    "fragments.mp4": MovieSpec(container_options={"movflags": "frag_keyframe+empty_moov"}),
    "studio.mxf": MovieSpec(
        codec="dnxhd",
        pixel_format="yuv422p",
        width=256,
        height=120,
        options={"profile": "dnxhr_lb"},
    ),
    "ten_bits.mov": MovieSpec(codec="libx265", pixel_format="yuv420p10le"),
    "whole_colour.mkv": MovieSpec(pixel_format="yuv444p"),
    "animation.gif": MovieSpec(codec="gif", pixel_format="gray", options={}),
    "cut.mov": MovieSpec(times=[index * 42 for index in range(FRAMES)]),
    "groups.mxf": MovieSpec(codec="mpeg2video", options={"g": "12", "bf": "2", "b": "9000000"}),
}


def opened(path, **options: object):
    """Open a plate with these options."""
    return open_plate(PlateOptions(path=str(path), **options), roots=Roots())


def grey(frame_pixels):
    """Return the index that a test movie's frame has by its grey."""
    return round(float(frame_pixels.mean()) * 255 / GREY_STEP)


@pytest.fixture(params=KINDS)
def movie(request, tmp_path):
    """A movie of each kind, 40 frames."""
    return write_movie(tmp_path / request.param, KINDS[request.param])


def test_every_frame_is_exact_in_order_and_at_random(movie):
    """Frame n is the n-th shown, whatever times, B-frames and key frames say; and the same bits."""
    plate = opened(movie)
    assert (plate.first, plate.last, plate.missing()) == (1, FRAMES, [])
    in_order = [plate.read(frame).pixels for frame in range(1, FRAMES + 1)]
    assert [grey(pixels) for pixels in in_order] == list(range(FRAMES))
    shuffled = random.Random(1).sample(range(1, FRAMES + 1), FRAMES)
    for frame in shuffled:
        assert np.array_equal(plate.read(frame).pixels, in_order[frame - 1]), frame
    plate.close()


def test_threads_share_one_decoder(movie):
    """Several readers, out of order, get each its own frame."""
    plate = opened(movie)
    frames = [frame ^ 1 for frame in range(2, FRAMES)]
    with ThreadPoolExecutor(3) as pool:
        greys = [grey(read.pixels) for read in pool.map(plate.read, frames)]
    assert greys == [frame - 1 for frame in frames]
    plate.close()


def test_neighbours_out_of_order_cause_no_seek(tmp_path, monkeypatch):
    """Frame t + 1 before t is served from what is at hand, and reading on never goes back."""
    path = write_movie(tmp_path / "a.mp4")
    jumps = []
    monkeypatch.setattr(MovieDecoder, "_go_to", lambda _, key: jumps.append(key))
    movie = MovieDecoder(path, index_movie(path))
    assert all(movie.frame(index ^ 1) is not None for index in range(FRAMES))
    assert jumps == []
    movie.close()


def test_a_jump_decodes_from_the_key_frame_before(tmp_path):
    """Not from the start of the movie: a jump costs at most one group of pictures."""
    path = write_movie(
        tmp_path / "a.mp4", MovieSpec(options={"g": "10", "bf": "2", "sc_threshold": "0"})
    )
    index = index_movie(path)
    assert list(index.key_frames) == [0, 10, 20, 30]
    movie = MovieDecoder(path, index)
    movie.frame(35)
    assert min(movie._at_hand) >= 28
    movie.close()


def test_few_frames_are_held(tmp_path):
    """However many are read, a handful stays in memory."""
    path = write_movie(tmp_path / "a.mp4")
    movie = MovieDecoder(path, index_movie(path))
    for index in range(FRAMES):
        movie.frame(index)
    assert len(movie._at_hand) == decoder.AT_HAND
    movie.close()


def test_the_clip_is_trimmed_by_frame_numbers_of_the_movie(tmp_path):
    """First and last are numbers within the movie; outside it is an error."""
    path = write_movie(tmp_path / "a.mp4")
    plate = opened(path, first=10, last=12)
    assert [grey(plate.read(frame).pixels) for frame in (10, 11, 12)] == [9, 10, 11]
    with pytest.raises(InputError) as caught:
        plate.read(13)
    assert caught.value.code is ErrorCode.RANGE_OUTSIDE
    for extent in ({"first": 0}, {"last": FRAMES + 1}):
        with pytest.raises(InputError, match=f"1-{FRAMES}") as caught:
            opened(path, **extent)
        assert caught.value.code is ErrorCode.RANGE_OUTSIDE


def test_the_header_has_size_and_rate(tmp_path):
    """Every frame shares it."""
    plate = opened(write_movie(tmp_path / "a.mp4"))
    header = plate.header(5)
    assert (header.display.width, header.display.height) == (64, 48)
    assert header.data == header.display
    assert header.frame_rate == (24, 1)
    assert header.pixel_aspect == 1.0
    assert plate.read(5).header == header
    assert plate.colour.name == "rec709"


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("matrix", [1, 4, 5, 6, 7, 9])
def test_matrix_and_range_of_the_stream_are_respected(tmp_path, matrix, full_range):
    """The same colour comes back from every matrix, of video and of full range."""
    colour = (200, 80, 40)
    spec = MovieSpec(
        frames=2,
        pixel_format="yuv444p",
        options={"qp": "1"},
        colour=colour,
        matrix=matrix,
        full_range=full_range,
    )
    plate = opened(write_movie(tmp_path / "a.mp4", spec))
    mean = plate.read(1).pixels.mean(axis=(0, 1)) * 255
    assert np.abs(mean - np.array(colour)).max() < 2.5


def test_ten_bits_stay_more_than_eight(tmp_path):
    """A 10-bit movie has values that 8 bits cannot hold."""
    spec = MovieSpec(
        frames=2, codec="prores_ks", pixel_format="yuv422p10le", options={}, colour=(90, 120, 33)
    )
    pixels = opened(write_movie(tmp_path / "a.mov", spec)).read(1).pixels
    steps = pixels * 255
    assert np.abs(steps - np.round(steps)).max() > 0.05
    assert np.abs(pixels.mean(axis=(0, 1)) * 255 - (90, 120, 33)).max() < 2.5


@pytest.mark.parametrize(("rotation", "white"), [(90, "bottom"), (-90, "top"), (180, "right")])
def test_a_turned_movie_comes_upright(tmp_path, rotation, white):
    """A phone's display matrix is applied; the left half of the stored frames is white."""
    plate = opened(write_movie(tmp_path / "a.mp4", MovieSpec(frames=3, rotation=rotation)))
    read = plate.read(1)
    height, width = read.pixels.shape[:2]
    assert (height, width) == ((48, 64) if rotation == 180 else (64, 48))
    assert (read.header.data.height, read.header.data.width) == (height, width)
    halves = {
        "top": read.pixels[: height // 2],
        "bottom": read.pixels[height // 2 :],
        "left": read.pixels[:, : width // 2],
        "right": read.pixels[:, width // 2 :],
    }
    assert max(halves, key=lambda half: halves[half].mean()) == white


@pytest.mark.parametrize(
    "matrix",
    [
        *((1, 0, 0, 1), (-1, 0, 0, 1), (-1, 0, 0, -1), (1, 0, 0, -1)),
        *((0, 1, 1, 0), (0, 1, -1, 0), (0, -1, -1, 0), (0, -1, 1, 0)),
    ],
)
def test_all_eight_display_matrices_are_followed(tmp_path, matrix):
    """X' = a x + c y, y' = b x + d y: turned and mirrored, as a player shows it."""
    a, b, c, d = matrix
    whole = [value << 16 for value in (a, b, 0, c, d, 0, 0, 0)] + [1 << 30]
    spec = MovieSpec(frames=2, options={"qp": "4"}, matrix_of_display=whole)
    plate = opened(write_movie(tmp_path / "a.mp4", spec))
    stored = {(-1, -1): 60, (1, -1): 120, (-1, 1): 180, (1, 1): 240}  # corners, from the middle
    shown = {(a * x + c * y, b * x + d * y): grey for (x, y), grey in stored.items()}
    pixels = plate.read(1).pixels.mean(axis=2) * 255
    height, width = pixels.shape
    assert (width, height) == ((64, 48) if a else (48, 64))
    for (x, y), grey in shown.items():
        place = height // 2 + y * height // 4, width // 2 + x * width // 4
        assert abs(pixels[place] - grey) < 6, (x, y)


@pytest.mark.parametrize(
    ("rate", "text", "expected"),
    [
        (Fraction(24), "10:00:00:12", 0x10000015),
        (Fraction(30000, 1001), "01:00:59;28", 0x01010043),
        (Fraction(25), "00:00:00:23", 0x00000101),
    ],
)
def test_rate_aspect_and_timecode_come_with_every_frame(tmp_path, rate, text, expected):
    """The timecode track's, counted on by the frame's number; drop-frame numbers too."""
    spec = MovieSpec(frames=5, rate=rate, timecode=text, aspect=Fraction(2))
    plate = opened(write_movie(tmp_path / "a.mov", spec))
    header = plate.header(4)
    assert header.frame_rate == (rate.numerator, rate.denominator)
    assert header.pixel_aspect == 2.0
    assert header.timecode is not None
    assert header.timecode[0] == expected
    assert plate.read(4).header == header
    assert plate.header(1).timecode != header.timecode


@pytest.mark.parametrize(
    ("average", "exact"),
    [
        (Fraction(2997, 125), Fraction(24000, 1001)),
        (Fraction(30000, 1001), Fraction(30000, 1001)),
        (Fraction(24), Fraction(24)),
        (Fraction(59940, 1000), Fraction(60000, 1001)),
        (Fraction(25001, 1000), Fraction(25)),
        (Fraction(35, 2), Fraction(35, 2)),
    ],
)
def test_a_rate_is_the_one_that_was_meant(average, exact):
    """23.976 is 24000/1001 and never 24."""
    assert exact_rate(average) == exact


def test_a_thumbnail_or_a_cover_is_not_the_movie(tmp_path):
    """Drones keep a one-picture stream first, marked as the default."""
    path = tmp_path / "a.mov"
    with av.open(str(path), "w") as container:
        small = container.add_stream("mjpeg", rate=24)
        small.width, small.height, small.pix_fmt = 128, 96, "yuvj420p"
        main = container.add_stream("libx264", rate=24)
        main.width, main.height, main.pix_fmt = 64, 48, "yuv420p"
        for index in range(6):
            picture = np.full((48, 64, 3), index * GREY_STEP, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = index
            if index == 0:
                container.mux(small.encode(frame.reformat(128, 96, "yuvj420p")))
            container.mux(main.encode(frame))
        container.mux(small.encode())
        container.mux(main.encode())
    plate = opened(path)
    assert (plate.first, plate.last) == (1, 6)
    assert [grey(plate.read(frame).pixels) for frame in (1, 6)] == [0, 5]
    assert any("stream 1 is read, h264 of 64x48" in note for note in plate.notes)


def test_a_title_that_is_no_utf8_is_no_trouble(tmp_path):
    """Old cameras and editors write Latin-1; the pictures are whole."""
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "Premiere"
        stream = container.add_stream("mpeg4", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(picture))
        container.mux(stream.encode())
    data = path.read_bytes()
    assert data.count(b"Premiere") == 1
    path.write_bytes(data.replace(b"Premiere", b"Premi\xe8re"))
    assert opened(path).read(1).pixels.shape == (48, 64, 3)


def test_a_movie_that_nothing_here_decodes_is_named(tmp_path):
    """A codec of tomorrow, or a damaged name of one."""
    path = write_movie(tmp_path / "b_frames.mp4", KINDS["b_frames.mp4"])
    path.write_bytes(path.read_bytes().replace(b"avc1\0\0\0", b"zzz1\0\0\0"))
    with pytest.raises(InputError, match="nothing here decodes") as caught:
        opened(path)
    assert caught.value.path == str(path)


@pytest.mark.parametrize(
    "script",
    [
        "ffconcat version 1.0\nfile {}\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n",
    ],
)
@pytest.mark.parametrize("ending", ["mov", "mkv", "ts"])
def test_a_playlist_that_calls_itself_a_movie_is_none(tmp_path, script, ending):
    """It would read other files, which may lie outside the folder that a server is confined to."""
    secret = write_movie(tmp_path / "secret.ts", KINDS["stream.ts"])
    path = tmp_path / f"plate.{ending}"
    path.write_text(script.format(secret.name))
    with pytest.raises(InputError) as caught:
        opened(path)
    assert caught.value.code is ErrorCode.PLATE_UNREADABLE


def test_a_closed_movie_reads_no_more(tmp_path):
    """A reader that comes too late is told so: the file behind it is gone."""
    plate = opened(write_movie(tmp_path / "a.mp4"))
    plate.close()
    plate.close()
    with pytest.raises(JobCancelled):
        plate.read(3)


@pytest.fixture
def threads(monkeypatch) -> Iterator[Callable[[], int]]:
    """Count the threads since the test began, the libraries' too; nothing is collected meanwhile.

    Those of earlier tests may end at any time. Those that wait to look at files are not a movie's:
    how many there are is the probe's to say. One that was joined stands in /proc a moment longer.
    """
    if not Path("/proc/self/task").is_dir():
        pytest.skip("only Linux lists a process's threads")

    def alive() -> set[str]:
        looking = {str(each.native_id) for each in threading.enumerate() if each.name == LOOKER}
        return {path.name for path in Path("/proc/self/task").iterdir()} - looking

    def count() -> int:
        now, seen = alive() - earlier, None
        while now != seen:
            time.sleep(0.02)
            now, seen = alive() - earlier, now
        return len(now)

    gc.collect()
    gc.disable()
    earlier = alive()
    yield count
    gc.enable()


def test_a_closed_movie_has_no_threads_left(tmp_path, threads):
    """Neither the codec's nor the colour conversion's wait for the garbage collector."""
    path = write_movie(tmp_path / "a.mp4")
    before = threads()
    plate = opened(path)
    for frame in (3, 30, 1):
        plate.read(frame)
    assert threads() > before, "one thread decodes: nothing is proven"
    plate.close()
    assert threads() == before


def test_a_close_waits_for_no_reader(tmp_path, threads, monkeypatch):
    """Who closes may be the thread that hears all clients; the reader lets the codec go."""
    plate = opened(write_movie(tmp_path / "a.mp4"))
    before = threads()
    decoding, go_on = threading.Event(), threading.Event()
    real = MovieDecoder._run_to

    def slow(self, index):
        decoding.set()
        assert go_on.wait(20)
        return real(self, index)

    monkeypatch.setattr(MovieDecoder, "_run_to", slow)
    reader = threading.Thread(target=plate.read, args=(30,))
    reader.start()
    assert decoding.wait(20)
    plate.close()
    assert reader.is_alive()
    go_on.set()
    reader.join(20)
    assert threads() < before
    with pytest.raises(JobCancelled):
        plate.read(3)


def test_a_movie_that_cannot_be_had_has_no_threads_left(tmp_path, threads):
    """It was opened and decoded before its colour space, or its extent, proved to be wrong."""
    path = write_movie(tmp_path / "a.mp4")
    before = threads()
    refused = []
    for options in ({"colourspace": "of the moon"}, {"last": 41}):
        with pytest.raises(InputError) as caught:
            opened(path, **options)
        refused.append(caught.value)  # as one who tells of it later
    forget_traces(refused[-1])
    assert threads() == before


def test_a_picture_goes_when_nobody_needs_it(tmp_path, threads):
    """Half a second of a 4K movie would be half a gigabyte that waits to be collected."""
    gc.collect()  # what other tests left
    before = _pictures()
    plate = opened(write_movie(tmp_path / "a.mp4"))
    for frame in range(1, 41):
        plate.read(frame)
    assert _pictures() - before < 2 * decoder.AT_HAND  # some are still in the decoder
    plate.close()


def _pictures() -> int:
    # Not by isinstance: some of PyTorch's objects warn when they are asked for their class.
    return sum(type(thing) is VideoFrame for thing in gc.get_objects())


def test_interlaced_material_is_said_aloud(tmp_path):
    """Two fields in one picture comb at moving edges."""
    spec = MovieSpec(codec="mpeg2video", frames=3, options={"flags": "+ildct+ilme"})
    assert any("interlaced" in note for note in opened(write_movie(tmp_path / "a.mov", spec)).notes)
    assert not any("interlaced" in n for n in opened(write_movie(tmp_path / "b.mov")).notes)


PULLDOWN = [index * 42 + (index % 4 == 3) * 20 for index in range(FRAMES)]


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ([0, 100, 130, 400, 401, 900], "up to 2.8 times"),
        ([*range(0, 800, 40), *range(800, 2400, 80)], "up to 1.3 times"),  # half of it at 12.5
        (PULLDOWN, ""),
        (UNEVEN, ""),  # by less than half a picture
        ([round(index * 1000 / 23.976) for index in range(FRAMES)], ""),
        ([0, 500], ""),
    ],
)
@pytest.mark.parametrize("kind", ["mov", "mkv"])
def test_a_rate_that_varies_is_said(tmp_path, kind, times, said):
    """What is made of it has one rate, and would run out of step with it in silence."""
    spec = MovieSpec(frames=len(times), times=times)
    notes = opened(write_movie(tmp_path / f"a.{kind}", spec)).notes
    assert [said in note for note in notes if "varies" in note] == [True] * bool(said)


def test_keys_are_the_files_version_and_the_frame(tmp_path):
    """Another frame or a touched file is another key."""
    path = write_movie(tmp_path / "a.mp4")
    plate = opened(path)
    key = plate.key(3)
    assert len(key) == 16
    assert key == opened(path).key(3) == opened(path, first=2).key(3)
    assert key != plate.key(4)
    os.utime(path, ns=(1, 1))
    assert opened(path).key(3) != key
    with pytest.raises(InputError, match="Frame 3 changed") as caught:
        plate.read(3)
    assert (caught.value.frame, caught.value.code) == (3, ErrorCode.PLATE_MISMATCH)


@pytest.mark.parametrize("name", ["empty.mp4", "junk.mov", "cut.mp4", "sound.mp4", "gone.mp4"])
def test_what_is_no_whole_movie_says_so(tmp_path, name):
    """Empty, junk, cut before its index, without video, not there: the path and a remedy."""
    path = tmp_path / name
    if name == "empty.mp4":
        path.touch()
    elif name == "junk.mov":
        path.write_bytes(os.urandom(5000))
    elif name == "cut.mp4":
        whole = write_movie(path).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif name == "sound.mp4":
        _write_sound(path)
    with pytest.raises(InputError) as caught:
        opened(path)
    expected = ErrorCode.PLATE_MISSING if name == "gone.mp4" else ErrorCode.PLATE_UNREADABLE
    assert caught.value.code is expected
    assert str(path) in caught.value.message
    assert caught.value.remedy


def test_a_movie_cut_short_after_its_index_is_refused(tmp_path):
    """The index promises more frames than the file has: said when it is opened."""
    spec = MovieSpec(container_options={"movflags": "faststart"})
    path = write_movie(tmp_path / "a.mp4", spec)
    whole = path.read_bytes()
    assert whole.find(b"moov") < whole.find(b"mdat"), "the fixture's index must come first"
    os.truncate(path, path.stat().st_size * 3 // 4)
    with pytest.raises(InputError, match="of 40 frames") as caught:
        opened(path)
    assert caught.value.code is ErrorCode.PLATE_UNREADABLE


def test_a_movie_without_frames_is_refused(tmp_path):
    """A container with a video stream and nothing in it."""
    path = write_movie(tmp_path / "a.mkv", MovieSpec(frames=0))
    with pytest.raises(InputError) as caught:
        opened(path)
    assert caught.value.code is ErrorCode.PLATE_UNREADABLE


def _write_sound(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate = 48000
        stream.layout = "mono"
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
