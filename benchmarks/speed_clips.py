"""The clips that speed is measured on: a drawn person before a wall, with grain, generated once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from gvm_server.media.colour.encodings import linear_from_srgb
from tests.support.plates import write_exr
from tests.support.portrait import portrait

GRAIN = 0.01  # standard deviation, display values
STEP = 6  # pixels that the person moves from frame to frame
_TAKE = 1000  # frames: more than a clip has
HD, UHD = (1080, 1920), (2160, 3840)


class Clips:
    """Clips below a folder; frames that are there are not made again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def exr(self, count: int, take: int = 0) -> str:
        """Return a sequence of 1920 x 1080 half pixels, in linear light; takes share no frame."""
        return self._sequence(f"hd{count}-{take}", HD, count, take)

    def exr_4k(self, count: int) -> str:
        """Return a sequence of 3840 x 2160."""
        return self._sequence(f"uhd{count}", UHD, count)

    def many(self, count: int) -> str:
        """Return a sequence of very small pictures."""
        return self._sequence(f"many{count}", (36, 64), count)

    def movie(self, count: int) -> str:
        """Return an H.264 movie of 1920 x 1080."""
        path = self._folder / f"movie{count}.mp4"
        if not path.exists():
            with av.open(str(path), "w") as container:
                stream = container.add_stream("libx264", rate=24)
                stream.height, stream.width, stream.pix_fmt = *HD, "yuv420p"
                for frame in range(1, count + 1):
                    coded = (picture(frame, HD).clip(0, 1) * 255).round().astype(np.uint8)
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(coded)))
                container.mux(stream.encode())
        return str(path)

    def _sequence(self, name: str, size: tuple[int, int], count: int, take: int = 0) -> str:
        folder = self._folder / name
        if not folder.exists():
            folder.mkdir()
            for frame in range(1, count + 1):
                light = linear_from_srgb(picture(frame + take * _TAKE, size))
                write_exr(folder / f"plate.{frame:05d}.exr", light)
        return str(folder / "plate.%05d.exr")


def picture(frame: int, size: tuple[int, int]) -> NDArray[np.float32]:
    """Return a frame [H, W, 3], sRGB."""
    moved = np.roll(_still(*size), STEP * frame, axis=1)
    grain = np.random.default_rng(frame).standard_normal(moved.shape, dtype=np.float32)
    shown: NDArray[np.float32] = moved + np.float32(GRAIN) * grain
    return shown


@cache
def _still(height: int, width: int) -> NDArray[np.float32]:
    return np.ascontiguousarray(portrait(height, width).transpose(1, 2, 0))
