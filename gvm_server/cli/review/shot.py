"""A plate and its finished mattes, opened for the commands that look at them."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from gvm_client.frames import parse_frames
from gvm_client.settings import WindowSettings
from gvm_client.text import counted
from gvm_client.windows import Plan
from gvm_server.cli.matte.display import PLAIN_SECONDS
from gvm_server.cli.matte.plate import plate_options
from gvm_server.cli.matte.request import absolute
from gvm_server.measure.clips import MatteClip, open_matte_of
from gvm_server.measure.review import Review, Viewer, frames_of, look_through, review_of
from gvm_server.media.file_access import Roots
from gvm_server.media.plates.base import Plate
from gvm_server.media.plates.open import open_plate
from gvm_server.threads import share_cores


@dataclass(frozen=True, kw_only=True, slots=True)
class Shot:
    """A plate and its mattes, open.

    Attributes:
        plate: what was matted.
        matte: its finished mattes.
        frames: those to look at, ascending.
        cuts: frames where a new shot begins.
        notes: what is to be said of frames left out, in whole sentences.
    """

    plate: Plate
    matte: MatteClip
    frames: tuple[int, ...]
    cuts: frozenset[int]
    notes: tuple[str, ...]

    def review(self, viewer: Viewer | None = None) -> Review:
        """Look at its frames, saying now and then on standard error how far it is.

        Args:
            viewer: sees each frame besides.

        Raises:
            InputError: a frame is missing, unreadable, or of another size than its plate.
        """
        clips = self.plate, self.matte
        tell = telling(len(self.frames), "looked at")
        looks = look_through(*clips, self.frames, cuts=self.cuts, tell=tell, viewer=viewer)
        return review_of(*clips, looks)


@contextmanager
def opened(parsed: argparse.Namespace) -> Iterator[Shot]:
    """Open the plate and the mattes that a command names.

    Raises:
        SettingsError: the frames are no range, or a cut lies outside the clip.
        InputError: one of the two, or a frame that is asked for, is not there.
    """
    share_cores()
    with ExitStack() as files:
        plate = open_plate(plate_options(parsed), roots=Roots())
        files.callback(plate.close)
        cuts = tuple(sorted(set(parsed.cut)))
        Plan.of(WindowSettings(), first=plate.first, last=plate.last, cuts=cuts)  # proves them
        matte = open_matte_of(plate.name, absolute(parsed.matte), layer=parsed.matte_layer)
        files.callback(matte.close)
        if matte.still and plate.first == plate.last:  # two images are one frame
            matte = matte.renumbered(plate.first - matte.frames[0])
        else:
            matte = matte.renumbered(parsed.offset)
        wanted = parse_frames(parsed.frames) if parsed.frames else None
        frames, notes = frames_of(plate, matte, wanted)
        yield Shot(plate=plate, matte=matte, frames=frames, cuts=frozenset(cuts), notes=notes)


def telling(total: int, done: str) -> Callable[[int], None]:
    """Return what says on standard error, now and then, how many frames are done."""
    said_at = [time.monotonic()]

    def tell(count: int) -> None:
        if time.monotonic() - said_at[0] >= PLAIN_SECONDS:
            said_at[0] = time.monotonic()
            print(f"{count}/{counted(total, 'frame')} {done}.", file=sys.stderr)

    return tell
