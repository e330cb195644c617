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
from gvm_nodes import actions, knobs
from gvm_nodes.freshness import UP_TO_DATE
from gvm_nodes.nuke.command_line import read_command_line
from gvm_nodes.outputs import frame_path
from gvm_nodes.work import Phase, Update
from tests.fakes import nuke, nuke_nodes
from tests.support.nuke_session import (
    DESK,
    NukeNode,
    asking,
    batch,
    group,
    matte_node,
    nodes_of,
    press,
    read_plate,
    settle,
    shown,
    start,
    tell,
    ticket,
    upstream,
    writes,
    written,
)

TICKET = f"{'0' * 32} range 1001-1020"


@pytest.fixture
def runtime(tmp_path: Path, runtime: Path) -> Path:
    """The same, in a Nuke that has been started."""
    start(tmp_path)
    return runtime


def plate(tmp_path: Path, first: int = 1001, last: int = 1020) -> nuke.Node:
    """Make a Read of frames that need not exist."""
    return read_plate(str(tmp_path / "a.%04d.exr"), first, last)


def fail(node: nuke.Group) -> str:
    """Press Render Range where no server can be had, and return what the node says."""
    press("render_range", node)
    nuke.pump(lambda: not DESK.is_busy and nuke.session().calls.empty())
    return NukeNode(node).said


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
    assert asking.matte_pattern(NukeNode(twin)) != asking.matte_pattern(NukeNode(node))
    assert NukeNode(twin).job == ""


def test_renaming_keeps_the_job_and_its_mattes(tmp_path: Path, runtime: Path) -> None:
    """What a node is called is part of nothing."""
    node = matte_node(plate(tmp_path))
    before = asking.request(NukeNode(node), (1001,))
    node.setName("Other")
    assert asking.request(NukeNode(node), (1001,)) == before


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
    tell(node, asking.request(NukeNode(node), (1001,)), Update(phase=Phase.DONE, ready=(1001,)))
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
        asking.request(NukeNode(node), ()),
        Update(frames_total=4, note="Busy."),
    )
    assert node["status"].value() == "0 %, frame 0 of 4. Busy."
    assert not nuke.root().modified()
    assert not nuke.session().undone


def test_out_of_date_is_said_and_the_old_matte_stays(tmp_path: Path, runtime: Path) -> None:
    """A changed knob shows at once; setting it back takes it back."""
    node = matte_node(plate(tmp_path))
    made = asking.request(NukeNode(node), (1001, 1002))
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
    made = asking.request(NukeNode(node), (1001,))
    matte = frame_path(made.output.path, 1001)
    matte.parent.mkdir(parents=True)
    for path, seconds in ((tmp_path / "a.1001.exr", 100), (matte, 200)):
        path.write_text("")
        os.utime(path, (seconds, seconds))
    tell(node, made, Update(ready=(1001,), phase=Phase.DONE))

    def looked() -> str:
        nuke.open_panel(node)
        settle()
        nuke.pump(lambda: not DESK.is_busy and nuke.session().calls.empty())
        return node["status"].value()

    assert not looked().startswith("Out of date")
    os.utime(tmp_path / "a.1001.exr", (300, 300))
    assert looked().startswith("Out of date")
    os.utime(matte, (400, 400))
    assert looked() == UP_TO_DATE


def test_mattes_are_read_from_where_they_are_written(tmp_path: Path, runtime: Path) -> None:
    """Nuke's local copies of files are not looked at again: made anew, a matte would look old."""
    node = matte_node(plate(tmp_path))
    request = asking.request(NukeNode(node), (1001,))
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
    monkeypatch.setattr(shown, "RELOAD_SECONDS", 1000.0)
    node = matte_node(plate(tmp_path))
    request, read = asking.request(NukeNode(node), ()), node.node("MatteRead")

    def reloads(phase: Phase, *ready: int) -> int:
        DESK._show(node["gvm_id"].value(), request, "", Update(phase=phase, ready=ready))
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
    request, identity = asking.request(NukeNode(node), ()), group.node_id(node)
    nuke.delete(node)
    DESK._show(identity, request, "", Update(phase=Phase.DONE))


