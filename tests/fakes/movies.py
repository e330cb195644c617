"""Test movies that no encoder makes by itself: edited, joined from parts, repeated, very long."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.fakes.plates import MovieSpec, numbered_picture, write_movie

_MILLISECONDS = Fraction(1, 1000)
_PARENTS = (b"moov", b"trak", b"edts", b"mdia")  # boxes with those in them that are sought


def write_edited(path: Path, spec: MovieSpec, edits: Sequence[tuple[int, int]]) -> Path:
    """Write a mov or mp4 that shows parts of its track.

    Args:
        path: of the movie.
        spec: of the whole track, at 24 frames per second.
        edits: of each part, how many frames it has and the first one's number; -1 shows nothing.
    """
    data = bytearray(write_movie(path, spec).read_bytes())
    movie_scale = _number(data, next(_boxes(data, b"mvhd"))[1] + 20)
    track_scale = _number(data, next(_boxes(data, b"mdhd"))[1] + 20)
    parents, at, size = next(_boxes(data, b"elst"))
    start = struct.unpack_from(">i", data, at + 20)[0]  # where the first picture is shown
    entries = b"".join(
        struct.pack(
            ">IiI",
            frames * movie_scale // 24,
            -1 if first < 0 else start + first * track_scale // 24,
            1 << 16,
        )
        for frames, first in edits
    )
    body = struct.pack(">II", 0, len(edits)) + entries
    data[at : at + size] = struct.pack(">I4s", 8 + len(body), b"elst") + body
    for parent in parents:
        struct.pack_into(">I", data, parent, _number(data, parent) + 8 + len(body) - size)
    path.write_bytes(data)
    return path


def write_late_b_frames(path: Path, times: Sequence[int], turn: int) -> Path:
    """Write a movie whose header knows no B-frames, with some from a frame on.

    Its decode times are even, so they are the times of showing up to there and no further.

    Args:
        path: of the movie.
        times: of its frames in milliseconds: even, 40 apart, up to `turn`.
        turn: the index of the first frame of the second part.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options=_x264(0))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = stream.codec_context.time_base = _MILLISECONDS
        later = av.CodecContext.create("libx264", "w")
        later.width, later.height, later.pix_fmt = 64, 48, "yuv420p"
        later.time_base, later.framerate, later.options = _MILLISECONDS, Fraction(25), _x264(3)
        packets = []
        for coder, part in ((stream, range(turn)), (later, range(turn, len(times)))):
            for index in part:
                packets += coder.encode(_numbered(index, times[index]))
            packets += coder.encode(None)
        for index, packet in enumerate(packets):
            packet.dts = index * 40 - 200
            packet.stream, packet.time_base = stream, _MILLISECONDS
            container.mux(packet)
    return path


def write_repeated(path: Path, spec: MovieSpec, groups: int) -> Path:
    """Write a long movie by writing one group of noise again and again; times as in `spec.times`.

    Args:
        path: of the movie.
        spec: of one group; where it has `times`, the length of each frame is every third longer.
        groups: how often it is written.
    """
    noise = np.random.default_rng(1).integers(
        0, 256, (spec.frames, spec.height, spec.width, 3), dtype=np.uint8
    )
    base = _MILLISECONDS if spec.times is not None else Fraction(1, 25)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(spec.codec, rate=25, options=dict(spec.options))
        stream.width, stream.height, stream.pix_fmt = spec.width, spec.height, spec.pixel_format
        stream.time_base = stream.codec_context.time_base = base
        coder = av.CodecContext.create(spec.codec, "w")
        coder.width, coder.height, coder.pix_fmt = spec.width, spec.height, spec.pixel_format
        coder.time_base, coder.framerate = Fraction(1, 25), Fraction(25)
        coder.options = dict(spec.options)
        group = []
        for index, picture in enumerate(noise):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = index
            group += coder.encode(frame)
        group += coder.encode(None)
        parts = [(bytes(one), one.pts, one.dts, one.is_keyframe) for one in group]
        container.start_encoding()
        for start in range(0, groups * spec.frames, spec.frames):
            for data, shown, decoded, is_key in parts:
                packet = av.Packet(data)
                packet.stream, packet.time_base, packet.is_keyframe = stream, base, is_key
                packet.pts, packet.dts = start + shown, start + decoded
                if spec.times is not None:
                    packet.pts = _uneven(packet.pts)
                    packet.dts = _uneven(packet.dts) - 200
                container.mux(packet)
    return path


def write_with_double_times(path: Path, spec: MovieSpec, doubles: Sequence[int]) -> Path:
    """Write a movie in which some frames, by index, have the time of the frame before."""
    last = None
    with av.open(str(path), "w") as container:
        stream = container.add_stream(spec.codec, rate=24, options=dict(spec.options))
        stream.width, stream.height, stream.pix_fmt = spec.width, spec.height, spec.pixel_format
        frames = [_numbered(index, index, Fraction(1, 24)) for index in range(spec.frames)]
        packets = [packet for frame in (*frames, None) for packet in stream.encode(frame)]
        for index, packet in enumerate(packets):
            if index in doubles:
                packet.pts = packet.dts = last
            last = packet.pts
            container.mux(packet)
    return path


def _x264(b_frames: int) -> dict[str, str]:
    return {"bf": str(b_frames), "g": "50", "x264-params": "repeat-headers=1:b-adapt=0"}


def _numbered(index: int, time: int, base: Fraction = _MILLISECONDS) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(numbered_picture(index, 64, 48), format="rgb24")
    frame.pts, frame.time_base = time, base
    return frame


def _uneven(index: int) -> int:
    return index * 40 + index % 3 * 9


def _number(data: bytearray, at: int) -> int:
    return int(struct.unpack_from(">I", data, at)[0])


def _boxes(
    data: bytearray, wanted: bytes, at: int = 0, end: int = -1, inside: tuple[int, ...] = ()
) -> Iterator[tuple[tuple[int, ...], int, int]]:
    """Yield the boxes of a name: where those around it begin, where it does, and its size."""
    end = len(data) if end < 0 else end
    while at < end:
        size, name = _number(data, at), bytes(data[at + 4 : at + 8])
        if name == wanted:
            yield inside, at, size
        if name in _PARENTS:
            yield from _boxes(data, wanted, at + 8, at + size, (*inside, at))
        at += size
