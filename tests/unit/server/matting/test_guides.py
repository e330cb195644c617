"""Guides on a finished alpha: what is forced, what stays, and how a feather falls."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvm_client.guides import Guides
from gvm_client.settings import MatteKnobs
from gvm_server.matting.engines.base import Image
from gvm_server.matting.finish import in_window
from gvm_server.matting.guides import GuideMattes, feathered, open_guides
from gvm_server.matting.knobs import apply as apply_knobs
from gvm_server.media.file_access import Roots
from gvm_server.media.geometry import Box, ClipGeometry
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.guide import LaidGuide
from tests.support.mattes import write_matte
from tests.support.threads import hashes

SIDE = 64
WINDOW = Box(x=0, y=0, width=SIDE, height=SIDE)


class Held:
    """A guide that is one picture, as a `GuideClip`."""

    def __init__(self, pixels: Image, box: Box = WINDOW) -> None:
        self.name = "/roto/g.png"
        self.notes = ()
        self._laid = LaidGuide(pixels=pixels, box=box)

    def read(self, frame: int) -> LaidGuide:
        """Return the picture."""
        del frame
        return self._laid


def random_alpha(seed: int = 0) -> Image:
    """Return soft values with many exact 0 and 1."""
    values = np.random.default_rng(seed).random((SIDE, SIDE), np.float32)
    return np.clip(values * 2 - 0.5, 0, 1).astype(np.float32)


def rectangle(left: int, top: int, right: int, bottom: int) -> Image:
    """Return a hard matte, 1 in a rectangle."""
    matte = np.zeros((SIDE, SIDE), np.float32)
    matte[top:bottom, left:right] = 1.0
    return matte


@st.composite
def mattes(draw: st.DrawFn) -> Image:
    """Draw a guide: hard or soft, with exact 0 and 1 in it."""
    seed, soft = draw(st.integers(0, 1000)), draw(st.booleans())
    return random_alpha(seed) if soft else np.round(random_alpha(seed))


@given(mattes(), mattes(), st.sampled_from([0.0, 0.7, 3.0, 11.5]))
def test_forced_is_exact_the_holdout_wins_and_the_rest_stays(garbage, holdout, feather):
    """For any guides and feather; nothing leaves 0..1."""
    alpha = random_alpha(7)
    before = alpha.copy()
    guides = GuideMattes(garbage=Held(garbage), holdout=Held(holdout), feather=feather)
    forced = guides.apply(alpha, WINDOW, 1)
    assert forced.dtype == np.float32
    assert (forced[holdout == 1] == 1.0).all()
    assert (forced[(garbage == 1) & (feathered_or_not(holdout, feather) == 0)] == 0.0).all()
    assert forced.min() >= 0.0
    assert forced.max() <= 1.0
    if feather == 0.0:
        free = (garbage == 0) & (holdout == 0)
        np.testing.assert_array_equal(forced[free], alpha[free])
    np.testing.assert_array_equal(alpha, before)


def feathered_or_not(guide: Image, feather: float) -> Image:
    """Return a guide under a feather."""
    return guide if feather == 0.0 else feathered(guide, feather)


def test_a_soft_guide_weighs():
    """As `out` and `over` do: 0.25 of garbage leaves three quarters, of holdout adds a quarter."""
    quarter, alpha = np.full((SIDE, SIDE), 0.25, np.float32), random_alpha()
    gone = GuideMattes(garbage=Held(quarter)).apply(alpha, WINDOW, 1)
    held = GuideMattes(holdout=Held(quarter)).apply(alpha, WINDOW, 1)
    np.testing.assert_allclose(gone, alpha * 0.75, atol=1e-7)
    np.testing.assert_allclose(held, alpha + (1 - alpha) * 0.25, atol=1e-7)


@pytest.mark.parametrize("length", [1.0, 4.0, 10.0, 25.5, 140.0])
def test_a_feather_falls_outward_without_a_seam(length):
    """From 1 at the border to 0 at the length; no step, and no bend sharper than a smooth one's."""
    wide = np.zeros((9, 600), np.float32)
    wide[:, :300] = 1.0
    soft = feathered(wide, length)[4]
    assert (soft[:300] == 1.0).all()
    assert (soft[300 + round(length) + 2 :] < 1e-3).all()
    assert soft[299 + max(1, round(length / 4))] < 1.0 or length < 4
    steps = np.diff(soft[300:])
    assert (steps <= 1e-6).all(), "it only falls"
    if length >= 10:
        assert np.abs(steps).max() < 4.5 / length
        bends = np.abs(np.diff(soft, 2))
        assert bends.max() < 30 / length**2 + 1e-3, "a straight ramp bends at its ends by 1/length"


def test_a_feather_of_nothing_is_nothing():
    """Neither a feather below a pixel nor a guide without anything changes what is there."""
    hard = rectangle(10, 10, 30, 50)
    np.testing.assert_array_equal(feathered(np.zeros_like(hard), 20.0), 0.0)
    assert np.abs(feathered(hard, 0.01) - hard).max() < 0.02
    np.testing.assert_allclose(feathered(np.full_like(hard, 0.5), 9.0), 0.5, atol=1e-7)


