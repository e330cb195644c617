"""What lies near the band: cut out, and laid back in its place."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvm_server.matting.edges.near import MARGIN, PLATE_ROWS, Mask, around, near_band


def stood(height: int, width: int, seed: int) -> Mask:
    """Return working pixels of which a few blocks are not still."""
    rng = np.random.default_rng(seed)
    still = np.ones((height, width), np.bool_)
    for _ in range(int(rng.integers(0, 4))):
        y, x = int(rng.integers(height)), int(rng.integers(width))
        still[y : y + 5, x : x + 5] = False
    return still


@given(
    working=st.tuples(st.integers(1, 60), st.integers(1, 90)),
    plate=st.tuples(st.integers(1, 300), st.integers(1, 400)),
    seed=st.integers(0, 99),
)
def test_what_is_cut_and_laid_back_is_all_around_the_band_once(
    working: tuple[int, int], plate: tuple[int, int], seed: int
):
    """Every plate pixel within the margin of a band's pixel is cut, none twice, and its place."""
    still = stood(*working, seed)
    picture = np.random.default_rng(seed).random(plate, np.float32)
    found, times = np.zeros_like(picture), np.zeros(plate, np.intp)
    for part in near_band(around(still), plate, plate[0]):
        cut = part.cut(picture)
        assert cut.shape == (part.rows.stop - part.rows.start, part.width(plate[1]))
        part.lay(cut, found)
        part.lay(part.cut(times) + 1, times)
    wide = cv2.dilate((~still).astype(np.uint8), np.ones((2 * MARGIN + 1,) * 2, np.uint8))
    row, column = (np.arange(n) * side // n for n, side in zip(plate, working, strict=True))
    assert times.max(initial=0) <= 1
    assert times[wide[row][:, column] > 0].all()
    np.testing.assert_array_equal(found, np.where(times > 0, picture, 0.0))


def test_a_small_subject_is_a_small_part():
    """Two people apart are two runs; rows without anything are not there."""
    still = np.ones((576, 1024), np.bool_)
    still[300:320, 100:140] = False
    still[300:320, 700:740] = False
    parts = near_band(around(still), (1080, 1920), 1080)
    assert [len(part.runs) for part in parts] == [2] * len(parts)
    assert sum(part.rows.stop - part.rows.start for part in parts) <= 2 * PLATE_ROWS
    assert max(part.width(1920) for part in parts) < 300
    assert near_band(np.zeros((9, 9), np.bool_), (90, 90), 90) == ()


def test_a_mask_says_which_of_it_is_laid():
    """The others stay as they are."""
    still = np.ones((40, 40), np.bool_)
    still[20, 20] = False
    (part,) = near_band(around(still), (40, 40), 40)
    picture = np.zeros((40, 40), np.float32)
    ones = part.cut(picture) + 1
    where = np.zeros(ones.shape, np.bool_)
    where[20, 3] = True
    part.lay(ones, picture, where)
    assert picture.sum() == pytest.approx(1.0)
    assert picture[20, part.runs[0].start + 3] == 1.0
