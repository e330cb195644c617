"""Regions as an artist writes them, and the shots that they hold in."""

from __future__ import annotations

from argparse import Namespace

import pytest

from gvm_client.errors import GvmError, InputError, SettingsError
from gvm_client.regions import (
    Region,
    by_shot,
    check_scale,
    parse_region,
    parse_regions,
    region_of,
)
from gvm_client.windows import Plan
from tests.golden import make_regions
from tests.support.tree import GOLDEN

PLAN = Plan(first=1001, last=1100, frames_per_window=8, overlap=1, cuts=(1020, 1050))


@pytest.mark.parametrize("text", ["-8,40,640,720", "1050:0,0,1,65536", "-5:-1,-2,3,4"])
def test_a_region_is_written_as_it_is_read(text):
    """Places may be negative, and frames too."""
    assert str(parse_region(text)) == text


def test_a_panel_s_text_holds_several_regions_and_an_empty_one_none():
    """With blanks between them."""
    assert parse_regions("") == parse_regions([]) == ()
    first, second = parse_regions(" 1,2,3,4  1050:5,6,7,8 ")
    assert (first.frame, second.frame, second.height) == (None, 1050, 8)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1,2,3", "'1,2,3' is no region"),
        ("1,2,3,4,5", "is no region"),
        ("a:1,2,3,4", "is no region"),
        (":1,2,3,4", "is no region"),
        ("1.5,2,3,4", "is no region"),
        ("1,2,0,4", "has a width of 0 pixels"),
        ("1,2,3,-4", "has a height of -4 pixels"),
        ("-65537,2,3,4", "begins at x -65537"),
    ],
)
def test_a_text_that_is_no_region_is_refused_with_how_to_write_one(text, says):
    """The message names the value."""
    with pytest.raises(SettingsError) as caught:
        parse_region(text)
    assert says in caught.value.message
    assert "x,y,width,height" in caught.value.remedy


@pytest.mark.parametrize("scale", [0.99, 4.01, float("nan"), -1.0])
def test_a_scale_out_of_its_range_is_refused(scale):
    """From 1 to 4."""
    check_scale(1.0)
    check_scale(4.0)
    with pytest.raises(SettingsError, match="from 1 to 4"):
        check_scale(scale)


def test_regions_hold_from_the_clip_s_first_frame_and_from_cuts():
    """In the clip's order, whatever the order in which they were written."""
    regions = parse_regions("1050:1,1,1,1 2,2,2,2")
    assert [frame for frame, _ in by_shot(regions, PLAN)] == [1001, 1050]


@pytest.mark.parametrize("frame", [1000, 1019, 1100])
def test_a_frame_that_begins_no_shot_is_refused_and_the_cuts_are_named(frame):
    """The remedy names the clip's first frame and its cuts."""
    with pytest.raises(InputError) as caught:
        by_shot([Region(x=0, y=0, width=1, height=1, frame=frame)], PLAN)
    assert f"frame {frame}" in caught.value.message
    assert all(name in caught.value.remedy for name in ("1001", "1020", "1050"))


@pytest.mark.parametrize("text", ["1,1,1,1 1001:2,2,2,2", "1050:1,1,1,1 1050:2,2,2,2"])
def test_two_regions_of_one_shot_are_refused(text):
    """The model looks across time: one region a shot."""
    with pytest.raises(GvmError, match="both hold from frame"):
        by_shot(parse_regions(text), PLAN)


def test_a_request_is_made_of_a_command_line_s_words_and_of_a_panel_s_text():
    """Both give the same regions."""
    assert parse_regions(Namespace(roi=["1,2,3,4"]).roi) == parse_regions("1,2,3,4")


def test_the_golden_regions_stand():
    """The C++ node is held to the same file."""
    assert (GOLDEN / "regions.json").read_text(encoding="utf-8") == make_regions.document()


@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("the whole window", "0,0,1920,1080"),
        ("the lower left corner", "0,1030,100,50"),
        ("the upper right corner", "1820,0,100,50"),
        ("overscan on every side", "-8,-10,1938,1094"),
        ("a window away from the origin", "4,73,50,25"),
        ("wide pixels", "0,0,720,576"),
        ("parts of pixels go outward", "10,1039,21,21"),
    ],
)
def test_a_drawn_rectangle_is_turned_upside_down(name, region):
    """Worked out by hand: y counts from the window's top, x from its left, in pixels."""
    drawn, window, aspect = make_regions.DRAWN[name]
    found = region_of(make_regions.rectangle(drawn), make_regions.rectangle(window), aspect)
    assert str(found) == region


@pytest.mark.parametrize("name", ["no area", "no height", "drawn from right to left"])
def test_a_rectangle_without_area_is_refused(name):
    """With its corners, and what to do."""
    drawn, window, aspect = make_regions.DRAWN[name]
    with pytest.raises(SettingsError, match="has no area") as refused:
        region_of(make_regions.rectangle(drawn), make_regions.rectangle(window), aspect)
    assert refused.value.remedy
