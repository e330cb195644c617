"""The straight foreground: near the best known estimator, exact where nothing is mixed."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from gvm_server.matting import foreground as module
from gvm_server.matting.foreground import Despill, despill, foreground
from tests.support.layered import SCENES, Scene, draw, fringe, recomposite
from tests.support.threads import hashes
from tests.support.tree import ROOT

JUDGED = json.loads((ROOT / "tests/golden/foreground.json").read_text(encoding="utf-8"))
WITHIN = 1.10  # of the judge's error


@pytest.fixture(scope="module", params=SCENES)
def named(request) -> tuple[str, Scene]:
    """Each drawn scene in turn."""
    return request.param, draw(request.param)


def random_pair(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a plate and an alpha with solid, soft and empty parts."""
    rng = np.random.default_rng(height * 1000 + width)
    plate = rng.random((height, width, 3), np.float32) * 3
    ramp = np.linspace(-0.5, 1.5, width, dtype=np.float32)[None].repeat(height, axis=0)
    return plate, np.clip(ramp + rng.normal(0, 0.05, ramp.shape), 0, 1).astype(np.float32)


def test_it_is_as_near_the_truth_as_the_judge(named: tuple[str, Scene]):
    """Within 10 % of PyMatting's multi-level estimator, in itself and over another background."""
    name, scene = named
    made = foreground(scene.plate, scene.alpha)
    errors = {"fringe": fringe(scene, made), "recomposite": recomposite(scene, made)}
    for measure, error in errors.items():
        assert error <= WITHIN * JUDGED[name][measure], measure


def test_over_a_new_background_it_beats_the_plate(named: tuple[str, Scene]):
    """The old background shows through in the plate's colours: at least a quarter less of it."""
    _, scene = named
    made = recomposite(scene, foreground(scene.plate, scene.alpha))
    plain = recomposite(scene, scene.plate)
    assert made < 0.75 * plain


def test_an_imperfect_alpha_still_beats_the_plate(named: tuple[str, Scene]):
    """With the alpha of a model that blurs by half a pixel, the foreground is worth having."""
    _, scene = named
    blurred = cv2.GaussianBlur(scene.alpha, (0, 0), 0.5)
    made = recomposite(scene, foreground(scene.plate, blurred), blurred)
    plain = recomposite(scene, scene.plate, blurred)
    assert made < plain


def test_solid_pixels_are_the_plates_own_bits():
    """Nothing is computed where nothing is mixed, negative and very bright values included."""
    plate, alpha = random_pair(97, 140)
    plate[3, 120:] = -0.25
    plate[5, 120:] = 6e4
    solid = alpha == 1
    assert solid.any()
    assert np.array_equal(foreground(plate, alpha)[solid], plate[solid])


def test_a_known_foreground_over_a_known_background_comes_back():
    """One red over one blue: red everywhere, beyond the edge too, no trace of blue."""
    alpha = cv2.GaussianBlur(np.pad(np.ones((60, 60), np.float32), 50), (0, 0), 4)
    alpha[alpha < 1e-4], alpha[alpha > 1 - 1e-4] = 0, 1
    red, blue = np.array((0.8, 0.1, 0.05), np.float32), np.array((0.1, 0.2, 2.0), np.float32)
    share = alpha[..., None]
    made = foreground(share * red + (1 - share) * blue, alpha)
    near = cv2.dilate((alpha > 0).astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    np.testing.assert_allclose(made[near], np.broadcast_to(red, made[near].shape), atol=0.02)
    np.testing.assert_allclose(made, np.broadcast_to(red, made.shape), atol=0.1)


def test_it_scales_with_the_plate():
    """Eight times the light is eight times the foreground, bit for bit: no value is special."""
    plate, alpha = random_pair(90, 131)
    assert np.array_equal(foreground(plate * 8, alpha), foreground(plate, alpha) * 8)


def test_it_stays_within_the_plates_range():
    """No channel is darker than the plate's darkest (or 0), nor brighter than its brightest."""
    plate, alpha = random_pair(64, 200)
    made = foreground(plate, alpha)
    assert made.min() >= 0.0
    assert made.max() <= plate.max()
    assert made.dtype == np.float32


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 3), (47, 31), (49, 64), (97, 1)])
def test_every_size_is_taken(size: tuple[int, int]):
    """Single rows, odd sides and a row more than a strip."""
    plate, alpha = random_pair(*size)
    made = foreground(plate, alpha)
    assert made.shape == plate.shape
    assert np.isfinite(made).all()


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_an_alpha_without_an_edge_is_taken(share: float):
    """An empty frame has some finite colour, a solid one the plate's."""
    plate, _ = random_pair(50, 70)
    made = foreground(plate, np.full((50, 70), share, np.float32))
    assert np.isfinite(made).all()
    assert share == 0.0 or np.array_equal(made, plate)


def test_strips_leave_no_seam(monkeypatch):
    """Worked on in strips or whole, it is the same picture."""
    plate, alpha = random_pair(211, 60)
    strips = foreground(plate, alpha)
    monkeypatch.setattr(module, "STRIP", 1024)
    np.testing.assert_allclose(strips, foreground(plate, alpha), atol=2e-5)


def test_the_count_of_threads_changes_no_bit():
    """Every count from 1 to 7 gives one foreground."""
    plate, alpha = random_pair(301, 517)
    assert len(set(hashes(lambda: foreground(plate, alpha)))) == 1


def test_the_inputs_may_be_views_that_nobody_may_write():
    """A crop of a larger plate, read-only, is taken and left alone."""
    plate, alpha = random_pair(80, 120)
    plate.flags.writeable = alpha.flags.writeable = False
    view = foreground(plate[5:70, 9:110], alpha[5:70, 9:110])
    assert np.array_equal(view, foreground(plate[5:70, 9:110].copy(), alpha[5:70, 9:110].copy()))


def test_an_alpha_of_another_size_is_refused():
    """A wrong pair is the caller's mistake, and says both sizes."""
    plate, alpha = random_pair(20, 30)
    with pytest.raises(ValueError, match=r"20, 30, 3.*10, 30"):
        foreground(plate, alpha[:10])


@pytest.mark.parametrize(
    ("screen", "given", "wanted"),
    [
        (Despill.GREEN, (0.2, 0.9, 0.4), (0.2, 0.3, 0.4)),
        (Despill.GREEN, (0.2, 0.25, 0.4), (0.2, 0.25, 0.4)),
        (Despill.BLUE, (0.2, 0.4, 3.0), (0.2, 0.4, 0.3)),
        (Despill.NONE, (0.2, 0.9, 0.4), (0.2, 0.9, 0.4)),
    ],
)
def test_despill_takes_the_screens_colour_down_to_the_others_mean(screen, given, wanted):
    """By hand: the mean of 0.2 and 0.4 is 0.3; what is below it stays, and the input too."""
    colours = np.full((2, 2, 3), given, np.float32)
    np.testing.assert_allclose(despill(colours, screen), np.full((2, 2, 3), wanted), rtol=1e-6)
    np.testing.assert_array_equal(colours, np.full((2, 2, 3), given, np.float32))
