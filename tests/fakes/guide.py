"""A guide that is drawn instead of read: a soft box that moves, on nothing."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gvm_server.media.geometry import Box
from gvm_server.media.plates.guide import LaidGuide


class DrawnGuide:
    """What `GuideClip` gives, for frames of `width` x `height`; `seed` sets where the box is."""

    notes = ()

    def __init__(self, seed: int, width: int, height: int) -> None:
        self.name = f"drawn guide {seed}"
        self._seed, self._box = seed, Box(x=0, y=0, width=width, height=height)

    def check(self, frames: Iterable[int]) -> tuple[str, ...]:
        return ()

    def look_ahead(self, frames: Iterable[int]) -> None:
        """Do nothing: there are no files."""

    def key(self, frame: int) -> bytes:
        return b"%d:%d" % (self._seed, frame)

    def read(self, frame: int) -> LaidGuide | None:
        generator = np.random.default_rng([self._seed, frame + 1000])
        if generator.random() < 0.2:
            return None
        pixels = np.zeros((self._box.height, self._box.width), np.float32)
        top, left = (int(generator.integers(side)) for side in pixels.shape)
        pixels[top : top + 20, left : left + 20] = generator.choice([1.0, 0.4])
        return LaidGuide(pixels=pixels, box=self._box)

    def close(self) -> None:
        """Nothing is held open."""
