"""A proposed region holds what the mattes show: in plate pixels, with overscan, at every scale."""

from __future__ import annotations

import numpy as np
import pytest

from gvm_server.matting.proposal import covered
from gvm_server.matting.region import TOUCHES, ShotView
from gvm_server.matting.working_size import padded
from gvm_server.media.geometry import Box


def _view(canvas: Box, height: int, width: int) -> ShotView:
    return ShotView(first=1, seen=canvas, working=padded(height, width, 1))


@pytest.mark.parametrize(
    "canvas", [Box(x=0, y=0, width=40, height=20), Box(x=-8, y=5, width=61, height=33)]
)
@pytest.mark.parametrize("size", [(10, 20), (33, 61), (40, 70)])
def test_a_box_holds_every_plate_pixel_that_its_alpha_reaches(canvas: Box, size: tuple[int, int]):
    """A working pixel as bilinear filtering brings it up or down."""
    view = _view(canvas, *size)
    alpha = np.zeros(size, dtype=np.float32)
    alpha[3:5, 6] = 0.5
    box = covered(alpha, view)
    assert box is not None
    assert canvas.holds(box)
    up, across = canvas.height / size[0], canvas.width / size[1]
    assert box.y - canvas.y <= 2.5 * up
    assert box.y - canvas.y + box.height >= 5.5 * up
    assert box.x - canvas.x <= 5.5 * across
    assert box.x - canvas.x + box.width >= 7.5 * across
    assert box.width <= 3 * across + 2
    assert box.height <= 4 * up + 2


def test_what_no_border_would_cut_counts_for_nothing():
    """As much alpha as may lie on a region's border."""
    view = _view(Box(x=0, y=0, width=40, height=20), 10, 20)
    assert covered(np.full((10, 20), TOUCHES, dtype=np.float32), view) is None


def test_a_matte_up_to_the_picture_s_edge_ends_there():
    """The box never leaves the canvas."""
    canvas = Box(x=-3, y=-2, width=40, height=20)
    assert covered(np.ones((10, 20), dtype=np.float32), _view(canvas, 10, 20)) == canvas
