"""What a movie's container and its first picture say, kept as long as the file is the same.

A job that asks for what is finished reads nothing of the movie, however large its header is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction

from av.video.frame import VideoFrame

from gvm_server.media.colour.hints import FileHint
from gvm_server.media.geometry import Box, FrameHeader, Orientation
from gvm_server.media.plates.movies.alpha import has_alpha
from gvm_server.media.plates.movies.file import MovieMetadata, display_orientation
from gvm_server.media.plates.movies.indexing import INDEX
from gvm_server.media.store.file_keys import hash_texts
from gvm_server.media.store.memo import Memo

# Which picture is the first is the index's word.
_LOOK = f"movie look 3, {INDEX}"


@dataclass(frozen=True, kw_only=True, slots=True)
class MovieLook:
    """What holds for all frames of a movie that are read.

    Attributes:
        facts: what the container says.
        size: width and height of a picture as stored, in pixels.
        orientation: how it is turned to be looked at.
        curve: its transfer characteristics by their code (ISO/IEC 23091-2).
        primaries: its colour primaries by their code.
        interlaced: whether it is made of two fields.
        alpha: whether its format has an alpha channel.
    """

    facts: MovieMetadata
    size: tuple[int, int]
    orientation: Orientation
    curve: int
    primaries: int
    interlaced: bool
    alpha: bool

    @property
    def header(self) -> FrameHeader:
        """How every frame lies, turned upright; without a timecode."""
        return header_of(self.size, self.orientation, self.facts)

    @property
    def hint(self) -> FileHint:
        """What the movie says about its colours."""
        return FileHint(kind="movie", is_float=False, curve=self.curve, primaries=self.primaries)

    def to_bytes(self) -> bytes:
        """Return what `from_bytes` reads."""
        return json.dumps(asdict(self), default=str).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> MovieLook | None:
        """Return a look that was kept; None where these bytes are none."""
        try:
            kept = json.loads(data)
            facts = kept.pop("facts")
            rate = facts["rate"]
            facts |= {
                "aspect": Fraction(facts["aspect"]),
                "rate": None if rate is None else Fraction(rate),
            }
            width, height = kept.pop("size")
            return cls(
                facts=MovieMetadata(**facts),
                size=(width, height),
                orientation=Orientation(**kept.pop("orientation")),
                **kept,
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


def header_of(size: tuple[int, int], orientation: Orientation, facts: MovieMetadata) -> FrameHeader:
    """Return the header of a picture of this width and height, turned upright."""
    box = Box(x=0, y=0, width=size[0], height=size[1])
    rate = facts.rate
    header = FrameHeader(
        display=box,
        data=box,
        pixel_aspect=float(facts.aspect),
        frame_rate=None if rate is None else (rate.numerator, rate.denominator),
    )
    return orientation.turn_header(header)


def look_of(picture: VideoFrame, facts: MovieMetadata) -> MovieLook:
    """Return what a movie's first picture says, and its container."""
    return MovieLook(
        facts=facts,
        size=(picture.width, picture.height),
        orientation=display_orientation(picture),
        curve=int(picture.color_trc),
        primaries=int(picture.color_primaries),
        interlaced=bool(picture.interlaced_frame),
        alpha=has_alpha(picture),
    )


def known_look(memo: Memo, version: bytes, frame: int, look: Callable[[], MovieLook]) -> MovieLook:
    """Return a movie's look, kept from before, or made and kept.

    Args:
        memo: what is known of files from before.
        version: 16 bytes for the file as it is on the disk.
        frame: the first that is read.
        look: makes it of the file.
    """
    key = hash_texts(version.hex(), frame)
    kept = memo.recall(_LOOK, key)
    if kept is not None and (known := MovieLook.from_bytes(kept)) is not None:
        return known
    found = look()
    memo.keep(_LOOK, key, found.to_bytes())
    return found
