"""The Nuke node without a server: what it may not do, and what it keeps.

Names follow what artists expect of such a node; `docs/hosts.md` has the list.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import nkparser
import pytest

from gvm_client.errors import GvmError, SettingsError
from gvm_nodes.core import actions, settings
from gvm_nodes.core.clips import frame_path
from gvm_nodes.core.followed_job import Phase, Update
from gvm_nodes.core.saved_state import UP_TO_DATE
from gvm_nodes.nuke.write_renders import read_command_line
from tests.fakes import nuke, nuke_nodes
from tests.support.nuke_session import (
    TICKET,
    TRACKER,
    NukeNode,
    fail,
    group,
    matte_node,
    matte_read,
    node_request,
    nodes_above,
    plate,
    press,
    settle,
    start,
    tell,
    ticket,
    write_renders,
)


@pytest.fixture
def runtime(tmp_path: Path, runtime: Path) -> Path:
    """The same, in a Nuke that has been started."""
    start(tmp_path)
    return runtime


def test_adding_opening_saving_copying_renaming_and_scrubbing_contact_nobody(
    tmp_path: Path, runtime: Path
) -> None:
    """Nobody looks for a server, and no thread begins."""
    node = matte_node(plate(tmp_path))
    node.setName("Key_Hair")
    nuke.paste(node)
    NukeNode(node).job = TICKET
    nuke.scriptSave(str(tmp_path / "a.nk"))
    nuke.scriptOpen(str(tmp_path / "a.nk"))
    for frame in range(1001, 1021):
        nuke.frame(frame)
    next(group.ours())["size"].setValue(64)
    settle()
    assert not runtime.exists()
    assert {each.name for each in threading.enumerate() if "gvm" in each.name} <= {"gvm-later"}


def test_a_copy_has_a_name_an_output_and_a_job_of_its_own(tmp_path: Path, runtime: Path) -> None:
    """Two nodes never write into each other's mattes."""
    node = matte_node(plate(tmp_path))
    NukeNode(node).job = TICKET
    twin = nuke.paste(node)
    twin.setInput(0, node.input(0))
    assert group.node_id(twin) != group.node_id(node)
    assert node_request.matte_pattern(NukeNode(twin)) != node_request.matte_pattern(NukeNode(node))
    assert NukeNode(twin).job == ""


def test_renaming_keeps_the_job_and_its_mattes(tmp_path: Path, runtime: Path) -> None:
    """What a node is called is part of nothing."""
    node = matte_node(plate(tmp_path))
    before = node_request.node_request(NukeNode(node), (1001,))
    node.setName("Other")
    assert node_request.node_request(NukeNode(node), (1001,)) == before


def test_an_error_is_one_red_sentence_in_the_status_line_and_no_dialog(
    tmp_path: Path, runtime: Path
) -> None:
    """A server that cannot start is reported where the artist looks, with the remedy."""
    node = matte_node(plate(tmp_path))
    assert "/none/server" in fail(node)
    assert node["status"].value().startswith("<font")
    assert not nuke.session().messages
    node["range"].setValue("custom")
    node["frames"].setValue("abc < 3")
    press("render_range", node)
    assert NukeNode(node).said.startswith("'abc < 3' is not a frame range.")
    assert "&lt;" in node["status"].value()
    press("cancel", node)
    assert node["status"].value() == NukeNode(node).said == "Nothing is rendering."


def test_label_and_colour_are_the_artist_s(tmp_path: Path, runtime: Path) -> None:
    """Studios colour and label nodes: neither a failure nor what follows it changes that."""
    node = matte_node(plate(tmp_path))
    mine = {"label": "hair, left", "tile_color": 0x7F7F00FF, "note_font": "bold", "gl_color": 3}
    for name, value in mine.items():
        node[name].setValue(value)
    nuke.session().undone.clear()
    fail(node)
    press("cancel", node)
    tell(
        node,
        node_request.node_request(NukeNode(node), (1001,)),
        Update(phase=Phase.DONE, ready=(1001,)),
    )
    assert {name: node[name].value() for name in mine} == mine


def test_without_a_gui_a_button_raises(tmp_path: Path, runtime: Path) -> None:
    """`nuke -t` sees the error as an exception, so that its exit code is right."""
    start(tmp_path, gui=False)
    node = matte_node(plate(tmp_path))
    with pytest.raises(GvmError, match="/none/server"):
        press("render_range", node)


