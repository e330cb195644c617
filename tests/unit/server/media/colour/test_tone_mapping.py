"""What the model sees of light: exposure, and the shoulder below white."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvm_client.settings import Highlights
from gvm_server.media.colour.hints import FileHint
from gvm_server.media.colour.spaces import resolve_colour
from gvm_server.media.colour.tone_mapping import KNEE, NO_TONE_MAPPING, ToneMapping, roll_off

FLOAT = FileHint(kind="openexr", is_float=True)
ROLLED = ToneMapping(highlights=Highlights.ROLLOFF)
VALUES = st.floats(min_value=-10.0, max_value=1e9, width=32)


def grey(*values: float) -> np.ndarray:
    """Return a row of grey pixels [1, N, 3]."""
    return np.repeat(np.array(values, np.float32)[np.newaxis, :, np.newaxis], 3, axis=2)


@pytest.mark.parametrize(
    ("light", "seen"), [(0.8, 0.8), (1.0, 0.9), (2.0, 34 / 35), (4.0, 84 / 85), (16.0, 384 / 385)]
)
def test_the_shoulder_is_the_formula_s(light: float, seen: float):
    """1, 2, 4 and 16 are four whites, not one: 1 - 0.04 / (x - 0.6)."""
    assert roll_off(np.array([light], np.float32))[0] == pytest.approx(seen, abs=1e-6)


@given(st.lists(VALUES, min_size=1, max_size=50), st.sampled_from([1.0, 1.5, 4.0, np.inf]))
def test_up_to_the_knee_nothing_changes_and_above_it_order_stays(values: list[float], most: float):
    """To the bit; and nothing that the plate can hold passes 1."""
    light = np.sort(np.minimum(np.array(values, np.float32), np.float32(most)))
    kept = light.copy()
    seen = roll_off(light, most=most)
    assert np.array_equal(light, kept)
    low = light <= np.float32(KNEE)
    assert np.array_equal(seen[low], light[low])
    assert (np.diff(seen) >= 0).all()
    assert seen.max() <= max(1.0 + 1e-6, KNEE)


def test_it_is_smooth_at_the_knee():
    """In value and in slope."""
    steps = roll_off(np.linspace(0.79, 0.81, 201, dtype=np.float32)).astype(np.float64)
    slopes = np.diff(steps) / 1e-4
    assert slopes == pytest.approx(np.ones(200), abs=0.12)


def test_light_beyond_every_number_is_white():
    """A division would make nothing of it."""
    seen = roll_off(np.array([3e38, 1e30], np.float32))
    assert seen == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("space", ["scene_linear", "acescg", "cineon", "pq", "hlg"])
def test_spaces_that_hold_more_than_white_are_rolled_off(space: str):
    """What a clip made one white stays apart; dark pixels keep their bits."""
    colour = resolve_colour(space, FLOAT)
    bright = grey(0.9, 0.95, 1.0) if space in {"cineon", "pq", "hlg"} else grey(1.0, 2.0, 4.0)
    assert len(np.unique(colour.to_display(bright)[..., 1])) == 1
    assert len(np.unique(colour.to_display(bright, ROLLED)[..., 1])) == 3
    dark = grey(0.0, 0.01, 0.2, 0.3)
    assert np.array_equal(colour.to_display(dark), colour.to_display(dark, ROLLED))


@pytest.mark.parametrize("space", ["srgb", "rec709", "raw", "p3"])
def test_displayed_pixels_end_at_white_already(space: str):
    """A camera or a grade has rolled them off: not a bit changes."""
    colour = resolve_colour(space, FLOAT)
    pixels = grey(*np.linspace(-0.1, 1.2, 100))
    assert np.array_equal(colour.to_display(pixels), colour.to_display(pixels, ROLLED))


@pytest.mark.parametrize("space", ["scene_linear", "srgb"])
def test_a_stop_doubles_the_light(space: str):
    """Of displayed pixels too; down and up again is the picture."""
    colour, linear = resolve_colour(space, FLOAT), resolve_colour("scene_linear", FLOAT)
    pixels = grey(0.05, 0.1, 0.2)
    brighter = colour.to_display(pixels, ToneMapping(exposure=1.0))
    if space == "scene_linear":
        assert np.array_equal(brighter, linear.to_display(pixels * np.float32(2.0)))
    assert (brighter > colour.to_display(pixels)).all()
    darker = ToneMapping(exposure=-1.0)
    again = resolve_colour("srgb", FLOAT).to_display(brighter, darker)
    assert again == pytest.approx(colour.to_display(pixels), abs=1e-4)


def test_displayed_white_stays_the_brightest_when_it_is_exposed_up():
    """The shoulder ends where the plate does: no highlight is cut, and white is white."""
    colour = resolve_colour("srgb", FLOAT)
    seen = colour.to_display(
        grey(0.7, 0.8, 0.9, 1.0), ToneMapping(exposure=2.0, highlights=ROLLED.highlights)
    )
    assert (np.diff(seen[0, :, 1]) > 0).all()
    assert seen.max() == pytest.approx(1.0, abs=1e-5)


def test_no_view_is_what_everything_else_shows():
    """Comps and thumbnails clip."""
    colour = resolve_colour("scene_linear", FLOAT)
    assert np.array_equal(
        colour.to_display(grey(0.5, 3.0)), colour.to_display(grey(0.5, 3.0), NO_TONE_MAPPING)
    )
