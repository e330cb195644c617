"""A shot with finished mattes for tests: a figure that stands before a still ground."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gvm_client.settings import Depth
from gvm_server.media.geometry import Box, FrameHeader
from tests.support.alphas import write_alpha
from tests.support.plates import write_exr

HEIGHT, WIDTH = 72, 128
FRAMES = range(1001, 1025)
FAULTY = 1009  # what `with_faults` spoils

Matte = NDArray[np.float32]


def figure(frame: int) -> Matte:
    """Return a soft-edged figure [H, W], the same in every frame."""
    del frame
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    distance = np.hypot(x - WIDTH / 2, y - HEIGHT / 2)
    return np.clip((25 - distance) / 4 + 0.5, 0.0, 1.0).astype(np.float32)


def with_faults(frame: int) -> Matte:
    """Return the figure; in one frame it is larger, has a hole, and islands stand beside it."""
    matte = figure(frame)
    if frame == FAULTY:
        matte = np.maximum(matte, np.roll(matte, 6, axis=1))
        matte[30:36, 60:66] = 0.0
        matte[4:8, 4:8] = matte[60:64, 100:104] = 1.0
    return matte


def write_shot(
    folder: Path,
    frames: Iterable[int] = FRAMES,
    *,
    matte: Callable[[int], Matte] = figure,
    texts: Callable[[int], Mapping[str, str]] = lambda _: {},
) -> tuple[str, str]:
    """Write plate and mattes, and return both as `gvm` takes them.

    Args:
        folder: gets `plate/` and `matte/`.
        frames: of the shot.
        matte: returns a frame's.
        texts: returns what a frame's matte says of how it was made.
    """
    (folder / "plate").mkdir(parents=True)
    (folder / "matte").mkdir()
    ground = 0.1 + 0.2 * np.random.default_rng(8).random((HEIGHT, WIDTH, 3))
    display = Box(x=0, y=0, width=WIDTH, height=HEIGHT)
    for frame in frames:
        alpha = matte(frame)
        pixels = ground + figure(frame)[..., None] * (np.array((0.5, 0.3, 0.2)) - ground)
        write_exr(folder / "plate" / f"shot.{frame:04d}.exr", pixels.astype(np.float32))
        header = FrameHeader(display=display, data=display)
        path = folder / "matte" / f"shot.{frame:04d}.exr"
        said = {"gvm:key": "0" * 32, **texts(frame)}
        write_alpha(path, alpha, header=header, depth=Depth.HALF, attributes=said)
    return str(folder / "plate" / "shot.%04d.exr"), str(folder / "matte")