def test_a_plain_read_goes_by_path_and_anything_else_is_written(
    tmp_path: Path, runtime: Path
) -> None:
    """Dots are read through; a retime or a filter is no plain Read."""
    read = plate(tmp_path)
    dot = nuke.createNode("Dot")
    dot.setInput(0, read)
    node = matte_node(dot)
    assert asking.request(NukeNode(node), ()).plate.path == str(tmp_path / "a.%04d.exr")
    read["frame_mode"].setValue("offset")
    assert "/mattes/plates/" in asking.request(NukeNode(node), ()).plate.path
    assert asking.request(NukeNode(node), ()).plate.colourspace == "scene_linear"


def test_a_plain_read_goes_by_its_full_size_file_as_nuke_maps_it(
    tmp_path: Path, runtime: Path
) -> None:
    """Expressions and path mapping are Nuke's; in proxy mode it is not the proxy's file."""
    read = read_plate("[getenv SHOW]/a.####.exr", 1, 5)
    read["proxy"].setValue("/proxy/a.%04d.exr")
    node = NukeNode(matte_node(read))
    assert node.clip().path == "/show/a.%04d.exr"
    nuke.root().setProxy(True)
    assert node.clip().written
    read["file"].setValue("P:/a.%04d.exr")
    assert node.clip().path == "/mnt/p/a.%04d.exr"


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
    assert asking.chosen_frames(NukeNode(node)) == tuple(frames)


def test_a_range_outside_the_plate_is_refused(tmp_path: Path, runtime: Path) -> None:
    """The sentence has the plate's range."""
    node = matte_node(plate(tmp_path))
    node["range"].setValue("custom")
    node["frames"].setValue("1-5")
    with pytest.raises(SettingsError, match="1001-1020"):
        asking.chosen_frames(NukeNode(node))


def test_a_preset_fills_in_its_numbers(tmp_path: Path, runtime: Path) -> None:
    """What is shown is what is asked for; a number that is changed afterwards wins."""
    node = matte_node(plate(tmp_path))
    node["preset"].setValue("low_memory")
    assert node["frames_per_window"].value() == 4
    node["size"].setValue(256)
    assert asking.request(NukeNode(node), ()).window.size == 256


def test_a_relative_read_lies_in_the_project_s_folder(tmp_path: Path, runtime: Path) -> None:
    """Whose knob is often an expression."""
    nuke.root()["project_directory"].setValue("[python {nuke.script_directory()}]")
    node = NukeNode(matte_node(read_plate("plates/a.%04d.exr", 1, 5)))
    assert node.clip().path == str(tmp_path / "plates" / "a.%04d.exr")


def test_writes_in_groups_are_found_and_named_by_their_group(tmp_path: Path, runtime: Path) -> None:
    """A studio's write node is a Group with a Write in it; our own plate's Write is none."""
    matte_node(plate(tmp_path))
    wrap = nuke.createNode("Group")
    wrap.setName("SGWrite1")
    with wrap:
        inner = nuke.createNode("Write")
    outer = nuke.createNode("Write")
    outer["disable"].setValue(True)
    assert list(writes()) == [inner, outer]

    def asked(*words: str) -> list[str]:
        line = read_command_line(["nuke", *words, "a.nk"])
        return [write.fullName() for write in writes() if batch._is_asked_for(write, line)]

    assert asked("-x") == [inner.fullName()]
    assert asked("-X", "SGWrite1") == [inner.fullName()]
    assert asked("-X", outer.name()) == [outer.fullName()]
    assert asked("-t") == []


@pytest.mark.parametrize("kind", ["Blur", "FrameHold", "Dot"])
def test_a_tree_is_written_again_when_its_picture_can_have_changed(
    tmp_path: Path, runtime: Path, kind: str
) -> None:
    """Also below nodes that have no op of their own, and when a file is overwritten in place."""
    for frame in (1001, 1002):
        (tmp_path / f"a.{frame}.exr").write_text("")
    read = plate(tmp_path)
    read["frame_mode"].setValue("offset")
    tree = nuke.createNode(kind)
    tree.setInput(0, read)
    node = NukeNode(matte_node(tree))

    def wrote() -> tuple[int, ...]:
        return written.write_changed(node.group, node.clip().path, (1001, 1002), "")

    assert wrote() == (1001, 1002)
    assert wrote() == ()
    nuke.root().setProxy(True)
    assert wrote() == ()
    os.utime(tmp_path / "a.1002.exr", (5, 5))
    assert wrote() == (1002,)


