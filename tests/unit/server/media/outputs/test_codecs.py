"""Movies in each codec: every frame, every code value, and the tags, as FFmpeg reads them back."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from pymediainfo import MediaInfo

from gvm_client.errors import SettingsError
from gvm_server.media.geometry import Box, FrameHeader
from gvm_server.media.outputs.codecs import MovieCodec, encoding_of
from gvm_server.media.outputs.movie import MovieShape, writing_movie
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.movies.file import timecode_at
from gvm_server.media.plates.movies.plate import MoviePlate

WIDTH, HEIGHT, COUNT = 262, 130, 30
RATE = Fraction(24000, 1001)
SHAPE = MovieShape(width=WIDTH, height=HEIGHT, rate=RATE, pixel_aspect=2.0)
BT709, LIMITED = 1, 1
CODECS = [
    (MovieCodec.H264, "yuv420p10le", "h264", "m.mp4"),
    (MovieCodec.PRORES, "yuva444p12le", "prores", "m.mov"),
    (MovieCodec.DNXHR, "yuv444p10le", "dnxhd", "m.mov"),
]


def matte(index: int) -> np.ndarray:
    """Return a ramp of every code value that moves by a column a frame, and is unlike any other."""
    row = np.linspace(0, 1, WIDTH, dtype=np.float32)
    return np.roll(row, index)[None].repeat(HEIGHT, axis=0)


def pictures(path):
    """Return every decoded picture, its stream's codec, and that stream's rate and aspect."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        said = stream.average_rate, stream.sample_aspect_ratio
        return list(container.decode(stream)), stream.codec_context, said


def plane(picture, at):
    """Return a plane's codes [H, W] in steps of 10 bits."""
    stored = picture.planes[at]
    bits = picture.format.components[at].bits
    rows = np.frombuffer(stored, "<u2").reshape(stored.height, -1)[:, : stored.width]
    return rows.astype(np.float64) / 2 ** (bits - 10)


@pytest.mark.parametrize(("codec", "pixels", "name", "file"), CODECS)
def test_a_matte_in_a_named_codec_is_grey_of_ten_bits_frame_by_frame(
    tmp_path, codec, pixels, name, file
):
    """Each frame in its place, 95 % of it within three steps; neutral, at limited range."""
    path = tmp_path / file
    with writing_movie(path, SHAPE, encoding_of(codec, is_matte=True)) as movie:
        for index in range(COUNT):
            movie.write(matte(index))
    shown, context, said = pictures(path)
    assert (len(shown), context.name, shown[0].format.name) == (COUNT, name, pixels)
    assert said == (RATE, 2)
    times = [float(each.time) for each in shown]
    assert np.allclose(times, [float(index / RATE) for index in range(COUNT)], atol=1e-3)
    for index, picture in enumerate(shown):
        away = np.abs(plane(picture, 0) - (64 + 876 * matte(index)))
        assert np.percentile(away, 95) <= 3, index
        assert away.max() < 876 / 16  # a frame in another's place would be all of it
        assert np.abs(plane(picture, 1) - 512).max() <= 2
        assert np.abs(plane(picture, 2) - 512).max() <= 2


@pytest.mark.parametrize(("codec", "pixels", "name", "file"), CODECS)
def test_the_stream_and_every_picture_say_the_same_of_their_colours(
    tmp_path, codec, pixels, name, file
):
    """BT.709 at limited range, by FFmpeg's reading of the container and of each picture."""
    del pixels, name
    path = tmp_path / file
    for is_matte in (True, False):
        with writing_movie(path, SHAPE, encoding_of(codec, is_matte=is_matte)) as movie:
            for index in range(3):
                movie.write(matte(index))
        shown, context, _ = pictures(path)
        for said in (context, *shown):
            tags = said.color_range, said.colorspace, said.color_primaries, said.color_trc
            assert tuple(map(int, tags)) == (LIMITED, BT709, BT709, BT709)
        (video,) = MediaInfo.parse(path).video_tracks  # reads no file with FFmpeg
        colours = video.color_primaries, video.transfer_characteristics, video.matrix_coefficients
        assert colours == ("BT.709", "BT.709", "BT.709")


def test_prores_holds_the_matte_in_its_alpha_too(tmp_path):
    """16 bits of it, as our own reader and FFmpeg have it: within one step of 10 bits."""
    path = tmp_path / "m.mov"
    with writing_movie(path, SHAPE, encoding_of(MovieCodec.PRORES, is_matte=True)) as movie:
        for index in range(5):
            movie.write(matte(index))
    shown, *_ = pictures(path)
    for index, picture in enumerate(shown):
        assert np.abs(plane(picture, 3) / 1023.75 - matte(index)).max() < 1.5 / 1023
    plate = MoviePlate(path, PlateOptions(path=str(path), layer="A"))
    read = plate.read(4).pixels[..., 0]
    plate.close()
    assert np.abs(read - matte(3)).max() < 1.5 / 1023


