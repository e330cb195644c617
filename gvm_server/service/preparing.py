"""The threads that prepare jobs, the most urgent first, with room kept for those that may come.

- Of the jobs that wait, the most urgent is prepared next; equals in the order asked.
- Jobs that are less urgent never hold all threads: a playhead's frame is looked at while clips of
  any number and length are being hashed.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType

from gvm_client.settings import Priority

# How many threads may prepare jobs of a priority, or of less urgent ones, at the same time.
SHARES: Mapping[Priority, int] = MappingProxyType(
    {Priority.INTERACTIVE: 4, Priority.RANGE: 3, Priority.BATCH: 2}
)
_ORDER = list(SHARES)  # the most urgent first


class Preparing:
    """A pool of threads for work with a priority; `close` waits for what has begun."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._numbers = itertools.count()
        self._waiting: list[tuple[int, int, Callable[[], None]]] = []
        self._running: Counter[int] = Counter()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"preparing-{number}")
            for number in range(max(SHARES.values()))
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, work: Callable[[], None], priority: Priority) -> None:
        """Have work done that raises nothing."""
        with self._changed:
            heapq.heappush(self._waiting, (_ORDER.index(priority), next(self._numbers), work))
            self._changed.notify_all()

    def close(self) -> None:
        """Do what was submitted, then let the threads end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            rank, work = taken
            try:
                work()
            finally:
                with self._changed:
                    self._running[rank] -= 1
                    self._changed.notify_all()

    def _take(self) -> tuple[int, Callable[[], None]] | None:
        """Wait for work that may begin; None when there will be no more."""
        with self._changed:
            while not (self._waiting and self._has_room(self._waiting[0][0])):
                if self._closed and not self._waiting:
                    return None
                self._changed.wait()
            rank, _, work = heapq.heappop(self._waiting)
            self._running[rank] += 1
            return rank, work

    def _has_room(self, rank: int) -> bool:
        held = sum(count for other, count in self._running.items() if other >= rank)
        return held < SHARES[_ORDER[rank]]
