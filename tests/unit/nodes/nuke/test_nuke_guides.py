"""The Nuke node's inputs for guides: the server's rule in Nuke's nodes, in old scripts too."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from tests.fakes import nuke
from tests.support.nuke_session import (
    NukeNode,
    group,
    matte_node,
    node_request,
    plate,
    settle,
    start,
)

NAMES = ("garbage", "holdout")


@pytest.fixture
def node(tmp_path: Path, runtime: Path) -> nuke.Group:
    """Our node below a plate, with a matte."""
    start(tmp_path)
    made = matte_node(plate(tmp_path))
    made.node("MatteCopy")["disable"].setValue(False)
    return made


def alpha_of(node: nuke.Node | None, pixel: dict[str, float]) -> float:
    """Work out the alpha of one node's picture, of constant pictures, as Nuke plays the tree.

    Merge's formulas are those of its manual: A over B is A + B(1 - a), a stencil is B(1 - a).
    """
    if node is None:
        return 0.0
    if node.Class() in ("Input", "Read"):
        return pixel[node.name()]
    b, a = (node.input(index) if index < node.inputs() else None for index in (0, 1))
    below, above = alpha_of(b, pixel), alpha_of(a, pixel)
    if node["disable"].value():
        return below
    how = node["operation"].value() if node.Class() == "Merge2" else node.Class()
    return {
        "Copy": above,
        "Clamp": min(max(below, 0.0), 1.0),
        "max": max(above, below),
        "stencil": below * (1 - above),
        "over": above + below * (1 - above),
    }.get(how, below)  # a Dilate or a Blur of one value is that value


@pytest.mark.parametrize("values", [*product((0.0, 0.3, 1.0), repeat=3)])
def test_the_alpha_is_that_of_the_server_s_guides(
    node: nuke.Group, values: tuple[float, ...]
) -> None:
    """Held out by the garbage matte, then the holdout matte over it; exact where they are 1."""
    matte, garbage, holdout = values
    pixel = {"plate": 0.7, "MatteRead": matte, "garbage": garbage, "holdout": holdout}
    found = alpha_of(node.output(), pixel)
    assert found == pytest.approx(matte * (1 - garbage) * (1 - holdout) + holdout, abs=1e-12)
    if holdout == 1.0:
        assert found == 1.0
    elif garbage == 1.0:
        assert found == holdout
    elif garbage == holdout == 0.0:
        assert found == matte


def test_values_beyond_0_and_1_force_no_more_than_1(node: nuke.Group) -> None:
    """A guide that a grade or a filter overshoots."""
    pixel = {"plate": 0.0, "MatteRead": 0.4, "garbage": -0.5, "holdout": 0.0}
    assert alpha_of(node.output(), pixel) == 0.4
    assert alpha_of(node.output(), {**pixel, "garbage": 3.0}) == 0.0
    assert alpha_of(node.output(), {**pixel, "holdout": 3.0}) == 1.0


def test_without_a_matte_the_plate_passes_as_it_is(node: nuke.Group) -> None:
    """Its own alpha too: nothing was made that a guide could force."""
    node.node("MatteCopy")["disable"].setValue(True)
    pixel = {"plate": 0.7, "MatteRead": 0.0, "garbage": 1.0, "holdout": 1.0}
    assert alpha_of(node.output(), pixel) == 0.7


def test_the_plate_is_the_first_input_and_each_guide_has_its_own(node: nuke.Group) -> None:
    """So scripts of before keep their plate."""
    numbers = {
        inside.name(): inside["number"].value()
        for inside in node.nodes()
        if inside.Class() == "Input"
    }
    assert numbers == {"plate": 0, "garbage": 1, "holdout": 2}


def test_the_feather_is_the_node_s_and_never_takes_from_a_guide(node: nuke.Group) -> None:
    """Grown by half of it, blurred over the other half."""
    node["guide_feather"].setValue(12.0)
    for name in NAMES:
        for kind, size in (("Dilate", 6.0), ("Blur", 3.6)):  # 2.4 sigmas, of which 4 are a half
            inside = node.node(f"{name.title()}{kind}")
            assert inside["size"].value() == pytest.approx(size)
            assert inside["channels"].value() == "alpha"
        feather = node.node(f"{name.title()}Feather")
        assert [feather.input(0).Class(), feather.input(1).Class()] == ["Input", "Blur"]
        assert feather["operation"].value() == "max"


def test_colours_stay_the_plate_s(node: nuke.Group) -> None:
    """Only alpha is merged."""
    merges = [inside for inside in node.nodes() if inside.Class() == "Merge2"]
    assert len(merges) == 4
    for merge in merges:
        channels = {merge[name].value() for name in ("Achannels", "Bchannels", "output")}
        assert channels == {"alpha"}


def test_a_guide_asks_for_no_other_matte(node: nuke.Group, tmp_path: Path) -> None:
    """The request is the same with and without one, so nothing is made and nothing is stale."""
    before = node_request.node_request(NukeNode(node), (1001,))
    for index in (1, 2):
        node.setInput(index, nuke.createNode("Blur"))
    assert node_request.node_request(NukeNode(node), (1001,)) == before
    assert NukeNode(node).clip().first == 1001


def test_a_node_of_an_older_script_gains_the_inputs_when_nuke_is_idle(
    node: nuke.Group, tmp_path: Path
) -> None:
    """What it is connected to stays, and nothing is marked as changed; once, however often."""
    copy = node.node("MatteCopy")
    node.output().setInput(0, copy)
    names = ("garbage", "holdout", "Garbage", "Holdout")
    node.children = [inside for inside in node.children if not inside.name().startswith(names)]
    path = str(tmp_path / "older.nk")
    nuke.scriptSave(path)
    start(tmp_path)
    nuke.scriptOpen(path)
    (again,) = group.ours()
    assert again.node("GarbageGuide") is None, "not while the script is being loaded"
    settle()
    assert again.output().input(0).name() == "HoldoutGuide"
    pixel = {"plate": 0.7, "MatteRead": 0.5, "garbage": 1.0, "holdout": 0.0}
    assert alpha_of(again.output(), pixel) == 0.0
    assert again.input(0).Class() == "Read"
    assert not nuke.session().modified
    count = len(again.nodes())
    group.complete_inside()
    assert len(again.nodes()) == count


def test_what_an_artist_took_away_is_not_put_back(node: nuke.Group) -> None:
    """Where there is nothing to lay guides between, and where one of two was deleted."""
    node.children = [inside for inside in node.children if inside.name() != "GarbageGuide"]
    count = len(node.nodes())
    group.complete_inside()
    assert len(node.nodes()) == count
    node.children = [inside for inside in node.children if inside.Class() != "Copy"]
    group.complete_inside()
    assert len(node.nodes()) == count - 1