@pytest.mark.parametrize("codec", [MovieCodec.PRORES, MovieCodec.DNXHR])
def test_colours_are_those_that_were_written(tmp_path, codec):
    """Through FFmpeg's own conversion back to red, green and blue: within two of 255 steps."""
    rng = np.random.default_rng(3)
    blocks = rng.random((HEIGHT // 26 + 1, WIDTH // 26 + 1, 3)).astype(np.float32)
    picture = blocks.repeat(26, axis=0).repeat(26, axis=1)[:HEIGHT, :WIDTH]
    path = tmp_path / "c.mov"
    with writing_movie(path, SHAPE, encoding_of(codec, is_matte=False)) as movie:
        movie.write(picture)
    (shown,), *_ = pictures(path)
    back = shown.reformat(
        format="rgb48le", src_colorspace=1, dst_colorspace=1, src_color_range=1, dst_color_range=2
    ).to_ndarray()
    away = np.abs(back / 65535 - picture)
    inside = away.reshape(-1, 3)
    assert np.percentile(inside, 95) < 2 / 255


@pytest.mark.parametrize("codec", list(MovieCodec))
def test_odd_sides_stay_where_the_codec_takes_them(tmp_path, codec):
    """4:4:4 has no pairs of pixels; H.264 grows by a copy of the edge."""
    path = tmp_path / "m.mov"
    shape = MovieShape(width=263, height=131)
    with writing_movie(path, shape, encoding_of(codec, is_matte=True)) as movie:
        movie.write(np.full((131, 263), 0.5, np.float32))
    (shown,), *_ = pictures(path)
    grown = codec is MovieCodec.H264
    assert (shown.width, shown.height) == (263 + grown, 131 + grown)


@pytest.mark.parametrize("codec", [None, *MovieCodec])
@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_a_codec_s_limits_are_where_its_encoder_fails(tmp_path, codec, large):
    """At the limit a picture is written and read again, beyond it is refused with both sizes."""
    encoding = encoding_of(codec, is_matte=True)
    path = tmp_path / f"m{(encoding.endings or ('.mp4',))[0]}"
    limits = encoding.most if large else encoding.least
    step = 1 if large else -1
    for side in (0, 1):
        size = list(encoding.least)
        size[side] = limits[side]
        shape = MovieShape(width=size[0], height=size[1])
        with writing_movie(path, shape, encoding) as movie:
            movie.write(np.zeros((size[1], size[0]), np.float32))
        with av.open(str(path)) as container:
            (frame,) = container.decode(video=0)
        even = encoding.is_subsampled
        assert (frame.width, frame.height) == tuple(one + one % 2 * even for one in size)
        size[side] += step
        beyond = MovieShape(width=size[0], height=size[1])
        says = f"are {size[0]}x{size[1]}; its codec"
        with pytest.raises(SettingsError, match=says), writing_movie(path, beyond, encoding):
            pass


def test_what_a_codec_cannot_hold_is_refused(tmp_path):
    """Another container, an alpha: with what to do instead."""
    dnxhr = encoding_of(MovieCodec.DNXHR, is_matte=True)
    with (
        pytest.raises(SettingsError, match=r"ends with '\.mp4'"),
        writing_movie(tmp_path / "m.mp4", SHAPE, dnxhr),
    ):
        pass
    for codec in (None, MovieCodec.H264, MovieCodec.DNXHR):
        with pytest.raises(SettingsError, match="only ProRes 4444 holds"):
            encoding_of(codec, is_matte=False, alpha=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("codec", "file"), [(each[0], each[-1]) for each in CODECS])
@pytest.mark.parametrize(
    ("rate", "timecode"),
    [((24000, 1001), "01:02:03:23"), ((30000, 1001), "10:00:00;02"), ((25, 1), "00:00:00:24")],
)
def test_the_first_frame_s_timecode_is_the_movie_s(tmp_path, codec, file, rate, timecode):
    """Of a plate's header, by our own reader and by MediaInfo."""
    box = Box(x=0, y=0, width=WIDTH, height=HEIGHT)
    words = timecode_at(timecode, Fraction(*rate), 0)
    header = FrameHeader(display=box, data=box, frame_rate=rate, timecode=words)
    path = tmp_path / file
    with writing_movie(path, MovieShape.of(header), encoding_of(codec, is_matte=True)) as movie:
        for index in range(3):
            movie.write(matte(index))
    plate = MoviePlate(path, PlateOptions(path=str(path)))
    assert plate.header(1).timecode == words
    plate.close()
    tracks = MediaInfo.parse(path).other_tracks
    assert [track.time_code_of_first_frame for track in tracks] == [timecode]
