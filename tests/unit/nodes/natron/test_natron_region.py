"""The Natron node's region, drawn as two corners in the viewer."""

from __future__ import annotations

import pytest

from gvm_client.errors import SettingsError
from gvm_nodes.core import node_request
from tests.fakes import natron
from tests.fakes.natron import Effect
from tests.golden import make_regions
from tests.support.natron_session import (
    as_node,
    matte_group,
    only_group,
    read_plate,
    reopen,
    start,
    text,
)

LOW, HIGH, USE = "gvm_region_lower_left", "gvm_region_upper_right", "gvm_use_region_box"


@pytest.fixture
def group(tmp_path, runtime) -> Effect:
    """Our group below a plate of 1920 x 1080 pixels."""
    app = start(tmp_path)
    return matte_group(app, read_plate(app, str(tmp_path / "a.####.exr"), 1001, 1020))


def asked(group: Effect) -> list[str]:
    """Return the regions of the group's request."""
    request = node_request.node_request(as_node(group.node.app, group), (1001,))
    return [str(region) for region in request.regions]


def draw(group: Effect, left: float, bottom: float, right: float, top: float) -> None:
    """Draw the box in the viewer."""
    natron.edit(group, USE, True)
    natron.edit(group, LOW, (left, bottom))
    natron.edit(group, HIGH, (right, top))


@pytest.mark.parametrize("name", make_regions.DRAWN)
def test_a_box_is_the_golden_region(group, name):
    """From the bottom left to the top left, by the format; one that cannot be is refused."""
    vector = make_regions.vector(name)
    read = group.getInput(0).node
    read.format, read.pixel_aspect = tuple(vector["window"]), vector["pixel_aspect"]
    draw(group, *vector["drawn"])
    if vector["region"] is None:
        with pytest.raises(SettingsError):
            asked(group)
    else:
        assert asked(group) == [",".join(map(str, vector["region"]))]


def test_the_text_holds_where_the_box_is_not_used(group):
    """What `gvm roi` prints may be pasted there; the box wins where it is used."""
    assert asked(group) == []
    natron.edit(group, "gvm_roi", "10,20,300,200")
    assert asked(group) == ["10,20,300,200"]
    draw(group, 0.0, 0.0, 100.0, 50.0)
    assert asked(group) == ["0,1030,100,50"]
    natron.edit(group, USE, False)
    assert asked(group) == ["10,20,300,200"]


def test_a_box_that_is_used_for_the_first_time_is_the_plate_s_format(group):
    """There is one to draw on, in the viewer's coordinates; one that was drawn stays."""
    read = group.getInput(0).node
    read.format, read.pixel_aspect = (0, 0, 720, 576), 2.0
    natron.edit(group, USE, True)
    assert group.getParam(HIGH).get() == (1440.0, 576.0)
    assert asked(group) == ["0,0,720,576"]
    draw(group, 10.0, 0.0, 20.0, 10.0)
    natron.edit(group, USE, False)
    natron.edit(group, USE, True)
    assert asked(group) == ["5,566,5,10"]


def test_the_corners_have_handles_and_render_nothing(group):
    """They are dragged in the viewer; only mattes that are made anew change a picture."""
    for name in (LOW, HIGH):
        param = group.getParam(name)
        assert param.has_handle
        assert not param.evaluates
        assert not param.animates


def test_a_box_that_is_moved_is_another_matte(group):
    """The group says so as with any other parameter."""
    draw(group, 0.0, 0.0, 100.0, 50.0)
    first = node_request.node_request(as_node(group.node.app, group), ()).regions
    natron.edit(group, HIGH, (120.0, 50.0))
    assert node_request.node_request(as_node(group.node.app, group), ()).regions != first
    assert text(group, "status") == "Not rendered yet."


@pytest.mark.parametrize("anew", [False, True])
def test_a_project_keeps_the_box(group, anew):
    """As any other parameter."""
    draw(group, 0.0, 0.0, 100.0, 50.0)
    assert asked(only_group(reopen(group.node.app, anew=anew))) == ["0,1030,100,50"]
