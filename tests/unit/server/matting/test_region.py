"""What the model sees of a region, how its matte ends, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest

from gvm_client.errors import InputError
from gvm_client.regions import parse_regions
from gvm_client.settings import WindowSettings
from gvm_client.windows import Plan
from gvm_server.matting.region import RAMP, feathered, notes_of, of_cuts, touched_sides, views_of
from gvm_server.matting.working_size import working_size
from gvm_server.media.geometry import Box, ClipGeometry

DISPLAY = Box(x=0, y=0, width=400, height=200)
CANVAS = Box(x=-20, y=-10, width=440, height=220)
GEOMETRY = ClipGeometry(display=DISPLAY, canvas=CANVAS)
PLAN = Plan(first=1, last=20, frames_per_window=4, overlap=1, cuts=(11,))
WHOLE = working_size(220, 440, WindowSettings(size=110), 32)


def views(text: str, scale: float = 1.0, geometry: ClipGeometry = GEOMETRY):
    """Return the views of some regions."""
    return views_of(parse_regions(text), scale, PLAN, geometry, WHOLE, 32)


def test_a_region_is_seen_with_a_quarter_of_its_sides_around_it_at_the_whole_frame_s_scale():
    """The plate is seen at half its size here; context is cut at the canvas."""
    (view,) = views("100,40,160,80")
    assert view.region == Box(x=100, y=40, width=160, height=80)
    assert view.seen == Box(x=60, y=20, width=240, height=120)
    assert (view.working.width, view.working.height) == (120, 60)
    assert (view.working.padded_width, view.working.padded_height) == (128, 64)
    (view,) = views("-20,-10,160,80")
    assert view.seen == Box(x=-20, y=-10, width=200, height=100)


def test_the_scale_buys_pixels_and_the_display_window_s_own_place_counts():
    """A region is in pixels of the display window, wherever that lies."""
    (view,) = views("100,40,160,80", 2.0)
    assert (view.working.width, view.working.height) == (240, 120)
    away = ClipGeometry(
        display=Box(x=1000, y=500, width=400, height=200),
        canvas=Box(x=980, y=490, width=440, height=220),
    )
    (view,) = views("100,40,160,80", geometry=away)
    assert view.region == Box(x=1100, y=540, width=160, height=80)


def test_a_small_region_has_room_for_its_ramp():
    """A quarter of one pixel is none: the context is never narrower than the ramp."""
    (view,) = views("200,100,1,1")
    assert view.seen == Box(x=200 - RAMP, y=100 - RAMP, width=2 * RAMP + 1, height=2 * RAMP + 1)


def test_shots_before_the_first_region_are_seen_whole():
    """A region from a cut on leaves what is before it as it is."""
    whole, later = views("11:0,0,100,100")
    assert (whole.first, whole.seen, whole.working, whole.region) == (1, CANVAS, WHOLE, None)
    assert later.first == 11


@pytest.mark.parametrize("text", ["420,0,10,10", "0,210,10,10", "-40,0,20,10"])
def test_a_region_outside_the_picture_is_refused_with_where_the_picture_is(text):
    """Overscan is picture."""
    with pytest.raises(InputError) as caught:
        views(text)
    assert "x -20 to 419 and y -10 to 209" in caught.value.message


def test_a_view_of_more_pixels_than_any_model_sees_is_refused():
    """The message has the size, the remedy the options."""
    large = working_size(220, 440, WindowSettings(size=4096, max_resolution=8192), 32)
    with pytest.raises(InputError, match="8192 at most") as caught:
        views_of(parse_regions("0,0,400,200"), 4.0, PLAN, GEOMETRY, large, 32)
    assert "--roi-scale" in caught.value.remedy


def test_the_matte_is_untouched_in_its_region_and_ends_softly_within_its_context():
    """No two neighbours differ by a hard edge; at the canvas's edge nothing is taken away."""
    (view,) = views("100,40,160,80")
    alpha = np.full((view.seen.height, view.seen.width), 0.75, np.float32)
    whole = feathered(alpha, view, CANVAS)
    assert whole.shape == (CANVAS.height, CANVAS.width)
    inside = view.region.slices_in(CANVAS)
    assert (whole[inside] == 0.75).all()
    row = whole[60 - CANVAS.y]
    assert (row[: 100 - RAMP - CANVAS.x] == 0).all()
    assert (row[260 + RAMP - CANVAS.x :] == 0).all()
    assert np.abs(np.diff(row)).max() < 0.75 * 1.6 / RAMP
    assert (np.diff(row[: 110 - CANVAS.x]) >= 0).all()
    (view,) = views("-20,40,100,80")
    alpha = np.ones((view.seen.height, view.seen.width), np.float32)
    assert (feathered(alpha, view, CANVAS)[60, :100] == 1).all()


def test_a_matte_that_touches_the_region_inside_the_frame_is_cut_on_that_side():
    """Where the picture ends nothing is cut, nor where the matte ends before the border."""
    (view,) = views("0,40,160,80")
    alpha = np.zeros((view.seen.height, view.seen.width), np.float32)
    at = Box(x=0, y=60, width=160, height=20).slices_in(view.seen)
    alpha[at] = 1.0
    assert touched_sides(alpha, view, CANVAS) == ("left", "right")
    assert touched_sides(alpha, view, DISPLAY) == ("right",)
    assert touched_sides(alpha * np.float32(0.05), view, CANVAS) == ()
    assert touched_sides(alpha, view, Box(x=300, y=0, width=10, height=10)) == ()


def test_the_cost_is_said():
    """Region, frame, what is seen, and its share of the work."""
    (says,) = notes_of(views("100,40,160,80", 2.0), 2.0, GEOMETRY, reading=True)
    assert "160x80" in says
    assert "440x220" in says
    assert "240x120 pixels, 30% of the frame's area" in says
    assert "2 times its scale: about 119% of the whole frame's work" in says
    (says,) = notes_of(views("100,40,160,80", 4.0), 4.0, GEOMETRY, reading=True)
    assert "4 times its scale: about 4.8 times the whole frame's work" in says
    (says,) = notes_of(views(""), 2.0, GEOMETRY, reading=False)
    assert "does nothing" in says
    assert not list(notes_of(views(""), 1.0, GEOMETRY, reading=False))


def test_what_is_said_is_in_the_pixels_in_which_a_region_is_written():
    """From the display window's top left, wherever that lies in the file."""
    away = ClipGeometry(
        display=Box(x=1000, y=500, width=400, height=200),
        canvas=Box(x=980, y=490, width=440, height=220),
    )
    (says,) = notes_of(views("100,40,160,80", geometry=away), 1.0, away, reading=True)
    assert "the region 160x80 at (100, 40) of 440x220 at (-20, -10)" in says


def test_a_region_of_next_to_nothing_is_not_said_to_cost_nothing():
    """Context and all it is 33 of 4400 pixels wide here."""
    large = Box(x=0, y=0, width=4400, height=2200)
    geometry = ClipGeometry(display=large, canvas=large)
    (says,) = notes_of(views("900,900,1,1", geometry=geometry), 1.0, geometry, reading=True)
    assert says.endswith(
        "less than 1% of the frame's area: less than 1% of the whole frame's work."
    )


def test_cut_subjects_are_said_with_frames_and_sides():
    """The sides of all frames together, in one order."""
    says = of_cuts({3: "right bottom", 1: "left bottom", 2: "left bottom"})
    assert says.startswith(
        "The matte touches its region's border (left, right, bottom) in 3 frames"
    )
    assert "(1-3): the subject is cut there" in says
