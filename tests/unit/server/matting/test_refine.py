"""From working size to plate size: what the plate adds, and what it must not touch."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.truth.measures import case, error
from benchmarks.truth.scenes import draw as draw_scene
from gvm_client.settings import Refine
from gvm_server.matting.edges import near
from gvm_server.matting.edges.fit import flat
from gvm_server.matting.edges.guide import Guide
from gvm_server.matting.edges.sampling import average, nearest
from gvm_server.matting.engines.base import Image
from gvm_server.matting.refine import fitting, octaves, refine

SPREAD = 0.35
PLATE_WAYS = (Refine.GUIDED, Refine.DETAIL)

draw = cache(draw_scene)


def drawn(height: int, width: int, seed: int = 0, grain: float = 0.02) -> Guide:
    """Return a plate of blotches and noise."""
    rng = np.random.default_rng(seed)
    rough = rng.random((max(1, height // 9), max(1, width // 9), 3), np.float32)
    plate = cv2.resize(rough, (width, height)).reshape(height, width, 3)
    plate += 0.1 * rng.random((height, width, 3), np.float32)
    return Guide(display=(plate / 1.1 * 255).astype(np.uint8), grain=grain)


def matte(height: int, width: int, seed: int = 1) -> Image:
    """Return an alpha with solid, empty and soft places."""
    rough = np.random.default_rng(seed).random(
        (max(1, height // 8), max(1, width // 8)), np.float32
    )
    soft = cv2.resize(rough, (width, height)).reshape(height, width)
    return np.clip((soft - 0.5) * 4 + 0.5, 0.0, 1.0)


@pytest.mark.parametrize("way", Refine)
@pytest.mark.parametrize(
    "size",
    [
        (360, 640),
        (170, 301),
        (90, 160),
        (46, 80),
        (45, 80),
        (36, 64),
        (24, 40),
        (45, 320),
        (130, 60),
    ],
)
def test_the_result_has_the_plates_size_and_range(way: Refine, size: tuple[int, int]):
    """Larger, equal and smaller plates, anamorphic ones, with sides that divide into nothing."""
    refined = refine(matte(45, 80), drawn(*size), way, SPREAD)
    assert refined.shape == size
    assert refined.dtype == np.float32
    assert refined.min() >= 0.0
    assert refined.max() <= 1.0


@pytest.mark.parametrize(
    ("ratio", "grain", "most"),
    [(4, 0.0, 32), (4, 0.05, 62), (2, 0.0, 19), (2, 0.05, 31)],
)
def test_the_plate_brings_strands_back(ratio: int, grain: float, most: float):
    """On blond strands over boxes, the hardest truth; the whole table: `benchmarks.truth`."""
    of = case(draw("hairlight", 5), ratio, grain, seed=5)
    errors = {way: error(refine(of.alpha, of.guide, way, SPREAD), of) for way in Refine}
    assert errors[Refine.GUIDED] < most < 0.5 * errors[Refine.NONE]
    assert errors[Refine.DETAIL] < most


@pytest.mark.parametrize("way", PLATE_WAYS)
@pytest.mark.parametrize("name", ["limb", "bokeh"])
@pytest.mark.parametrize("grain", [0.0, 0.02])
def test_soft_edges_pick_up_neither_texture_nor_grain(way: Refine, name: str, grain: float):
    """A limb that moves and a subject out of focus are no worse than bilinear."""
    of = case(draw(name, 6), 4, grain, seed=6)
    plain = error(refine(of.alpha, of.guide, Refine.NONE, SPREAD), of)
    assert error(refine(of.alpha, of.guide, way, SPREAD), of) <= plain


@pytest.mark.parametrize("way", PLATE_WAYS)
@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(3, 40),
    width=st.integers(3, 40),
    up=st.tuples(st.floats(1.1, 5.0), st.floats(1.1, 5.0)),
    spread=st.sampled_from([0.0, 0.35, 1.0]),
    seed=st.integers(0, 99),
)
def test_outside_the_band_no_code_value_changes(
    way: Refine, height: int, width: int, up: tuple[float, float], spread: float, seed: int
):
    """In a plate pixel whose 3 x 3 working pixels have one value, bilinear's own bits stand."""
    size = (round(height * up[0]), round(width * up[1]))
    alpha, guide = matte(height, width, seed), drawn(*size, seed)
    alpha[: height // 2] = np.round(alpha[: height // 2])
    still = flat(alpha)[nearest(height, size[0])][:, nearest(width, size[1])]
    plain = refine(alpha, guide, Refine.NONE, spread)
    refined = refine(alpha, guide, way, spread)
    np.testing.assert_array_equal(refined[still], plain[still])


@pytest.mark.parametrize("way", Refine)
def test_solid_and_empty_stay_exact_under_any_texture(way: Refine):
    """Where the model's alpha is 0 or 1 the plate's texture leaves no trace."""
    alpha = np.zeros((100, 100), np.float32)
    alpha[:, 50:] = 1.0
    refined = refine(alpha, drawn(400, 400), way, SPREAD)
    assert not refined[:, : 4 * 49].any()
    assert np.all(refined[:, 4 * 51 :] == 1.0)
    assert np.ptp(refined[:, 4 * 49 : 4 * 51]) > 0.5


@pytest.mark.parametrize("way", PLATE_WAYS)
def test_averaged_back_the_matte_is_the_models(way: Refine):
    """The guide adds only what the working size could not hold."""
    of = case(draw("wires", 7), 4, 0.0, seed=7)
    off = {
        each: float(
            np.abs(average(refine(of.alpha, of.guide, each, 0.0), 256, 256) - of.alpha).mean()
        )
        for each in (way, Refine.NONE)
    }
    assert off[way] < 0.2 * off[Refine.NONE]


@pytest.mark.parametrize("way", PLATE_WAYS)
def test_a_featureless_plate_adds_nothing_to_a_ramp(way: Refine):
    """Without anything to follow a soft ramp stays the ramp that bilinear makes."""
    alpha = np.linspace(0.1, 0.9, 40, dtype=np.float32)[None].repeat(30, axis=0)
    guide = Guide(display=np.full((120, 160, 3), 102, np.uint8), grain=0.0)
    refined = refine(alpha, guide, way, 0.0)
    plain = refine(alpha, guide, Refine.NONE, 0.0)
    np.testing.assert_allclose(refined[:, 24:-24], plain[:, 24:-24], atol=1e-4)


@pytest.mark.parametrize("way", Refine)
def test_a_soft_alpha_keeps_its_steps(way: Refine):
    """A ramp from 0 to 0.1 has hundreds of values at plate size: nothing is cut off."""
    alpha = np.linspace(0.0, 0.1, 300, dtype=np.float32)[None].repeat(20, axis=0)
    refined = refine(alpha, drawn(60, 900), way, SPREAD)
    assert len(np.unique(refined.astype(np.float16))) >= 200
    assert refined.max() > 0.09


@pytest.mark.parametrize("way", Refine)
def test_at_working_size_nothing_changes(way: Refine):
    """A plate that the model saw in full has nothing to add."""
    alpha = matte(30, 40)
    assert np.array_equal(refine(alpha, drawn(30, 40), way, SPREAD), alpha)


@pytest.mark.parametrize("way", Refine)
def test_a_smaller_plate_gets_averages(way: Refine):
    """A plate below working size gets the mean of the pixels it stands for."""
    alpha = np.array(((0.0, 1.0), (1.0, 1.0)), np.float32)
    assert refine(alpha, drawn(1, 1), way, SPREAD) == pytest.approx(0.75)


@pytest.mark.parametrize("way", Refine)
def test_a_read_only_view_is_taken(way: Refine):
    """A working alpha cut out of its padding, in a buffer that nobody may write, is fine."""
    padded, guide = matte(32, 64), drawn(90, 180)
    padded.flags.writeable = False
    guide.display.flags.writeable = False
    view = padded[1:31, 2:62]
    refined = refine(view, guide, way, SPREAD)
    assert np.array_equal(refined, refine(view.copy(), guide, way, SPREAD))


@pytest.mark.parametrize("way", Refine)
@pytest.mark.parametrize("size", [(180, 320), (169, 296)])
def test_how_many_rows_are_made_at_once_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, way: Refine, size: tuple[int, int]
):
    """Strips are for memory and speed; what is cut out is rounded as it lies there."""
    alpha, guide = matte(45, 80), drawn(*size)
    alpha[:, :30] = np.round(alpha[:, :30])
    whole = refine(alpha, guide, way, SPREAD)
    for rows in (1, 7, 1000):
        monkeypatch.setattr(near, "ROWS", rows)
        np.testing.assert_allclose(refine(alpha, guide, way, SPREAD), whole, atol=2e-6)


