"""What Nuke calls while a script is loaded, nodes are pasted, and knobs are set by a script.

Its documents differ on when knobChanged is called, so both manners are tried.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gvm_nodes.core.followed_job import Phase, Update
from gvm_nodes.core.saved_state import OUT_OF_DATE
from tests.fakes import nuke
from tests.support.nuke_session import (
    NukeNode,
    group,
    knobs,
    matte_node,
    node_request,
    plate,
    press,
    read_plate,
    settle,
    start,
    tell,
)

TICKET = f"{'0' * 32} range 1001-1020"


@pytest.fixture(params=[True, False], ids=["every change", "open panels only"], autouse=True)
def runtime(tmp_path: Path, runtime: Path, request: pytest.FixtureRequest) -> Path:
    """The same, in a Nuke that has been started."""
    begin(tmp_path, every_change=request.param)
    return runtime


def begin(folder: Path, *, gui: bool = True, every_change: bool = True) -> None:
    """Start Nuke in one of its manners."""
    start(folder, gui=gui)
    nuke.session().every_change = every_change


def ours() -> list[nuke.Group]:
    """Return the script's nodes of ours."""
    return list(group.ours())


@pytest.mark.parametrize("gui", [True, False])
def test_loading_a_script_cuts_no_connection_and_changes_no_setting(
    tmp_path: Path, runtime: Path, *, gui: bool
) -> None:
    """Nodes come one by one and the root last; a number beside its preset is the artist's."""
    node = matte_node(plate(tmp_path))
    node["preset"].setValue("low_memory")
    node["size"].setValue(333)
    made = node_request.node_request(NukeNode(node), (1001,))
    tell(node, made, Update(phase=Phase.DONE, ready=(1001,)))
    nuke.scriptSave(str(tmp_path / "b.nk"))
    before, said = node["gvm_id"].value(), NukeNode(node).said
    begin(tmp_path, gui=gui, every_change=nuke.session().every_change)
    nuke.scriptOpen(str(tmp_path / "b.nk"))
    settle()
    (node,) = ours()
    assert node.input(0).Class() == "Read"
    assert (node["size"].value(), node["gvm_id"].value()) == (333, before)
    assert NukeNode(node).said == said
    assert not runtime.exists()


def test_twins_in_a_script_are_told_apart_when_it_is_loaded(tmp_path: Path) -> None:
    """A colleague without GVM copied the node: his Nuke called nobody."""
    node = matte_node(plate(tmp_path))
    NukeNode(node).job = TICKET
    identity = group.node_id(node)
    registered, nuke.session().callbacks = nuke.session().callbacks, {}
    nuke.paste(node)
    nuke.session().callbacks = registered
    nuke.scriptSave(str(tmp_path / "b.nk"))
    nuke.scriptOpen(str(tmp_path / "b.nk"))
    first, second = (NukeNode(each) for each in ours())
    assert first.identity == identity != second.identity
    assert (first.job, second.job) == (TICKET, "")


def test_pasting_cuts_no_connection_and_the_copy_has_a_name_of_its_own_at_once(
    tmp_path: Path,
) -> None:
    """A script may press its buttons in the next line."""
    node = matte_node(plate(tmp_path))
    first, second = nuke.paste(node), nuke.paste(node)
    assert len({group.node_id(each) for each in (node, first, second)}) == 3
    settle()
    assert len({group.node_id(each) for each in (node, first, second)}) == 3
    assert all(each.input(0).Class() == "Read" for each in (first, second))


def test_a_script_s_own_numbers_stand_beside_the_preset_that_it_sets(tmp_path: Path) -> None:
    """No panel is open: only what it asks for is filled in."""
    node = matte_node(plate(tmp_path))
    node.has_open_panel = False
    node["size"].setValue(333)
    node["preset"].setValue("low_memory")
    assert node["size"].value() == 333
    knobs.fill_window(node)
    assert node["size"].value() != 333


def test_what_changes_is_looked_at_when_nuke_is_idle(tmp_path: Path) -> None:
    """Also a plate that was connected; a node that is gone by then is not missed."""
    node, gone = matte_node(plate(tmp_path)), matte_node(plate(tmp_path))
    made = node_request.node_request(NukeNode(node), (1001,))
    tell(node, made, Update(phase=Phase.DONE, ready=(1001,)))
    node.setInput(0, read_plate(str(tmp_path / "b.%04d.exr"), 1001, 1020))
    gone["blur"].setValue(2.0)
    nuke.delete(gone)
    assert NukeNode(node).said != OUT_OF_DATE
    settle()
    assert NukeNode(node).said == OUT_OF_DATE


def test_without_a_gui_a_change_is_no_errand(tmp_path: Path, runtime: Path) -> None:
    """Nuke has no main loop there that would ever do it."""
    begin(tmp_path, gui=False, every_change=nuke.session().every_change)
    node = matte_node(plate(tmp_path))
    nuke.open_panel(node)
    node["preset"].setValue("low_memory")
    press("cancel", node)
    assert nuke.session().calls.empty()
    assert not runtime.exists()