def test_in_a_render_at_proxy_size_no_plate_is_taken_for_fresh(
    tmp_path: Path, runtime: Path
) -> None:
    """Whether the tree has changed cannot be told there; the remedy says what to do."""
    blur = nuke.createNode("Blur")
    blur.setInput(0, plate(tmp_path))
    node = NukeNode(matte_node(blur))
    written.write_changed(node.group, node.clip().path, range(1001, 1021), "")
    blur["size"].setValue(9.0)
    write = nuke.createNode("Write")
    write.setInput(0, node.group)
    nuke.root().setProxy(True)
    with pytest.raises(RuntimeError, match="Render at full size"):
        nuke.execute(write, 1001, 1001)


def test_looking_at_a_long_plate_can_be_cancelled_and_is_no_step_of_undo(
    tmp_path: Path, runtime: Path
) -> None:
    """Before the first frame is written, under a bar of its own."""
    blur = nuke.createNode("Blur")
    blur.setInput(0, plate(tmp_path))
    node = matte_node(blur)
    nuke.session().undone.clear()
    nuke.root().setModified(False)
    nuke.ProgressTask.cancelled = True
    press("render_range", node)
    assert node["status"].value() == "Writing the plate was cancelled."
    assert node["tile_color"].value() == 0
    assert (nuke.session().undone, nuke.root().modified()) == ([], False)
    assert not nuke.session().rendered


def test_two_nukes_keep_each_other_s_stamps(tmp_path: Path, runtime: Path) -> None:
    """A farm's tasks write parts of one plate at the same time."""
    blur = nuke.createNode("Blur")
    blur.setInput(0, plate(tmp_path))
    node = NukeNode(matte_node(blur))
    pattern = node.clip().path
    written.write_changed(node.group, pattern, (1001,), "")
    other = frame_path(pattern, 1002).parent / "gvm_frames.json"
    other.write_text(json.dumps({**json.loads(other.read_text()), "1015": "theirs"}))
    written.write_changed(node.group, pattern, (1002,), "")
    assert sorted(json.loads(other.read_text())) == ["1001", "1002", "1015"]
    assert not list(other.parent.glob("*.tmp"))


def test_one_frame_of_the_preset_auto_writes_its_neighbourhood_only(
    tmp_path: Path, runtime: Path
) -> None:
    """Whatever window the server will choose."""
    blur = nuke.createNode("Blur")
    blur.setInput(0, plate(tmp_path, last=1200))
    node = NukeNode(matte_node(blur))
    node.group["preset"].setValue("auto")
    request = asking.request(node, (1100,))
    assert request.model.fit_memory
    assert asking.context(request, (1100,)) == tuple(range(1085, 1116))


def test_a_script_that_becomes_stereo_keeps_its_job(tmp_path: Path, runtime: Path) -> None:
    """What one view had is the first one's."""
    node = matte_node(plate(tmp_path))
    NukeNode(node).job = TICKET
    nuke.session().views = ["left", "right"]
    left, right = nodes_of(node)
    assert (left.job, right.job) == (TICKET, "")
    left.job = ""
    assert NukeNode(node, "left").job == ""


def test_a_range_that_nuke_cannot_read_ends_the_render_and_not_the_loading(
    tmp_path: Path, runtime: Path
) -> None:
    """The script opens; the Write says why it does not render."""
    start(tmp_path, gui=False, args=("nuke", "-F", "abc", "-x", "a.nk"))
    write = nuke.createNode("Write")
    write.setInput(0, matte_node(plate(tmp_path)))
    batch.before_writes()
    with pytest.raises(SettingsError, match="abc"):
        nuke.execute(write, 1, 2)


def test_a_new_node_passes_the_plate_until_it_has_a_matte(tmp_path: Path, runtime: Path) -> None:
    """A Read without a file may be an error below."""
    node = NukeNode(matte_node(plate(tmp_path)))
    copy = node.group.node("MatteCopy")
    assert copy["disable"].value()
    node.show(asking.request(node, (1001,)))
    assert not copy["disable"].value()


def test_the_selected_node_becomes_the_plate(tmp_path: Path, runtime: Path) -> None:
    """As with every node of Nuke's menu."""
    read = plate(tmp_path)
    nuke.session().selection = [read]
    assert group.create().input(0) is read


