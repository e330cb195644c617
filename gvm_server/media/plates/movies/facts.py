"""What a movie's container says besides its pictures: rate, pixel aspect, timecode, orientation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.container import InputContainer
from av.sidedata.sidedata import SideData, SideDataContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from gvm_server.media.plates.orientation import UPRIGHT, Orientation

_NEAR = Fraction(1, 4000)  # of a rate: 23.976 and 24 are four times as far apart


@dataclass(frozen=True, kw_only=True, slots=True)
class MovieFacts:
    """What holds for all frames of a movie.

    Attributes:
        aspect: width of a pixel over its height, as stored.
        rate: frames per second, or None.
        timecode: of the first frame as text; "" where it has none.
        choice: which stream was taken, as a sentence; "" where there is only one.
    """

    aspect: Fraction = Fraction(1)
    rate: Fraction | None = None
    timecode: str = ""
    choice: str = ""


def stream_facts(container: InputContainer, stream: VideoStream) -> MovieFacts:
    """Return what an open movie says."""
    aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    rate = stream.average_rate or stream.guessed_rate
    return MovieFacts(
        aspect=aspect if aspect and aspect > 0 else Fraction(1),
        rate=exact_rate(rate) if rate and rate > 0 else None,
        timecode=next(_timecodes(container, stream), ""),
        choice=_choice(container, stream),
    )


def exact_rate(rate: Fraction) -> Fraction:
    """Return the rate that a container meant: whole, or n * 1000 / 1001 where that is near.

    An average over a short clip, or over times in milliseconds, is off in its last digits.
    """
    whole = Fraction(round(rate))
    for exact in (whole, Fraction(round(rate * 1001 / 1000) * 1000, 1001)):
        if exact > 0 and abs(rate - exact) <= exact * _NEAR:
            return exact
    return rate.limit_denominator(100_000)


def display_orientation(picture: VideoFrame) -> Orientation:
    """Return how a decoded picture is turned to be looked at, from its whole display matrix.

    The matrix maps stored to shown places (ISO/IEC 14496-12, 6.2.2): x' = a x + c y and
    y' = b x + d y. Turns by other angles than quarters are taken as the nearest quarter.
    """
    # Not `picture.side_data`: picture and container would hold each other, until a collection.
    side_data = SideDataContainer(picture)  # type: ignore[call-arg] # PyAV's stub lacks it
    found = side_data.get("DISPLAYMATRIX")
    if not isinstance(found, SideData):
        return UPRIGHT
    matrix = np.frombuffer(memoryview(found), dtype=np.int32)
    if matrix.size < 5:
        return UPRIGHT
    a, b, c, d = (int(matrix[at]) for at in (0, 1, 3, 4))
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(flipped=d < 0, flopped=a < 0)
    return Orientation(transposed=True, flipped=b < 0, flopped=c < 0)


def _choice(container: InputContainer, stream: VideoStream) -> str:
    if len(container.streams.video) < 2:
        return ""
    count, context = len(container.streams.video), stream.codec_context
    return (
        f"The movie has {count} video streams; stream {stream.index} is read,"
        f" {context.name} of {context.width}x{context.height}."
    )


def _timecodes(container: InputContainer, stream: VideoStream) -> Iterator[str]:
    """Yield the timecodes that a movie names: the picture's own first, then its track's."""
    yield from filter(None, [stream.metadata.get("timecode", "")])
    yield from (
        other.metadata["timecode"] for other in container.streams if "timecode" in other.metadata
    )
    yield from filter(None, [container.metadata.get("timecode", "")])