def test_status_is_not_undone_and_does_not_mark_the_script(tmp_path: Path, runtime: Path) -> None:
    """Progress is no work of the artist's."""
    node = matte_node(plate(tmp_path))
    nuke.root().setModified(False)
    nuke.session().undone.clear()
    tell(
        node,
        node_request.node_request(NukeNode(node), ()),
        Update(frames_total=4, note="Busy."),
    )
    assert node["status"].value() == "0 %, frame 0 of 4. Busy."
    assert not nuke.root().modified()
    assert not nuke.session().undone


def test_out_of_date_is_said_and_the_old_matte_stays(tmp_path: Path, runtime: Path) -> None:
    """A changed knob shows at once; setting it back takes it back."""
    node = matte_node(plate(tmp_path))
    made = node_request.node_request(NukeNode(node), (1001, 1002))
    tell(node, made, Update(ready=(1001,), phase=Phase.DONE))
    shown = node.node("MatteRead")["file"].value()
    node["blur"].setValue(2.0)
    settle()
    assert node["status"].value().startswith("Out of date")
    assert node.node("MatteRead")["file"].value() == shown
    node["blur"].setValue(0.0)
    nuke.pump(lambda: not node["status"].value().startswith("Out of date"))


def test_a_plate_that_is_newer_than_its_mattes_is_said_when_the_panel_opens(
    tmp_path: Path, runtime: Path
) -> None:
    """A plate that was rendered again shows, without a server."""
    node = matte_node(plate(tmp_path))
    made = node_request.node_request(NukeNode(node), (1001,))
    matte = frame_path(made.output.path, 1001)
    matte.parent.mkdir(parents=True)
    for path, seconds in ((tmp_path / "a.1001.exr", 100), (matte, 200)):
        path.write_text("")
        os.utime(path, (seconds, seconds))
    tell(node, made, Update(ready=(1001,), phase=Phase.DONE))

    def looked() -> str:
        nuke.open_panel(node)
        settle()
        nuke.pump(lambda: not TRACKER.is_busy and nuke.session().calls.empty())
        return node["status"].value()

    assert not looked().startswith("Out of date")
    os.utime(tmp_path / "a.1001.exr", (300, 300))
    assert looked().startswith("Out of date")
    os.utime(matte, (400, 400))
    assert looked() == UP_TO_DATE


def test_mattes_are_read_from_where_they_are_written(tmp_path: Path, runtime: Path) -> None:
    """Nuke's local copies of files are not looked at again: made anew, a matte would look old."""
    node = matte_node(plate(tmp_path))
    request = node_request.node_request(NukeNode(node), (1001,))
    matte, read = frame_path(request.output.path, 1001), node.node("MatteRead")
    matte.parent.mkdir(parents=True)
    read["localizationPolicy"].setValue("on")  # as a script of before, or an artist, has it
    for made in (b"first", b"again"):
        matte.write_bytes(made)
        tell(node, request, Update(phase=Phase.DONE, ready=(1001,)))
        assert read.picture(1001) == made
    assert group.create().node("MatteRead")["localizationPolicy"].value() == "off"


