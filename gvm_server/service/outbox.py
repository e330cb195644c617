"""Bytes on their way to peers: filled by any thread, emptied by the one that owns the sockets.

Laws:
1. Each peer gets its messages in the order in which they were put.
2. A peer that does not take its messages holds a bounded part of memory, then counts as gone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum

MAX_BACKLOG_BYTES = 4 << 20  # for each peer
_OVERHEAD = 100  # bytes that Python takes for a message besides its own


class Delivery(Enum):
    """What became of a message that was handed to a socket."""

    TAKEN = "taken"
    FULL = "full"
    """The peer's queue is full for now."""
    GONE = "gone"
    """There is no such peer."""


class Outbox:
    """The messages that wait for each peer."""

    def __init__(self) -> None:
        self._arrivals: deque[tuple[bytes, bytes]] = deque()  # its append is atomic
        self._backlogs: dict[bytes, deque[bytes]] = {}

    def put(self, peer: bytes, data: bytes) -> None:
        """Add a message; any thread may."""
        self._arrivals.append((peer, data))

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._arrivals and not self._backlogs

    def deliver(self, hand_over: Callable[[bytes, bytes], Delivery]) -> list[bytes]:
        """Hand over what the peers take, and return the peers that are gone or take too little."""
        while self._arrivals:
            peer, data = self._arrivals.popleft()
            self._backlogs.setdefault(peer, deque()).append(data)
        lost = [peer for peer in self._backlogs if not self._drain(peer, hand_over)]
        for peer in lost:
            self._backlogs.pop(peer)
        self._backlogs = {peer: backlog for peer, backlog in self._backlogs.items() if backlog}
        return lost

    def _drain(self, peer: bytes, hand_over: Callable[[bytes, bytes], Delivery]) -> bool:
        """Return whether the peer is still worth talking to."""
        backlog = self._backlogs[peer]
        while backlog:
            delivery = hand_over(peer, backlog[0])
            if delivery is Delivery.GONE:
                return False
            if delivery is Delivery.FULL:
                return sum(len(data) + _OVERHEAD for data in backlog) <= MAX_BACKLOG_BYTES
            backlog.popleft()
        return True
