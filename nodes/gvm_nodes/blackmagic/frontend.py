"""Where a script works: a terminal or a window, which makes alphas and shows progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from gvm_client.settings import Priority
from gvm_nodes.blackmagic.alpha_spec import AlphaSpec
from gvm_nodes.core.followed_job import FollowedJob, Update
from gvm_nodes.core.transport import Transport, open_transport

Say = Callable[[str], None]

_T = TypeVar("_T")


class Frontend(Protocol):
    """Where a script does its work: a terminal, or a window with a Cancel button."""

    def say(self, sentence: str) -> None:
        """Show where the script stands."""

    def make(self, spec: AlphaSpec, frames: str, priority: Priority) -> None:
        """Make the frames of a range text, and wait for them.

        Raises:
            GvmError: it cannot; a `JobCancelled` where the artist does not want it any more.
        """

    def pause(self, seconds: float) -> None:
        """Wait before the next look at a render.

        Raises:
            JobCancelled: the artist does not want it any more.
        """


class Terminal:
    """A frontend without a window: every sentence is a line, and Ctrl-C is the Cancel."""

    def __init__(self, say: Say, transport: Callable[[], Transport] = open_transport) -> None:
        self._say, self._transport = say, transport

    def say(self, sentence: str) -> None:
        """Write a line; as `Frontend.say`."""
        self._say(sentence)

    def make(self, spec: AlphaSpec, frames: str, priority: Priority) -> None:
        """Make frames on this thread and write how it goes; as `Frontend.make`."""
        self._say(f"{spec.plate}, frames {frames or 'all'}, to {spec.alphas}")
        last = FollowedJob(
            spec.request(frames, priority), self._tell, transport=self._transport
        ).run()
        if last.error is not None:
            raise last.error

    def pause(self, seconds: float) -> None:
        """Sleep; as `Frontend.pause`."""
        time.sleep(seconds)

    def _tell(self, update: Update) -> None:
        if update.error is None:
            self._say(update.sentence)


def announce_each(
    frontend: Frontend, clips: Sequence[tuple[AlphaSpec, _T]]
) -> Iterator[tuple[AlphaSpec, _T]]:
    """Yield clips one after the other; before each, say which of how many it is."""
    for number, (spec, more) in enumerate(clips, 1):
        frontend.say(f"Clip {number} of {len(clips)}, {spec.plate.rpartition('/')[2]}.")
        yield spec, more
