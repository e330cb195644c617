"""The Natron node's inputs for guides: the server's rule in Natron's nodes, in old projects too."""

from __future__ import annotations

from itertools import product

import pytest

from gvm_nodes.core import node_request
from gvm_nodes.natron import guide_inputs
from gvm_nodes.natron.group import mattes_read
from tests.fakes import natron
from tests.fakes.natron import Effect
from tests.fakes.natron_nodes import BLUR, CLAMP, DILATE, INPUT, MERGE, OUTPUT
from tests.support.natron_session import (
    as_node,
    matte_group,
    only_group,
    read_plate,
    reopen,
    start,
)

GUIDES = ("Garbage", "Holdout")


@pytest.fixture
def group(tmp_path, runtime) -> Effect:
    """Our group below a plate, with both guides connected."""
    app = start(tmp_path)
    made = matte_group(app, read_plate(app, str(tmp_path / "a.####.exr"), 1001, 1020))
    for index in (1, 2):
        made.connectInput(index, app.createNode("net.sf.openfx.ColorBars"))
    return made


def inside(group: Effect, guide: str, part: str) -> Effect:
    """Return one of a guide's nodes."""
    node = group.getNode(f"GVM{guide}{part}")
    assert node is not None
    return node


def output(group: Effect) -> Effect:
    """Return what is put out."""
    return next(one for one in group.getChildren() if one.getPluginID() == OUTPUT)


def alpha_of(node: Effect, pixel: dict[str, float]) -> float:
    """Work out the alpha of one node's picture, of constant pictures, as Natron plays the tree.

    A Merge's formulas are those of openfx-misc: A over B is A + B(1 - A), a stencil is B(1 - A).
    """
    if node.getPluginID() == INPUT:
        return pixel[node.getLabel()]
    b, a = node.getInput(0), node.getInput(1)
    if node.getPluginID() == natron.READ:
        return pixel["mattes"]
    below = alpha_of(b, pixel)
    if node.getParam("disableNode").get():
        return below
    if node.getPluginID() == CLAMP:
        return min(max(below, 0.0), 1.0)
    if node.getPluginID() != MERGE or not node.getParam("OutputChannelsA").get():
        return below  # a filter of one value is that value
    how, above = node.getParam("operation"), alpha_of(a, pixel)
    return {
        "copy": above,
        "max": max(above, below),
        "stencil": below * (1 - above),
        "over": above + below * (1 - above),
    }[how.getOption(how.get())]


@pytest.mark.parametrize("values", [*product((0.0, 0.3, 1.0), repeat=3)])
def test_the_alpha_is_that_of_the_server_s_guides(group, values):
    """Held out by the garbage matte, then the holdout matte over it; exact where they are 1."""
    matte, garbage, holdout = values
    pixel = {"Source": 0.7, "mattes": matte, "Garbage": garbage, "Holdout": holdout}
    found = alpha_of(output(group), pixel)
    assert found == pytest.approx(matte * (1 - garbage) * (1 - holdout) + holdout, abs=1e-12)
    if holdout == 1.0:
        assert found == 1.0
    elif garbage == 1.0:
        assert found == holdout
    elif garbage == holdout == 0.0:
        assert found == matte


def test_values_beyond_0_and_1_force_no_more_than_1(group):
    """A guide that a grade or a filter overshoots."""
    pixel = {"Source": 0.0, "mattes": 0.4, "Garbage": -0.5, "Holdout": 0.0}
    assert alpha_of(output(group), pixel) == 0.4
    assert alpha_of(output(group), {**pixel, "Garbage": 3.0}) == 0.0
    assert alpha_of(output(group), {**pixel, "Holdout": 3.0}) == 1.0


def test_colours_stay_the_plate_s_and_so_does_the_box(group):
    """Only alpha is laid over, as with the mattes themselves."""
    for guide in GUIDES:
        laid = inside(group, guide, "Guide")
        channels = [laid.getParam(f"OutputChannels{one}").get() for one in "RGBA"]
        assert channels == [False, False, False, True]
        box = laid.getParam("bbox")
        assert box.getOption(box.get()) == "b"


def test_the_plate_is_the_first_input_and_guides_need_not_be_connected(group):
    """So projects of before keep their plate."""
    inputs = [one for one in group.getChildren() if one.getPluginID() == INPUT]
    assert [one.getLabel() for one in inputs] == ["Source", *GUIDES]
    assert [one.getParam("optional").get() for one in inputs] == [False, True, True]