def test_a_written_plate_has_the_format_s_size(tmp_path: Path, runtime: Path) -> None:
    """A bounding box that moves would change the picture that the model sees."""
    node = matte_node(plate(tmp_path))
    crop = node.node("PlateWrite").input(0)
    assert crop.Class() == "Crop"
    assert crop["box"].value() == ["0", "0", "input.width", "input.height"]


def test_what_an_artist_changed_in_the_plate_s_write_neither_moves_nor_renumbers_its_files(
    tmp_path: Path, runtime: Path
) -> None:
    """A frame's file is that frame's, and every view has its own."""
    blur = nuke.createNode("Blur")
    blur.setInput(0, plate(tmp_path))
    node = NukeNode(matte_node(blur))
    write = node.group.node("PlateWrite")
    for name, value in (("frame_mode", "offset"), ("frame", "100"), ("views", "left")):
        write[name].setValue(value)
    written.write_changed(node.group, node.clip().path, (1001,), "")
    assert frame_path(node.clip().path, 1001).is_file()
    assert write["views"].value() == "main"


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


def test_a_tree_of_a_view_is_stamped_in_a_nuke_whose_metadata_takes_none(
    tmp_path: Path, runtime: Path
) -> None:
    """The current view's is not written twice; another's, which cannot be told, is."""
    nuke.session().views = ["left", "right"]
    blur = nuke.createNode("Blur")
    blur.setInput(0, plate(tmp_path))
    left, right = nodes_of(matte_node(blur))

    def written_twice(eye: NukeNode) -> bool:
        path = eye.clip().path
        written.write_changed(eye.group, path, (1001,), eye.view)
        return bool(written.write_changed(eye.group, path, (1001,), eye.view))

    assert (written_twice(left), written_twice(right)) == (False, False)
    nuke.session().metadata_of_views = False
    assert (written_twice(left), written_twice(right)) == (False, True)


def test_each_view_of_a_stereo_script_has_its_own_plate_and_mattes(
    tmp_path: Path, runtime: Path
) -> None:
    """A plain Read goes by path in each; the Read inside names every view's files."""
    nuke.session().views = ["left", "right"]
    node = matte_node(read_plate(str(tmp_path / "%V" / "a_%v.%04d.exr"), 1001, 1020))
    eyes = nodes_of(node)
    requests = [asking.request(eye, (1001,)) for eye in eyes]
    assert [request.plate.path for request in requests] == [
        str(tmp_path / "left" / "a_l.%04d.exr"),
        str(tmp_path / "right" / "a_r.%04d.exr"),
    ]
    assert len({request.output.path for request in requests}) == 2
    assert len({request.job for request in requests}) == 2
    for eye, request in zip(eyes, requests, strict=True):
        eye.show(request)
    shown = node.node("MatteRead")["file"].value()
    assert [shown.replace("%V", eye.view) for eye in eyes] == [
        request.output.path for request in requests
    ]
    assert DESK.host.find(eyes[1].identity).view == "right"


def test_a_view_in_the_name_is_the_script_s_one_view(tmp_path: Path, runtime: Path) -> None:
    """Nuke calls it main where there is no stereo, and %V reads so."""
    node = matte_node(read_plate(str(tmp_path / "%V" / "a_%v.%04d.exr"), 1001, 1020))
    (eye,) = nodes_of(node)
    assert asking.request(eye, (1001,)).plate.path == str(tmp_path / "main" / "a_m.%04d.exr")


def test_the_views_knob_chooses(tmp_path: Path, runtime: Path) -> None:
    """As a Write's does."""
    nuke.session().views = ["left", "right"]
    node = matte_node(plate(tmp_path))
    for named in ("right", "{right}"):
        node["views"].setValue(named)
        assert [eye.view for eye in nodes_of(node)] == ["right"]


def test_views_never_share_their_files(tmp_path: Path, runtime: Path) -> None:
    """The remedy is a token of the output."""
    nuke.session().views = ["left", "right"]
    node = matte_node(plate(tmp_path))
    node["out"].setValue("{dir}/m/v{version}/m.%04d.exr")
    press("render_range", node)
    assert "Put {id} into it" in node["status"].value()


