"""A script that an older release saved: its node lacks a knob, and gains it when it is loaded."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from gvm_nodes.core.settings import BUTTONS, KNOBS
from tests.fakes import nuke
from tests.support.nuke_session import (
    NukeNode,
    fail,
    knobs,
    matte_node,
    node_request,
    plate,
    start,
    ticket,
)

OWN = (
    "status",
    "missing_mattes",
    "views",
    "use_region_box",
    "region_box",
    "gvm_made",
    "gvm_job",
    "gvm_folder",
    "gvm_schema",
)
NAMES = (*(knob.name for knob in KNOBS), *(button.name for button in BUTTONS), *OWN)


def older(tmp_path: Path, names: Collection[str], *, gui: bool = True) -> nuke.Group:
    """Open a script whose node was saved before some of its knobs existed."""
    start(tmp_path)
    node = matte_node(plate(tmp_path))
    for name in names:
        del node.all[name]
    path = str(tmp_path / "older.nk")
    nuke.scriptSave(path)
    start(tmp_path, gui=gui)
    nuke.scriptOpen(path)
    (again,) = nuke.allNodes("Group")
    return again


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_knob_comes_with_the_script(tmp_path: Path, runtime: Path, name: str) -> None:
    """Each by itself; a request and a press go as if it had always been there."""
    node = older(tmp_path, [name])
    assert node.knob(name) is not None
    defaults = {knob.name: knob.default for knob in KNOBS}
    assert node[name].value() == defaults.get(name, node[name].value())
    assert set(node.all) >= set(NAMES)
    assert node_request.node_request(NukeNode(node), (1001,)).plate.first == 1001
    assert "/none/server" in fail(node)
    assert not nuke.session().undo_off


def test_all_of_them_at_once(tmp_path: Path, runtime: Path) -> None:
    """As a new node has them: in the same order, those that the tool fills in hidden."""
    start(tmp_path)
    new = matte_node(plate(tmp_path))
    wanted = [name for name in new.all if name in NAMES]
    node = older(tmp_path, NAMES)
    assert [name for name in node.all if name in NAMES] == wanted
    assert all(node[name].flags & nuke.INVISIBLE for name in knobs.HIDDEN)


def test_what_the_script_has_stays(tmp_path: Path, runtime: Path) -> None:
    """The other knobs' values, the node's name and its job."""
    start(tmp_path)
    node = matte_node(plate(tmp_path))
    node["gamma"].setValue(1.7)
    own = NukeNode(node)
    own.job = ticket(node_request.node_request(own, (1001,)))
    before = own.identity, own.job
    del node.all["blur"]
    nuke.scriptSave(str(tmp_path / "older.nk"))
    start(tmp_path)
    nuke.scriptOpen(str(tmp_path / "older.nk"))
    (again,) = nuke.allNodes("Group")
    assert (again["gamma"].value(), again["size"].value(), again["blur"].value()) == (1.7, 32, 0.0)
    assert (NukeNode(again).identity, NukeNode(again).job) == before


def test_a_studio_s_default_is_for_new_nodes_and_its_lock_for_all(
    tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mattes that stand were made without the setting, as its own default makes them."""
    studio = tmp_path / "studio.json"
    studio.write_text('{"defaults": {"gamma": 2.0}, "locked": ["gamma"]}')
    monkeypatch.setenv("GVM_NODE_DEFAULTS", str(studio))
    node = older(tmp_path, ["gamma"])
    assert node["gamma"].value() == 1.0
    assert not node["gamma"].enabled()


def test_a_studio_s_damaged_file_hides_no_knob_s_flags(
    tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said when a node is made; what the tool fills in is hidden all the same."""
    node = older(tmp_path, ["gvm_job"])
    (tmp_path / "studio.json").write_text("{")
    monkeypatch.setenv("GVM_NODE_DEFAULTS", str(tmp_path / "studio.json"))
    nuke.scriptOpen(str(tmp_path / "older.nk"))
    (node,) = nuke.allNodes("Group")
    assert all(node[name].flags & nuke.INVISIBLE for name in knobs.HIDDEN)
