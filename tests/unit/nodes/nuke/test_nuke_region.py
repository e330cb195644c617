"""The Nuke node's region, drawn as a box in the viewer."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvm_client.errors import SettingsError
from gvm_client.regions import parse_region
from gvm_nodes.core.saved_state import matte_digest
from tests.fakes import nuke
from tests.golden import make_regions
from tests.support.nuke_session import (
    NukeNode,
    group,
    knobs,
    matte_node,
    node_request,
    plate,
    settle,
    start,
)


@pytest.fixture
def node(tmp_path: Path, runtime: Path) -> nuke.Group:
    """Our node below a plate of 1920 x 1080 pixels."""
    start(tmp_path)
    return matte_node(plate(tmp_path))


def asked(node: nuke.Group) -> list[str]:
    """Return the regions of the node's request."""
    request = node_request.node_request(NukeNode(node), (1001,))
    return [str(region) for region in request.regions]


def draw(node: nuke.Group, *edges: float) -> None:
    """Draw the box in the viewer."""
    node[knobs.USE_BOX].setValue(True)
    for index, edge in enumerate(edges):
        node[knobs.BOX].setValue(edge, index)


@pytest.mark.parametrize(
    "name", [name for name, (_, window, aspect) in make_regions.DRAWN.items()
             if window == make_regions.HD and aspect == 1.0]
)  # fmt: skip
def test_a_box_is_the_golden_region(node: nuke.Group, name: str) -> None:
    """From the bottom left to the top left; one that cannot be is refused."""
    vector = make_regions.vector(name)
    draw(node, *vector["drawn"])
    if vector["region"] is None:
        with pytest.raises(SettingsError):
            asked(node)
    else:
        assert asked(node) == [",".join(map(str, vector["region"]))]


def test_the_text_holds_where_the_box_is_not_used(node: nuke.Group) -> None:
    """What `gvm roi` prints may be pasted there; the box wins where it is used."""
    assert asked(node) == []
    node["roi"].setValue("10,20,300,200")
    node["roi_scale"].setValue(2.0)
    assert asked(node) == ["10,20,300,200"]
    draw(node, 0, 0, 100, 50)
    assert asked(node) == ["0,1030,100,50"]
    assert node_request.node_request(NukeNode(node), ()).roi_scale == 2.0
    node[knobs.USE_BOX].setValue(False)
    assert asked(node) == ["10,20,300,200"]


def test_a_box_that_is_used_for_the_first_time_is_the_plate_s_format(node: nuke.Group) -> None:
    """There is one to draw on; one that was drawn stays."""
    node.input(0).size = (2048, 858)
    node[knobs.USE_BOX].setValue(True)
    settle()
    box = node[knobs.BOX]
    assert (box.x(), box.y(), box.r(), box.t()) == (0, 0, 2048, 858)
    assert asked(node) == ["0,0,2048,858"]
    draw(node, 100, 100, 200, 200)
    settle()
    assert asked(node) == ["100,658,100,100"]


def test_a_box_that_is_moved_makes_the_mattes_stale(node: nuke.Group) -> None:
    """It is part of what a matte was made of."""
    digests = set()
    for left in (0, 10, 20):
        draw(node, left, 0, 100, 50)
        digests.add(matte_digest(node_request.node_request(NukeNode(node), ())))
    assert len(digests) == 3
    assert {knobs.USE_BOX, knobs.BOX} <= set(nuke_watched())


def nuke_watched() -> set[str]:
    """Return the knobs whose change is looked at."""
    from tests.support.nuke_session import callbacks  # noqa: PLC0415

    return callbacks._WATCHED


def test_a_script_keeps_the_box_and_an_older_one_gains_it(node: nuke.Group, tmp_path: Path) -> None:
    """As any other knob; without it the text holds."""
    draw(node, 0, 0, 100, 50)
    path = str(tmp_path / "box.nk")
    nuke.scriptSave(path)
    nuke.scriptOpen(path)
    (again,) = group.ours()
    assert asked(again) == ["0,1030,100,50"]
    for name in (knobs.USE_BOX, knobs.BOX):
        del again.all[name]
    again["roi"].setValue("1,2,3,4")
    assert asked(again) == ["1,2,3,4"]
    nuke.scriptSave(path)
    nuke.scriptOpen(path)
    (older,) = group.ours()
    assert older.knob(knobs.BOX) is not None
    assert parse_region(asked(older)[0]) == parse_region("1,2,3,4")