def test_cancelled_writing_of_a_plate_is_said_and_asks_nobody(
    tmp_path: Path, runtime: Path
) -> None:
    """Nuke's own progress bar cancels it; the proxy is as it was."""
    blur = nuke.createNode("Blur")
    blur.setInput(0, plate(tmp_path))
    node = matte_node(blur)
    nuke.root().setProxy(True)
    nuke.session().cancel_at = 1004
    press("render_range", node)
    assert node["status"].value() == "Writing the plate was cancelled."
    assert nuke.root().proxy()
    assert node.node("PlateWrite")["disable"].value()
    assert not runtime.exists()


def test_mattes_that_are_shown_again_are_no_change_of_a_plate_below_them(
    tmp_path: Path, runtime: Path
) -> None:
    """A second node below the first writes what has changed of its mattes, not all again."""
    above = NukeNode(matte_node(plate(tmp_path)))
    above.group["policy"].setValue("only read what exists")
    below = NukeNode(matte_node(above.group))
    request = asking.request(above, (1001, 1002))
    mattes = [frame_path(request.output.path, frame) for frame in (1001, 1002)]
    mattes[0].parent.mkdir(parents=True)
    for path in mattes:
        path.write_text("")
    tell(above.group, request, Update(phase=Phase.DONE, ready=(1001, 1002)))

    def wrote() -> tuple[int, ...]:
        return written.write_changed(below.group, below.clip().path, (1001, 1002), "")

    assert wrote() == (1001, 1002)
    tell(above.group, request, Update(phase=Phase.DONE, ready=(1002,)))
    version = above.group.node("MatteRead")["version"].value()
    assert version > 1
    assert wrote() == ()
    os.utime(mattes[1], (100, 100))
    assert wrote() == (1002,)
    assert above.group.node("MatteRead")["version"].value() == version


def test_in_a_render_an_unwritten_tree_is_an_error_that_says_what_to_press(
    tmp_path: Path, runtime: Path
) -> None:
    """Nuke renders one thing at a time; nothing hangs."""
    blur = nuke.createNode("Blur")
    blur.setInput(0, plate(tmp_path))
    write = nuke.createNode("Write")
    write.setInput(0, matte_node(blur))
    with pytest.raises(RuntimeError, match="Press Render Range"):
        nuke.execute(write, 1001, 1002)


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
    assert [node.name() for node in upstream(write)] == [first.name(), feeds.name()]
    assert [node.name() for node in upstream(inner)] == [first.name()]


def test_a_tree_that_changed_since_its_mattes_is_said_when_the_panel_opens(
    tmp_path: Path, runtime: Path
) -> None:
    """By Nuke's op hash, without a render."""
    blur = nuke.createNode("Blur")
    blur.setInput(0, plate(tmp_path))
    node = NukeNode(matte_node(blur))
    made = asking.request(node, (1001,))
    written.write_changed(node.group, node.clip().path, (1001,), "")
    tell(node.group, made, Update(ready=(1001,), phase=Phase.DONE))
    nuke.open_panel(node.group)
    settle()
    assert not node.group["status"].value().startswith("Out of date")
    blur["size"].setValue(9.0)
    nuke.open_panel(node.group)
    settle()
    assert node.group["status"].value().startswith("Out of date")


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
    assert batch.asked_frames(write, line) == (11, 12, 13)
    for name, setting in (("use_limit", True), ("first", 5), ("last", 6)):
        write[name].setValue(setting)
    assert batch.asked_frames(write, line) == (5, 6)


def test_the_saved_script_parses_and_opens_without_the_package(
    tmp_path: Path, runtime: Path
) -> None:
    """Native nodes only; a Read of the EXRs remains; a button says what is not installed."""
    node = matte_node(plate(tmp_path))
    tell(
        node,
        asking.request(NukeNode(node), ()),
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
    assert kinds == {"Input", "Crop", "Write", "Read", "Copy", "Output"}
    assert all("except ImportError" in node[button.name].value() for button in knobs.BUTTONS)


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
    locked = [knob.name for knob in knobs.KNOBS if not node[knob.name].is_enabled]
    assert locked == ["engine", "size"]
    size = node["size"].value()
    node["preset"].setValue("low_memory")
    assert (node["size"].value(), node["max_resolution"].value()) == (size, 720)


def test_every_button_has_its_action() -> None:
    """No button calls what is not there."""
    for button in knobs.BUTTONS:
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
