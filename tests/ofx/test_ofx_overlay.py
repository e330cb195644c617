"""The region in the host's viewer: drawn as the host has it drawn, and dragged by a pen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.ofx.fakehost import Build, FakeHost, HostPlate, Open, opening

DRAW = "OfxInteractActionDraw"
DOWN, MOTION, UP = (f"OfxInteractActionPen{what}" for what in ("Down", "Motion", "Up"))
OK, DEFAULT = 0, 14
BOX = {"useRegion": 1, "regionLowerLeft": [20, 10], "regionUpperRight": [80, 50]}
CORNERS = [[20, 10], [80, 10], [80, 50], [20, 50]]


@pytest.fixture
def viewer(build: Build, tmp_path: Path, plate: HostPlate) -> Open:
    """A host with a viewer; nothing here asks a server."""
    environment = {"GVM_SERVER": "false", "GVM_RUNTIME_DIR": str(tmp_path / "none")}
    return opening(build, tmp_path, plate, environment)


def act(host: FakeHost, name: str, *pen: float) -> dict[str, Any]:
    """Send an action of the viewer."""
    answer: dict[str, Any] = host.tell("overlay", instance="node", name=name, pen=list(pen))
    return answer


def corners(host: FakeHost) -> list[list[float]]:
    """Return the two corners that the parameters hold."""
    return [host.value("regionLowerLeft"), host.value("regionUpperRight")]


def drag(host: FakeHost, start: tuple[float, float], end: tuple[float, float]) -> dict[str, Any]:
    """Drag the pen from a place to another, and return what the last action did."""
    assert act(host, DOWN, *start)["status"] == OK
    assert act(host, MOTION, *end)["redraws"] == 1
    return act(host, UP, *end)


@pytest.mark.parametrize("by", ["OpenGL", "draw suite"])
def test_the_outline_is_drawn_while_the_region_is_used(viewer: Open, by: str):
    """In canonical coordinates, by what the host draws with; it follows the parameters."""
    with viewer(draw_suite=by == "draw suite") as host:
        host.create(**BOX)
        drawn = act(host, DRAW)
        assert drawn["drawn_by"] == by
        assert drawn["points"] == CORNERS
        assert set(drawn["slaves"]) == set(BOX)
        host.tell("set", instance="node", param="useRegion", value=0)
        for name in (DRAW, DOWN, MOTION, UP):
            answer = act(host, name, 20, 10)
            assert (answer["status"], answer["points"]) == (DEFAULT, [])


def test_a_host_without_overlays_has_the_parameters_alone(viewer: Open):
    """The node offers nothing to draw, and works as ever."""
    with viewer(overlays=False) as host:
        host.create(**BOX)
        assert not act(host, DRAW)["offered"]
        assert corners(host) == [[20, 10], [80, 50]]


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [
        ((20, 10), (24, 7), [[24, 7], [80, 50]]),  # a corner
        ((79, 51), (90, 60), [[20, 10], [91, 59]]),  # beside a corner: by as much as the pen went
        ((20, 30), (30, 99), [[30, 10], [80, 50]]),  # a side goes one way only
        ((50, 50), (50, 40.4), [[20, 10], [80, 40]]),  # by whole pixels
        ((50, 30), (53, 25), [[23, 5], [83, 45]]),  # the middle: all of it
        ((20, 10), (95, 60), [[80, 50], [95, 60]]),  # turned inside out
    ],
)
def test_a_pen_drags_corners_sides_and_the_whole(
    viewer: Open, start: tuple[float, float], end: tuple[float, float], wanted: list[list[float]]
):
    """The parameters are set when it is lifted, once; until then only the outline moves."""
    with viewer() as host:
        host.create(**BOX)
        assert act(host, DOWN, *start)["status"] == OK
        assert act(host, MOTION, *end)["redraws"] == 1
        assert corners(host) == [[20, 10], [80, 50]]
        moved = act(host, DRAW)["points"]
        assert [moved[0], moved[2]] == wanted
        assert act(host, UP, *end)["status"] == OK
        assert corners(host) == wanted
        assert act(host, MOTION, 0, 0)["status"] == DEFAULT


def test_a_pen_beside_the_outline_is_the_host_s_own(viewer: Open):
    """Between the middle and the border, and outside."""
    with viewer() as host:
        host.create(**BOX)
        for place in ((35, 22), (2, 2), (50, 70)):
            assert act(host, DOWN, *place)["status"] == DEFAULT
            assert act(host, UP, *place)["status"] == DEFAULT
        assert corners(host) == [[20, 10], [80, 50]]


def test_the_reach_of_the_pen_is_of_the_screen(viewer: Open):
    """Zoomed in, eight pixels of the screen are a part of one of the picture."""
    with viewer(pixel_scale=0.1) as host:
        host.create(**BOX)
        assert act(host, DOWN, 22, 30)["status"] == DEFAULT
        assert act(host, DOWN, 20.5, 30)["status"] == OK


def test_each_node_has_its_own_and_gives_it_back(viewer: Open):
    """The overlay of a node that was made with a host that goes on."""
    with viewer() as host:
        host.create(**BOX)
        drag(host, (20, 10), (10, 0))
        assert act(host, "OfxActionDestroyInstance")["status"] == OK
        assert act(host, DRAW)["points"][0] == [10, 0]
