"""What is said of a matte without the truth, on drawn mattes whose faults are known."""

from __future__ import annotations

import numpy as np
import pytest

from gvm_server.measure import quality

HEIGHT, WIDTH = 96, 128


def figure() -> np.ndarray:
    """Return a matte with one hard-edged figure."""
    made = np.zeros((HEIGHT, WIDTH), np.float32)
    made[16:80, 32:96] = 1.0
    return made


def plate(value: float = 0.3) -> np.ndarray:
    """Return a plate with some texture, display-referred."""
    noise = np.random.default_rng(5).random((HEIGHT, WIDTH, 3)).astype(np.float32)
    return value + 0.2 * noise


def flicker_of(before: np.ndarray, after: np.ndarray, *plates: np.ndarray) -> float | None:
    """Return the flicker of two mattes over two plates."""
    spans = quality.spans_of(HEIGHT)
    cells = [quality.cells_of(quality.lines_in(each, spans)) for each in plates]
    lines = [quality.lines_in(each, spans) for each in (before, after)]
    return quality.flicker(*lines, quality.still_cells(*cells))


def test_islands_and_holes_are_counted():
    """Two islands and a hole; a second figure is none, nor what the frame's border encloses."""
    matte = figure()
    assert quality.regions(matte) == quality.Regions(blobs=0, holes=0)
    matte[4:8, 4:8] = matte[88:92, 60:64] = 1.0
    matte[40:44, 60:64] = 0.0
    matte[60:96, 104:128] = 1.0  # another figure
    matte[90:96, 110:120] = 0.0  # open to the frame's border
    assert quality.regions(matte) == quality.Regions(blobs=2, holes=1)
    assert quality.regions(np.zeros((HEIGHT, WIDTH), np.float32)) == quality.Regions(
        blobs=0, holes=0
    )


def test_islands_of_a_large_frame_are_those_of_a_small_one():
    """Regions are counted at a small size."""
    matte = figure()
    matte[4:8, 4:8] = 1.0
    large = np.kron(matte, np.ones((20, 20), np.float32))
    assert quality.regions(large) == quality.regions(matte) == quality.Regions(blobs=1, holes=0)


def test_coverage_is_the_mean_alpha():
    """64 x 64 pixels of 1 and a line of 0.5."""
    matte = figure()
    matte[15, 32:96] = 0.5
    assert quality.coverage(matte) == pytest.approx((64 * 64 + 32) / (HEIGHT * WIDTH))


def test_an_edge_that_moves_over_a_still_plate_flickers():
    """And not where the plate itself moves, nor where nothing changes."""
    still, other = plate(), plate(0.5)
    moved = np.roll(figure(), 1, axis=1)
    assert flicker_of(figure(), figure(), still, still) == 0.0
    found = flicker_of(figure(), moved, still, still)
    # Two columns of 64 pixels change by 1; the band of edges is some pixels wide.
    assert found is not None
    assert 0.02 < found < 0.5
    assert flicker_of(figure(), moved, still, other) is None


def test_grain_is_no_motion():
    """Grain of 2 % of the display's range leaves the plate still."""
    random = np.random.default_rng(6)
    grainy = [plate() + random.normal(0, 0.02, (HEIGHT, WIDTH, 3)) for _ in range(2)]
    plates = [each.astype(np.float32) for each in grainy]
    assert flicker_of(figure(), np.roll(figure(), 1, axis=1), *plates) is not None


def test_a_matte_without_an_edge_has_no_flicker():
    """Empty before and after."""
    empty = np.zeros((HEIGHT, WIDTH), np.float32)
    assert flicker_of(empty, empty, plate(), plate()) is None


@pytest.mark.parametrize("height", [1, 3, 4, 17, 511, 512, 1080, 2161])
def test_the_lines_that_are_looked_at_lie_in_the_frame_in_whole_cells(height):
    """All lines of a small frame, as far as cells go; a quarter of a tall one's."""
    spans = quality.spans_of(height)
    lines = [line for span in spans for line in span]
    assert lines == sorted(set(lines))
    assert all(0 <= line < height for line in lines)
    assert all(len(span) % quality.CELL == 0 for span in spans)
    share = len(lines) / height
    if height >= quality.TALL:
        assert share == pytest.approx(1 / quality.EVERY, abs=0.03)
    elif height >= quality.BLOCK:
        assert len(lines) > height - quality.CELL


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 200), (200, 3), (2, 2)])
def test_frames_smaller_than_a_cell_have_no_flicker(height, width):
    """And every other figure."""
    matte = np.ones((height, width), np.float32)
    spans = quality.spans_of(height)
    cells = quality.cells_of(quality.lines_in(np.zeros((height, width, 3), np.float32), spans))
    lines = quality.lines_in(matte, spans)
    assert quality.flicker(lines, lines, quality.still_cells(cells, cells)) is None
    assert quality.regions(matte) == quality.Regions(blobs=0, holes=0)
    assert quality.change(matte, 0 * matte) == pytest.approx(1.0)
