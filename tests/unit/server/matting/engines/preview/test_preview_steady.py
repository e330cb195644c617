"""The mean over time: it takes flicker where the plate stands still, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from gvm_server.matting.engines.base import Image
from gvm_server.matting.engines.preview.steady import Seen, seen, steady

HEIGHT, WIDTH = 60, 90


def _clip(alphas: list[Image], plates: list[Image]) -> list[Seen]:
    return [seen(plate, alpha) for plate, alpha in zip(plates, alphas, strict=True)]


def _plate(column: int) -> Image:
    """Return a dark frame with a light bar from a column on."""
    plate = np.full((HEIGHT, WIDTH, 3), 0.1, np.float32)
    plate[:, column : column + 20] = 0.8
    return plate


def _alpha(column: int, edge: float = 1.0) -> Image:
    alpha = np.zeros((HEIGHT, WIDTH), np.float32)
    alpha[:, column : column + 20] = 1.0
    alpha[:, column] = edge
    return alpha


def test_a_still_edge_stops_flickering():
    """An edge that jumps by 0.3 from frame to frame on a still plate moves by a fifth of it."""
    alphas = [_alpha(30, 0.5 + 0.3 * (place % 2)) for place in range(9)]
    made = steady(_clip(alphas, [_plate(30)] * 9), threads=2)
    jumps = np.abs(np.diff(made[2:-2, :, 30], axis=0))
    assert jumps.max() < 0.3 * 0.3
    np.testing.assert_array_equal(made[:, :, 60:], 0.0)


def test_what_moves_leaves_nothing_behind():
    """A bar that moves by 8 pixels a frame keeps its own alpha in each."""
    columns = [10 + 8 * place for place in range(7)]
    alphas = [_alpha(column) for column in columns]
    made = steady(_clip(alphas, [_plate(column) for column in columns]), threads=1)
    np.testing.assert_allclose(made, np.stack(alphas), atol=0.01)


@pytest.mark.parametrize("first", range(4))
def test_a_frame_depends_on_two_on_each_side_and_on_no_other(first: int):
    """Made from five frames, or from any more around them, the middle one has the same bits."""
    random = np.random.default_rng(1)
    alphas = [random.random((HEIGHT, WIDTH), np.float32) for _ in range(11)]
    plates = [_plate(30) + random.normal(0, 0.01, (1,)).astype(np.float32) for _ in range(11)]
    clip = _clip(alphas, plates)
    whole = steady(clip, threads=3)
    part = steady(clip[first : first + 7], threads=1)
    np.testing.assert_array_equal(part[2:-2], whole[first + 2 : first + 5])


def test_a_held_frame_counts_as_often_as_it_stands_there():
    """One latent in several places is what several equal ones are."""
    one, other = _clip([_alpha(30), _alpha(30, 0.4)], [_plate(30)] * 2)
    (copy,) = _clip([_alpha(30)], [_plate(30)])
    held, copied = steady([one, one, other], 1), steady([one, copy, other], 1)
    np.testing.assert_array_equal(held, copied)


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_how_many_rows_are_compared_at_once_changes_no_bit(
    monkeypatch: pytest.MonkeyPatch, rows: int
):
    """Strips are for the speed's sake; what moved is seen across their borders."""
    rng = np.random.default_rng(3)
    noise = [rng.random((HEIGHT, WIDTH, 3), np.float32) for _ in range(5)]
    plates = [_plate(30 + place) + 0.05 * each for place, each in enumerate(noise)]
    clip = _clip([_alpha(30 + place, 0.4) for place in range(5)], plates)
    whole = steady(clip, threads=1)
    monkeypatch.setattr("gvm_server.matting.engines.preview.steady._ROWS", rows)
    np.testing.assert_array_equal(steady(clip, threads=1), whole)