@pytest.mark.parametrize("length", [0.4, 3.0, 17.5, 60.0])
def test_only_what_is_near_an_edge_is_looked_at(length):
    """The result is that of the whole picture, but for the last bit of a constant."""
    wide = np.zeros((300, 400), np.float32)
    wide[100:180, 150:260], wide[120:130, 160:170] = 1.0, 0.3
    for guide in (wide, 1 - wide, wide.T.copy()):
        knobs = MatteKnobs(grow=length / 2, blur=length / 8)
        whole = np.maximum(apply_knobs(guide, knobs), guide)
        np.testing.assert_allclose(feathered(guide, length), whole, rtol=0, atol=2e-7)


@pytest.mark.parametrize("length", [2.5, 30.0])
def test_the_frames_border_is_no_edge(length):
    """A guide that leaves the frame neither fades along the border nor ends there."""
    guides = GuideMattes(garbage=Held(rectangle(0, 0, 32, SIDE)), feather=length)
    forced = guides.apply(np.ones((SIDE, SIDE), np.float32), WINDOW, 1)
    np.testing.assert_array_equal(forced, np.broadcast_to(forced[SIDE // 2], forced.shape))


def test_what_lies_beyond_the_window_fades_into_it():
    """A guide with more than the plate: a shape just outside reaches in by its feather."""
    box = Box(x=-20, y=0, width=SIDE + 20, height=SIDE)
    beyond = np.zeros((SIDE, SIDE + 20), np.float32)
    beyond[:, :20] = 1.0  # ends where the window begins
    guides = GuideMattes(garbage=Held(beyond, box), feather=10.0)
    forced = guides.apply(np.ones((SIDE, SIDE), np.float32), WINDOW, 1)
    assert forced[30, 0] < 0.1
    assert (forced[:, 12:] == 1.0).all()


def test_guides_come_after_every_knob():
    """A grow of 20 and an invert move no forced pixel."""
    garbage, holdout = rectangle(0, 0, 20, 64), rectangle(30, 0, 40, 64)
    guides = GuideMattes(garbage=Held(garbage), holdout=Held(holdout))
    geometry = ClipGeometry(display=WINDOW, canvas=WINDOW, pixel_aspect=1.0)
    for knobs in (MatteKnobs(grow=20.0), MatteKnobs(invert=True, blur=9.0), MatteKnobs(gamma=3.0)):
        alpha, _ = in_window(random_alpha(), geometry, WINDOW, knobs, guides, 1)
        assert (alpha[garbage == 1] == 0.0).all()
        assert (alpha[holdout == 1] == 1.0).all()


def test_a_holdout_matte_reaches_beyond_a_cropped_plate():
    """Where the plate has no pixels too: the file then covers the display window."""
    data = Box(x=20, y=20, width=10, height=10)
    geometry = ClipGeometry(display=WINDOW, canvas=WINDOW, pixel_aspect=1.0)
    guides = GuideMattes(holdout=Held(rectangle(0, 0, 5, 5)))
    alpha, window = in_window(random_alpha(), geometry, data, MatteKnobs(), guides, 1)
    assert window == WINDOW
    assert (alpha[:5, :5] == 1.0).all()
    garbage = GuideMattes(garbage=Held(rectangle(0, 0, 25, 64)))
    alpha, window = in_window(random_alpha(), geometry, data, MatteKnobs(), garbage, 1)
    assert window == data, "a garbage matte makes nothing of pixels that are 0"
    assert (alpha[:, :5] == 0.0).all()


@pytest.mark.parametrize("length", [0.0, 3.3, 40.0, 200.0])
def test_every_count_of_threads_gives_the_same_bits(length):
    """Narrow and wide feathers."""
    seed = np.random.default_rng(1).random((271, 483), np.float32)
    box = Box(x=0, y=0, width=483, height=271)
    guides = GuideMattes(
        garbage=Held(np.round(seed), box), holdout=Held(seed[::-1].copy(), box), feather=length
    )
    assert len(set(hashes(lambda: guides.apply(seed, box, 1)))) == 1


def test_a_key_is_the_frames_own(tmp_path: Path):
    """Content, name and feather; nothing where there is no guide."""
    for frame in (1, 2):
        write_matte(tmp_path / "g" / f"g.{frame:04d}.png", rectangle(frame, 0, 30, 30))
    still = write_matte(tmp_path / "still.png", rectangle(1, 0, 30, 30))
    geometry = ClipGeometry(display=WINDOW, canvas=WINDOW, pixel_aspect=1.0)

    def parts(frame: int, **asked: object) -> list[object]:
        guides = open_guides(Guides(**asked), PlateOptions(path=""), geometry, roots=Roots())
        return list(guides.key_parts(frame))

    sequence = str(tmp_path / "g")
    assert parts(1) == []
    assert parts(1, guide_feather=4.0) == [], "a feather of nothing decides nothing"
    assert parts(1, garbage=sequence) == parts(1, garbage=str(still))
    assert parts(1, garbage=sequence) != parts(2, garbage=sequence)
    assert parts(1, garbage=sequence) != parts(1, holdout=sequence)
    assert parts(1, garbage=sequence) != parts(1, garbage=sequence, guide_feather=4.0)
