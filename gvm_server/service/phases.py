"""Where a job stands inside the server, and which steps it may take.

The protocol's states (`lifecycle`) are what a client hears; a phase says who has the job in hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType


class Phase(Enum):
    """Who has a job in hand."""

    PREPARING = "preparing"
    """A preparing thread, or their queue: the plate is opened, what stands is looked at."""
    WAITING = "waiting"
    """Nobody: its next window waits for its turn, or for pixels from its host."""
    RUNNING = "running"
    """The thread that owns the GPU."""
    FINISHING = "finishing"
    """The writers: no more windows run."""
    ENDED = "ended"
    """Nobody any more: its client has heard how it ended."""


STEPS: Mapping[Phase, frozenset[Phase]] = MappingProxyType(
    {
        # Without windows to run it is left to the writers at once, whatever is in the queue.
        Phase.PREPARING: frozenset({Phase.WAITING, Phase.FINISHING, Phase.ENDED}),
        Phase.WAITING: frozenset({Phase.RUNNING, Phase.FINISHING}),
        Phase.RUNNING: frozenset({Phase.WAITING, Phase.FINISHING}),
        # Prepared anew, with a smaller window, where memory ran out.
        Phase.FINISHING: frozenset({Phase.ENDED, Phase.PREPARING}),
        Phase.ENDED: frozenset(),
    }
)


def step(now: Phase, following: Phase) -> Phase:
    """Return the phase that follows.

    Raises:
        ValueError: a job never goes this way; a defect of the scheduler.
    """
    if following not in STEPS[now]:
        raise ValueError(f"A job that is {now.value} cannot be {following.value} next.")
    return following
