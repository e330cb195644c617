"""Bytes on their way to peers: filled by any thread, emptied by the one that owns the sockets.

- Each peer gets its messages in the order in which they were put.
- A peer that does not take its messages holds a bounded part of memory, then counts as gone.
- Who has much to say waits for room first (`wait_for_room`), so that a slow peer is not lost.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from enum import Enum

MAX_BACKLOG_BYTES = 4 << 20  # for each peer
ROOMY_BYTES = MAX_BACKLOG_BYTES // 4  # below it, one who waits for room goes on
_OVERHEAD = 100  # bytes that Python takes for a message besides its own


class SendResult(Enum):
    """What became of a message that was given to a socket."""

    SENT = "sent"
    FULL = "full"
    """The peer's queue is full for now."""
    GONE = "gone"
    """There is no such peer."""


class Outbox:
    """The messages that wait for each peer."""

    def __init__(self) -> None:
        self._arrivals: deque[tuple[bytes, bytes]] = deque()  # its append is atomic
        self._backlogs: dict[bytes, deque[bytes]] = {}
        self._changed = threading.Condition()
        self._waiting: Counter[bytes] = Counter()  # bytes for each peer

    def put(self, peer: bytes, data: bytes) -> None:
        """Add a message; any thread may."""
        with self._changed:
            self._waiting[peer] += len(data) + _OVERHEAD
        self._arrivals.append((peer, data))

    def wait_for_room(self, peer: bytes, *, seconds: float) -> bool:
        """Wait until little waits for a peer, or it is gone; return whether that came.

        Not on the thread that sends.
        """
        with self._changed:
            return self._changed.wait_for(
                lambda: self._waiting[peer] < ROOMY_BYTES, timeout=seconds
            )

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._arrivals and not self._backlogs

    def flush(self, send: Callable[[bytes, bytes], SendResult]) -> list[bytes]:
        """Send what the peers take, and return the peers that are gone or take too little."""
        while self._arrivals:
            peer, data = self._arrivals.popleft()
            self._backlogs.setdefault(peer, deque()).append(data)
        lost = [peer for peer in self._backlogs if not self._drain(peer, send)]
        for peer in lost:
            self._count_sent(peer, self._backlogs.pop(peer))
        self._backlogs = {peer: backlog for peer, backlog in self._backlogs.items() if backlog}
        return lost

    def _drain(self, peer: bytes, send: Callable[[bytes, bytes], SendResult]) -> bool:
        """Return whether the peer is still worth talking to."""
        backlog = self._backlogs[peer]
        while backlog:
            result = send(peer, backlog[0])
            if result is SendResult.GONE:
                return False
            if result is SendResult.FULL:
                return self._waiting[peer] <= MAX_BACKLOG_BYTES
            self._count_sent(peer, (backlog.popleft(),))
        return True

    def _count_sent(self, peer: bytes, messages: Iterable[bytes]) -> None:
        """Count messages as no longer waiting."""
        with self._changed:
            self._waiting[peer] -= sum(len(data) + _OVERHEAD for data in messages)
            if self._waiting[peer] <= 0:
                del self._waiting[peer]
            self._changed.notify_all()