def test_the_read_inside_reads_anew_now_and_then_and_at_the_end(
    tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reload is a change of the tree: all below it is looked at anew."""
    monkeypatch.setattr(matte_read, "RELOAD_SECONDS", 1000.0)
    node = matte_node(plate(tmp_path))
    request, read = node_request.node_request(NukeNode(node), ()), node.node("MatteRead")

    def reloads(phase: Phase, *ready: int) -> int:
        TRACKER._show(node["gvm_id"].value(), request, "", Update(phase=phase, ready=ready))
        return int(read["version"].value())

    for end, ready in ((Phase.DONE, (1004,)), (Phase.CANCELLED, ())):
        NukeNode(node).job, before = ticket(request), read["version"].value()
        assert [reloads(Phase.WORKING, frame) - before for frame in (1001, 1002, 1003)] in (
            [1, 1, 1],
            [0, 0, 0],
        )
        assert reloads(end, *ready) > before


def test_an_update_for_a_deleted_node_is_dropped(tmp_path: Path, runtime: Path) -> None:
    """The job goes on; nobody is left to show it."""
    node = matte_node(plate(tmp_path))
    request, identity = node_request.node_request(NukeNode(node), ()), group.node_id(node)
    nuke.delete(node)
    TRACKER._show(identity, request, "", Update(phase=Phase.DONE))


@pytest.mark.parametrize(
    ("kind", "frames"),
    [("plate", range(1003, 1019)), ("project", range(1001, 1011)), ("custom", (1005, 1007))],
)
def test_the_range_is_the_plates_the_projects_or_ones_own(
    tmp_path: Path, runtime: Path, kind: str, frames: range
) -> None:
    """Handles at the plate's ends are context; frames outside the plate are left out."""
    nuke.root()["first_frame"].setValue(990)
    nuke.root()["last_frame"].setValue(1010)
    node = matte_node(plate(tmp_path))
    node["handles"].setValue(2)
    node["frames"].setValue("1005-1008x2 2000")
    node["range"].setValue(kind)
    assert node_request.chosen_frames(NukeNode(node)) == tuple(frames)


def test_two_nodes_make_no_different_mattes_in_the_same_files(
    tmp_path: Path, runtime: Path
) -> None:
    """The second replaced the first's without a word, and both rendered the second's."""
    one, two = matte_node(plate(tmp_path)), matte_node(plate(tmp_path))
    for node in (one, two):
        node["out"].setValue("{dir}/m/a.%04d.exr")
    node_request.refuse_rivals(NukeNode(two), node_request.node_request(NukeNode(two), ()))
    two["gamma"].setValue(2.0)
    assert f"{one.name()} has other settings" in fail(two)
    assert f"{two.name()} has other settings" in fail(one)
    one["disable"].setValue(True)
    node_request.refuse_rivals(NukeNode(two), node_request.node_request(NukeNode(two), ()))
    one["disable"].setValue(False)
    one["out"].setValue("{dir}/m/b.%04d.exr")
    node_request.refuse_rivals(NukeNode(two), node_request.node_request(NukeNode(two), ()))


def test_a_range_outside_the_plate_is_refused(tmp_path: Path, runtime: Path) -> None:
    """The sentence has the plate's range."""
    node = matte_node(plate(tmp_path))
    node["range"].setValue("custom")
    node["frames"].setValue("1-5")
    with pytest.raises(SettingsError, match="1001-1020"):
        node_request.chosen_frames(NukeNode(node))


def test_a_preset_fills_in_its_numbers(tmp_path: Path, runtime: Path) -> None:
    """What is shown is what is asked for; a number that is changed afterwards wins."""
    node = matte_node(plate(tmp_path))
    node["preset"].setValue("low_memory")
    assert node["frames_per_window"].value() == 4
    node["size"].setValue(256)
    assert node_request.node_request(NukeNode(node), ()).window.size == 256


def test_a_range_that_nuke_cannot_read_ends_the_render_and_not_the_loading(
    tmp_path: Path, runtime: Path
) -> None:
    """The script opens; the Write says why it does not render."""
    start(tmp_path, gui=False, args=("nuke", "-F", "abc", "-x", "a.nk"))
    write = nuke.createNode("Write")
    write.setInput(0, matte_node(plate(tmp_path)))
    write_renders.before_writes()
    with pytest.raises(SettingsError, match="abc"):
        nuke.execute(write, 1, 2)


def test_a_new_node_passes_the_plate_until_it_has_a_matte(tmp_path: Path, runtime: Path) -> None:
    """A Read without a file may be an error below."""
    node = NukeNode(matte_node(plate(tmp_path)))
    copy = node.group.node("MatteCopy")
    assert copy["disable"].value()
    node.show(node_request.node_request(node, (1001,)))
    assert not copy["disable"].value()


def test_the_selected_node_becomes_the_plate(tmp_path: Path, runtime: Path) -> None:
    """As with every node of Nuke's menu."""
    read = plate(tmp_path)
    nuke.session().selection = [read]
    assert group.create().input(0) is read


def test_the_node_is_closed_in_a_nuke_that_can_show_groups_open(
    tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nuke 16 has that knob; an older one has not."""
    assert matte_node(plate(tmp_path))["disable_group_view"].value() is True
    monkeypatch.delitem(nuke_nodes._CLASSES["Group"], "disable_group_view")
    assert matte_node(plate(tmp_path)).knob("disable_group_view") is None


def test_what_is_said_within_a_render_of_nuke_s_own_leaves_its_undo_off(
    tmp_path: Path, runtime: Path
) -> None:
    """Nuke's render dialog switches it off for all of the render, and counts."""
    node = matte_node(plate(tmp_path))
    nuke.Undo.disable()
    press("cancel", node)
    nuke.session().undone.clear()
    node["blur"].setValue(1.0)
    assert not nuke.session().undone
    nuke.Undo.enable()
    node["blur"].setValue(2.0)
    assert nuke.session().undone == ["blur"]


def test_nodes_inside_and_outside_of_groups_above_a_write_are_found(
    tmp_path: Path, runtime: Path
) -> None:
    """A studio wraps nodes into Groups; what does not feed the Write is left alone."""
    first = matte_node(plate(tmp_path))
    wrap = nuke.createNode("Group")
    wrap.setInput(0, first)
    with wrap:
        feeds = matte_node(nuke.createNode("Input"))
        matte_node(plate(tmp_path))
        nuke.createNode("Output").setInput(0, feeds)
        inner = nuke.createNode("Write")
        inner.setInput(0, wrap.nodes()[0])
    write = nuke.createNode("Write")
    write.setInput(0, wrap)
    assert [node.name() for node in nodes_above(write)] == [first.name(), feeds.name()]
    assert [node.name() for node in nodes_above(inner)] == [first.name()]


def test_only_read_what_exists_contacts_nobody(tmp_path: Path, runtime: Path) -> None:
    """With that policy a render reads; a missing matte is Nuke's own error."""
    node = matte_node(plate(tmp_path))
    node["policy"].setValue("only read what exists")
    node["missing_mattes"].setValue("error")
    (tmp_path / "a.1001.exr").write_text("")
    write = nuke.createNode("Write")
    write.setInput(0, node)
    with pytest.raises(RuntimeError, match="Read error"):
        nuke.execute(write, 1001, 1001)
    assert not runtime.exists()


def test_a_batch_render_without_named_frames_takes_the_project_s(
    tmp_path: Path, runtime: Path
) -> None:
    """Or the Write's own, where it has some."""
    nuke.root()["first_frame"].setValue(11)
    nuke.root()["last_frame"].setValue(13)
    write, line = nuke.createNode("Write"), read_command_line(["nuke", "-x", "a.nk"])
    assert write_renders.asked_frames(write, line) == (11, 12, 13)
    for name, setting in (("use_limit", True), ("first", 5), ("last", 6)):
        write[name].setValue(setting)
    assert write_renders.asked_frames(write, line) == (5, 6)


def test_the_saved_script_parses_and_opens_without_the_package(
    tmp_path: Path, runtime: Path
) -> None:
    """Native nodes only; a Read of the EXRs remains; a button says what is not installed."""
    node = matte_node(plate(tmp_path))
    tell(
        node,
        node_request.node_request(NukeNode(node), ()),
        Update(phase=Phase.DONE, ready=(1001,)),
    )
    path = tmp_path / "a.nk"
    nuke.scriptSave(str(path))
    script = nkparser.Script.from_string(path.read_text())
    # Its only complaint: it looks for `end_group` inside the braces; Nuke writes it after them.
    assert all("end_group" in str(found) for found in script.errors())
    shown = node.node("MatteRead")["file"].value()
    assert shown in [read.get_string("file") for read in script.query().of_class("Read")]
    kinds = {inside.Class() for inside in node.nodes()}
    native = {"Input", "Crop", "Write", "Read", "Copy", "Output"}
    assert kinds == native | {"Dilate", "Blur", "Merge2", "Clamp"}
    assert all("except ImportError" in node[button.name].value() for button in settings.BUTTONS)


def test_a_studio_s_defaults_fill_and_lock_knobs(
    tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new node has them; a locked knob is greyed out."""
    studio = {"defaults": {"preset": "prototype", "colourspace": "acescg"},
              "locked": ["engine", "size"]}  # fmt: skip
    (tmp_path / "studio.json").write_text(json.dumps(studio))
    monkeypatch.setenv("GVM_NODE_DEFAULTS", str(tmp_path / "studio.json"))
    node = matte_node(plate(tmp_path))
    assert node["colourspace"].value() == "acescg"
    assert node["max_resolution"].value() == 512
    locked = [knob.name for knob in settings.KNOBS if not node[knob.name].is_enabled]
    assert locked == ["engine", "size"]
    size = node["size"].value()
    node["preset"].setValue("low_memory")
    assert (node["size"].value(), node["max_resolution"].value()) == (size, 720)


def test_every_button_has_its_action() -> None:
    """No button calls what is not there."""
    for button in settings.BUTTONS:
        assert callable(actions.ACTIONS[button.name])


def test_reveal_before_the_first_render_says_so(tmp_path: Path, runtime: Path) -> None:
    """There is no folder to show yet."""
    node = matte_node(plate(tmp_path))
    press("reveal", node)
    assert NukeNode(node).said.endswith("does not exist yet. Render first.")


def test_cancel_without_a_job_says_so(tmp_path: Path, runtime: Path) -> None:
    """Nobody is asked."""
    node = matte_node(plate(tmp_path))
    press("cancel", node)
    assert node["status"].value() == "Nothing is rendering."
    assert not runtime.exists()
