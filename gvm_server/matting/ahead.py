"""Plate frames read ahead of the GPU, each once, on the readers' pool."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future

from gvm_server.matting.clock import Clock
from gvm_server.matting.intake import IntakeFrame, take_in
from gvm_server.matting.order import Order


class ReadAhead:
    """The frames that were asked for and not taken yet; used by one thread."""

    def __init__(self, order: Order, *, readers: Executor, clock: Clock) -> None:
        self._order = order
        self._readers = readers
        self._clock = clock
        self._frames: dict[int, Future[IntakeFrame]] = {}

    def ask(self, frames: Iterable[int]) -> bool:
        """Start reading; return whether all can be read without waiting for a host."""
        frames = list(frames)
        given = self._order.plate.want(frames)
        for frame in frames:
            if frame not in self._frames and given:
                self._start(frame)
        return given

    def take(self, frame: int) -> IntakeFrame:
        """Return a frame, waiting for its reader; it stays until it is dropped.

        Raises:
            InputError: it cannot be read.
        """
        return (self._frames.get(frame) or self._start(frame)).result()

    def keep_only(self, needed: Callable[[int], bool]) -> None:
        """Drop the frames that are not needed any more."""
        for frame in [frame for frame in self._frames if not needed(frame)]:
            self._frames.pop(frame).cancel()

    def _start(self, frame: int) -> Future[IntakeFrame]:
        future = self._readers.submit(take_in, self._order, frame, self._clock)
        self._frames[frame] = future
        return future
