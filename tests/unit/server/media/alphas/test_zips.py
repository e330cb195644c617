"""Alphas that are compressed here are read by every reader, with their own bits."""

from __future__ import annotations

import numpy as np
import OpenEXR
import OpenImageIO as oiio
import pytest

from gvm_client.settings import Depth
from gvm_server.media.alphas.exr import read_alpha
from gvm_server.media.geometry import Box, FrameHeader
from tests.support.alphas import write_alpha


def noise(height, width):
    """Return what cannot be made smaller."""
    return np.random.default_rng(1).random((height, width), dtype=np.float32)


def ramp(height, width):
    """Return what is smooth."""
    return np.linspace(0, 1, height * width, dtype=np.float32).reshape(height, width)


def disc(height, width):
    """Return an alpha: empty lines, solid ones, and an edge."""
    y, x = np.ogrid[:height, :width]
    away = np.hypot(y - height / 2, x - width / 2)
    return np.clip((min(height, width) / 3 - away) / 3 + 0.5, 0, 1).astype(np.float32)


@pytest.mark.parametrize("depth", Depth)
@pytest.mark.parametrize("drawn", [noise, ramp, disc])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (65, 3), (200, 333)])
def test_two_readers_give_the_bits_that_were_written(tmp_path, depth, drawn, size):
    """OpenImageIO and OpenEXR's own module; the lines say where they are."""
    height, width = size
    box = Box(x=-5, y=-3, width=width, height=height)
    path, plane = tmp_path / "a.exr", drawn(height, width)
    header = FrameHeader(display=Box(x=0, y=0, width=9, height=9), data=box)
    write_alpha(path, plane, header=header, depth=depth, attributes={"gvm:key": "a"})
    kept = plane.astype(np.float16 if depth is Depth.HALF else np.float32)
    assert np.array_equal(read_alpha(path), kept)
    file = oiio.ImageInput.open(str(path))
    spec = file.spec()
    assert (spec.x, spec.y, spec.getattribute("compression")) == (-5, -3, "zips")
    assert np.array_equal(file.read_image(oiio.FLOAT)[..., 0], kept)
    last = file.read_scanlines(spec.y + height - 1, spec.y + height, 0, 0, 1, oiio.FLOAT)
    file.close()
    assert np.array_equal(np.ravel(last), kept[-1])


def test_an_alpha_s_file_is_about_as_small_as_by_the_library(tmp_path):
    """Smooth, with an edge, or all grain."""
    for drawn in (disc, ramp, noise):
        plane = drawn(270, 480)
        box = Box(x=0, y=0, width=480, height=270)
        header = FrameHeader(display=box, data=box)
        ours, theirs = tmp_path / "a.exr", tmp_path / "b.exr"
        write_alpha(ours, plane, header=header, depth=Depth.HALF, attributes={})
        says = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIPS_COMPRESSION}
        OpenEXR.File(says, {"A": plane.astype(np.float16)}).write(str(theirs))
        assert ours.stat().st_size <= 1.3 * theirs.stat().st_size, drawn
