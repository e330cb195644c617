"""Plates on disk for tests: small moving shapes, so that every frame differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray


def moving_disc(frame: int, width: int, height: int) -> NDArray[np.float32]:
    """Return [height, width, 3] scene-linear: a bright disc that moves over a textured ground."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    centre_x = width * (0.3 + 0.4 * ((frame * 7) % 100) / 100)
    radius = 0.25 * height
    inside = (x - centre_x) ** 2 + (y - height / 2) ** 2 < radius**2
    ground = 0.1 + 0.05 * np.sin(x / 3.0 + frame // 100) * np.cos(y / 5.0)
    red = np.where(inside, 0.8, ground)
    return np.stack([red, 0.7 * red, 0.5 * red + 0.001 * (frame % 50)], axis=-1).astype(np.float32)


def write_exr(path: Path, pixels: NDArray[np.float32], *, compression: str = "zip") -> None:
    """Write [H, W, 3] as a half EXR."""
    height, width, channels = pixels.shape
    spec = oiio.ImageSpec(width, height, channels, oiio.HALF)
    spec.attribute("compression", compression)
    file = oiio.ImageOutput.create("exr")
    assert file.open(str(path), spec), file.geterror()
    assert file.write_image(pixels), file.geterror()
    file.close()


def write_plate(folder: Path, frames: Iterable[int], *, width: int = 96, height: int = 64) -> str:
    """Write `plate.####.exr` into a folder and return its pattern."""
    folder.mkdir(parents=True, exist_ok=True)
    for frame in frames:
        write_exr(folder / f"plate.{frame:04d}.exr", moving_disc(frame, width, height))
    return str(folder / "plate.%04d.exr")


def write_anamorphic(
    folder: Path, frames: Iterable[int], *, name: str, said: Mapping[str, str] | None = None
) -> str:
    """Write EXRs that say much, and return their pattern.

    The data window is cropped, with overscan on one side; pixels are wide; there are a rate, and a
    timecode that begins at frame 1001.

    Args:
        folder: is made.
        frames: their numbers.
        name: that the files begin with.
        said: attributes besides.
    """
    folder.mkdir()
    for frame in frames:
        spec = oiio.ImageSpec(80, 60, 3, oiio.HALF)
        spec.x, spec.y = -8, 4
        spec.full_x, spec.full_y, spec.full_width, spec.full_height = 0, 0, 96, 64
        spec.attribute("PixelAspectRatio", 2.0)
        spec.attribute("FramesPerSecond", oiio.TypeDesc("rational"), (24000, 1001))
        spec.attribute("smpte:TimeCode", oiio.TypeTimeCode, (0x01000000 + frame - 1001, 0))
        for attribute, value in (said or {}).items():
            spec.attribute(attribute, value)
        file = oiio.ImageOutput.create("exr")
        assert file.open(str(folder / f"{name}.{frame}.exr"), spec), file.geterror()
        assert file.write_image(moving_disc(frame, 80, 60)), file.geterror()
        file.close()
    return str(folder / f"{name}.####.exr")


def read_alpha(path: Path) -> NDArray[np.float32]:
    """Return a file's channel A, [H, W]."""
    file = oiio.ImageInput.open(str(path))
    assert file is not None, oiio.geterror()
    assert file.spec().channelnames == ("A",)
    pixels = file.read_image(oiio.FLOAT)
    file.close()
    alpha: NDArray[np.float32] = pixels[..., 0]
    return alpha
