"""Resizing by one axis at a time: any rows alone are the rows of the whole."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gvm_server.matting.edges.climb import bilinear
from gvm_server.matting.edges.fit import flat
from gvm_server.matting.edges.near import around, near_band
from gvm_server.matting.edges.sampling import Rows, average, nearest, strips


@pytest.mark.parametrize("height", [1, 3, 17, 40, 61])
@pytest.mark.parametrize("shape", [(17, 5), (17, 5, 3), (1, 4)])
def test_rows_alone_are_the_rows_of_the_whole(height: int, shape: tuple[int, ...]):
    """Growing, equal and shrinking, planes and colours."""
    image = np.random.default_rng(0).random(shape, np.float32)
    rows = Rows(shape[0], height)
    whole = rows.of(image, slice(0, height))
    assert whole.shape == (height, *shape[1:])
    for part in strips(height, 4):
        np.testing.assert_array_equal(rows.of(image[rows.needed(part)], part), whole[part])


@pytest.mark.parametrize("size", [(64, 96), (61, 99), (16, 200)])
def test_bilinear_is_bilinear(size: tuple[int, int]):
    """As OpenCV's own resize of both axes, to a few last bits; where one value stands it stands."""
    image = np.random.default_rng(1).random((16, 24), np.float32)
    image[4:9, 4:9] = 1.0
    made = bilinear(image, near_band(around(flat(image)), size, size[0]), *size)
    expected = cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(made, expected, atol=2e-6)
    middle = [
        slice(-(-5 * side // of), 8 * side // of) for side, of in zip(size, (16, 24), strict=True)
    ]
    assert np.all(made[tuple(middle)] == 1.0)


def test_an_average_keeps_the_mean():
    """Each pixel is the mean of its area, at sizes that divide and that do not."""
    image = np.random.default_rng(2).random((60, 90), np.float32)
    for size in ((30, 45), (17, 31), (1, 1)):
        assert average(image, *size).mean() == pytest.approx(image.mean(), abs=1e-5)
    np.testing.assert_allclose(average(image, 30, 45)[0, 0], image[:2, :2].mean(), atol=1e-6)


def test_the_nearest_pixel_is_the_one_that_holds_the_centre():
    """Whole ratios in equal shares, broken ones without a gap, and down as well."""
    assert nearest(3, 6).tolist() == [0, 0, 1, 1, 2, 2]
    assert nearest(3, 4).tolist() == [0, 1, 1, 2]
    assert nearest(4, 2).tolist() == [1, 3]
    assert set(nearest(7, 23)) == set(range(7))