def test_the_feather_is_the_group_s_and_never_takes_from_a_guide(group):
    """Grown by half of it, blurred over the other half, beside the guide as it came."""
    natron.edit(group, "gvm_guide_feather", 12.0)
    for guide in GUIDES:
        for part, plugin, size in (("Grown", DILATE, 6), ("Blurred", BLUR, 3.6)):
            node = inside(group, guide, part)
            assert node.getPluginID() == plugin
            expressions = node.getParam("size").expressions
            assert set(expressions) == {0, 1}
            for expression in expressions.values():
                names = {"thisGroup": _Attributes(group), "int": int, "round": round}
                assert eval(expression, {"__builtins__": {}}, names) == pytest.approx(size)
        feather = inside(group, guide, "Feather")
        assert feather.getInput(0).getLabel() == guide
        assert feather.getInput(1).getScriptName() == f"GVM{guide}Blurred"


class _Attributes:
    """Parameters as expressions have them: attributes of their node."""

    def __init__(self, node: Effect) -> None:
        self._node = node

    def __getattr__(self, name: str) -> object:
        return self._node.getParam(name)


def test_a_natron_without_the_filters_does_without_the_feather(tmp_path, runtime):
    """The guides themselves force the matte all the same."""
    app = start(tmp_path)
    natron.session().absent = {DILATE, BLUR, CLAMP}
    made = matte_group(app, read_plate(app, str(tmp_path / "a.####.exr"), 1001, 1020))
    for index in (1, 2):
        made.connectInput(index, app.createNode("net.sf.openfx.ColorBars"))
    pixel = {"Source": 0.7, "mattes": 0.4, "Garbage": 1.0, "Holdout": 0.0}
    assert alpha_of(output(made), pixel) == 0.0
    assert alpha_of(output(made), {**pixel, "Holdout": 1.0}) == 1.0
    assert natron.session().script_editor == []


def test_what_is_not_connected_is_not_rendered(group):
    """Natron fails a filter without its source: its nodes are disabled, as long as it has none."""
    names = [f"GVM{guide}{part}" for guide in GUIDES for part in guide_inputs._PARTS]

    def off() -> set[str]:
        nodes = (group.getNode(name) for name in names)
        return {node.getScriptName() for node in nodes if node.getParam("disableNode").get()}

    assert off() == set()
    group.disconnectInput(1)
    assert off() == {name for name in names if "Garbage" in name}
    group.disconnectInput(2)
    assert off() == set(names)
    pixel = {"Source": 0.7, "mattes": 0.4, "Garbage": 1.0, "Holdout": 1.0}
    assert alpha_of(output(group), pixel) == 0.4


def test_a_guide_asks_for_no_other_matte(group):
    """The request is the same with and without one, so nothing is made and nothing is stale."""
    node = as_node(group.node.app, group)
    with_guides = node_request.node_request(node, (1001,))
    for index in (1, 2):
        group.disconnectInput(index)
    assert node_request.node_request(node, (1001,)) == with_guides


@pytest.mark.parametrize("anew", [False, True])
def test_a_group_of_an_older_project_gains_the_inputs(group, anew):
    """What it is connected to stays; once, however often it is repaired."""
    tag = output(group).getInput(0)
    copy = mattes_read(group).node
    merge = next(one for one in group.getChildren() if one.getInput(1) is not None
                 and one.getInput(1).node is copy)  # fmt: skip
    tag.disconnectInput(0)
    tag.connectInput(0, merge)
    for child in group.getChildren():
        if child.getLabel() in GUIDES or child.getScriptName().startswith(("GVMG", "GVMH")):
            group.node.children.remove(child.node)
    for index in (1, 2):
        group.disconnectInput(index)
    again = only_group(reopen(group.node.app, anew=anew))
    assert [again.getMaxInputCount(), again.getInput(0).isReaderNode()] == [3, True]
    assert output(again).getInput(0).getInput(0).getScriptName() == "GVMHoldoutGuide"
    pixel = {"Source": 0.7, "mattes": 0.4, "Garbage": 1.0, "Holdout": 0.0}
    assert alpha_of(output(again), pixel) == 0.4
    again.connectInput(1, again.getInput(0))
    assert alpha_of(output(again), pixel) == 0.0
    count = len(again.getChildren())
    guide_inputs.lay_guides(again.node.app, again)
    assert len(again.getChildren()) == count


def test_a_saved_project_keeps_its_guides(group):
    """Connected and in use; also where Natron builds the group anew."""
    for anew in (False, True):
        again = only_group(reopen(group.node.app, anew=anew))
        pixel = {"Source": 0.7, "mattes": 0.4, "Garbage": 1.0, "Holdout": 0.0}
        assert alpha_of(output(again), pixel) == 0.0
        group = again


def test_what_an_artist_took_away_is_not_put_back(group):
    """Where there is nothing to lay guides between, and where one of two was deleted."""
    inside(group, "Garbage", "Guide").destroy()
    count = len(group.getChildren())
    guide_inputs.lay_guides(group.node.app, group)
    output(group).getInput(0).destroy()
    guide_inputs.lay_guides(group.node.app, group)
    guide_inputs.follow_inputs(group)
    assert len(group.getChildren()) == count - 1