@pytest.mark.parametrize("way", PLATE_WAYS)
@pytest.mark.parametrize("size", [(480, 720), (450, 675), (437, 691)])
def test_only_what_is_near_the_band_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, way: Refine, size: tuple[int, int]
):
    """A small subject costs little, and is what it is with the whole frame looked at."""
    alpha = np.zeros((120, 180), np.float32)
    alpha[50:80, 70:100] = matte(30, 30)
    guide = drawn(*size)
    alone = refine(alpha, guide, way, SPREAD)
    monkeypatch.setattr(near, "MARGIN", 200)
    np.testing.assert_allclose(alone, refine(alpha, guide, way, SPREAD), atol=2e-6)


def test_an_unwanted_way_is_replaced_by_a_fitting_one():
    """Detail begins at 2.5 times; a plate seen in full needs none; not every engine does tiles."""
    working = (100, 200)
    for way in Refine:
        assert fitting(way, (100, 200), working) is Refine.NONE
        assert fitting(way, (60, 90), working) is Refine.NONE
        assert fitting(way, (400, 800), working, sees_parts=True) is way
    assert fitting(Refine.DETAIL, (240, 480), working) is Refine.GUIDED
    assert fitting(Refine.DETAIL, (100, 500), working) is Refine.DETAIL
    assert fitting(Refine.TILES, (120, 240), working, sees_parts=True) is Refine.TILES
    assert fitting(Refine.TILES, (400, 800), working) is Refine.DETAIL
    assert fitting(Refine.TILES, (240, 480), working) is Refine.GUIDED
    assert fitting(Refine.NONE, (240, 480), working) is Refine.NONE


@pytest.mark.parametrize(
    ("plate", "sizes"),
    [
        ((400, 800), [(200, 400)]),
        ((375, 750), [(200, 400)]),
        ((800, 1600), [(200, 400), (400, 800)]),
        ((450, 900), [(200, 400)]),
        ((100, 800), [(100, 400)]),
        ((150, 300), []),
    ],
)
def test_octaves_double_and_the_last_step_reaches_the_plate(
    plate: tuple[int, int], sizes: list[tuple[int, int]]
):
    """From 100 x 200: a side that has arrived stays."""
    assert octaves((100, 200), plate) == [(100, 200), *sizes, plate]
