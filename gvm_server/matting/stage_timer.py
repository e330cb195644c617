"""How long each stage of a job was busy: wall seconds with at least one worker in it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum


class Stage(str, Enum):
    """The stages of a frame, in order."""

    READ = "read"
    COLOUR = "colour"
    RESIZE = "resize"
    ENCODE = "encode"
    DENOISE = "denoise"
    DECODE = "decode"
    REFINE = "refine"
    LAYERS = "layers"
    WRITE = "write"


class StageTimer:
    """Adds up busy time per stage over any number of threads.

    Two workers in one stage at once count once, so that no stage is busier than the wall.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._workers = dict.fromkeys(Stage, 0)
        self._since = dict.fromkeys(Stage, 0.0)
        self._busy = dict.fromkeys(Stage, 0.0)

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """Count the time inside the block as this stage's."""
        self._enter(stage)
        try:
            yield
        finally:
            self._leave(stage)

    def busy(self) -> Mapping[Stage, float]:
        """Return the busy seconds of each stage, in order."""
        with self._lock:
            return dict(self._busy)

    def _enter(self, stage: Stage) -> None:
        with self._lock:
            if self._workers[stage] == 0:
                self._since[stage] = time.perf_counter()
            self._workers[stage] += 1

    def _leave(self, stage: Stage) -> None:
        with self._lock:
            self._workers[stage] -= 1
            if self._workers[stage] == 0:
                self._busy[stage] += time.perf_counter() - self._since[stage]
