"""The Nuke node's plate, without a server: files that are read, trees that are written, views."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from gvm_nodes.core.clips import frame_path
from gvm_nodes.core.followed_job import Phase, Update
from gvm_nodes.nuke.write_renders import read_command_line
from tests.fakes import nuke
from tests.support.nuke_session import (
    TICKET,
    TRACKER,
    NukeNode,
    matte_node,
    node_request,
    nodes_of,
    plate,
    plate_writer,
    press,
    read_plate,
    script_writes,
    settle,
    start,
    tell,
    write_renders,
)


@pytest.fixture
def runtime(tmp_path: Path, runtime: Path) -> Path:
    """The same, in a Nuke that has been started."""
    start(tmp_path)
    return runtime


def test_a_plain_read_goes_by_path_and_anything_else_is_written(
    tmp_path: Path, runtime: Path
) -> None:
    """Dots are read through; a retime or a filter is no plain Read."""
    read = plate(tmp_path)
    dot = nuke.createNode("Dot")
    dot.setInput(0, read)
    node = matte_node(dot)
    assert node_request.node_request(NukeNode(node), ()).plate.path == str(tmp_path / "a.%04d.exr")
    read["frame_mode"].setValue("offset")
    assert "/mattes/plates/" in node_request.node_request(NukeNode(node), ()).plate.path
    assert node_request.node_request(NukeNode(node), ()).plate.colourspace == "scene_linear"


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
    assert list(script_writes()) == [inner, outer]

    def asked(*words: str) -> list[str]:
        line = read_command_line(["nuke", *words, "a.nk"])
        return [
            write.fullName()
            for write in script_writes()
            if write_renders._is_asked_for(write, line)
        ]

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
        return plate_writer.write_changed(node.group, node.clip().path, (1001, 1002), "")

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
    plate_writer.write_changed(node.group, node.clip().path, range(1001, 1021), "")
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
    plate_writer.write_changed(node.group, pattern, (1001,), "")
    other = frame_path(pattern, 1002).parent / "gvm_frames.json"
    other.write_text(json.dumps({**json.loads(other.read_text()), "1015": "theirs"}))
    plate_writer.write_changed(node.group, pattern, (1002,), "")
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
    request = node_request.node_request(node, (1100,))
    assert request.model.fit_memory
    assert node_request.frames_seen(request, (1100,)) == tuple(range(1085, 1116))


def test_a_script_that_becomes_stereo_keeps_its_job(tmp_path: Path, runtime: Path) -> None:
    """What one view had is the first one's."""
    node = matte_node(plate(tmp_path))
    NukeNode(node).job = TICKET
    nuke.session().views = ["left", "right"]
    left, right = nodes_of(node)
    assert (left.job, right.job) == (TICKET, "")
    left.job = ""
    assert NukeNode(node, "left").job == ""


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
    plate_writer.write_changed(node.group, node.clip().path, (1001,), "")
    assert frame_path(node.clip().path, 1001).is_file()
    assert write["views"].value() == "main"


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
        plate_writer.write_changed(eye.group, path, (1001,), eye.view)
        return bool(plate_writer.write_changed(eye.group, path, (1001,), eye.view))

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
    requests = [node_request.node_request(eye, (1001,)) for eye in eyes]
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
    assert TRACKER.host.find(eyes[1].identity).view == "right"


def test_a_view_in_the_name_is_the_script_s_one_view(tmp_path: Path, runtime: Path) -> None:
    """Nuke calls it main where there is no stereo, and %V reads so."""
    node = matte_node(read_plate(str(tmp_path / "%V" / "a_%v.%04d.exr"), 1001, 1020))
    (eye,) = nodes_of(node)
    assert node_request.node_request(eye, (1001,)).plate.path == str(
        tmp_path / "main" / "a_m.%04d.exr"
    )


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
    request = node_request.node_request(above, (1001, 1002))
    mattes = [frame_path(request.output.path, frame) for frame in (1001, 1002)]
    mattes[0].parent.mkdir(parents=True)
    for path in mattes:
        path.write_text("")
    tell(above.group, request, Update(phase=Phase.DONE, ready=(1001, 1002)))

    def wrote() -> tuple[int, ...]:
        return plate_writer.write_changed(below.group, below.clip().path, (1001, 1002), "")

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


def test_a_tree_that_changed_since_its_mattes_is_said_when_the_panel_opens(
    tmp_path: Path, runtime: Path
) -> None:
    """By Nuke's op hash, without a render."""
    blur = nuke.createNode("Blur")
    blur.setInput(0, plate(tmp_path))
    node = NukeNode(matte_node(blur))
    made = node_request.node_request(node, (1001,))
    plate_writer.write_changed(node.group, node.clip().path, (1001,), "")
    tell(node.group, made, Update(ready=(1001,), phase=Phase.DONE))
    nuke.open_panel(node.group)
    settle()
    assert not node.group["status"].value().startswith("Out of date")
    blur["size"].setValue(9.0)
    nuke.open_panel(node.group)
    settle()
    assert node.group["status"].value().startswith("Out of date")


def test_a_guide_s_name_may_say_the_view(tmp_path: Path, runtime: Path) -> None:
    """As the plate's: each view of a stereo script has its own."""
    node = matte_node(plate(tmp_path))
    node["garbage"].setValue("/roto/%V/g.%04d.exr")
    node["holdout"].setValue("/roto/core_%v.png")
    nuke.session().views = ["left", "right"]
    for each, view in zip(nodes_of(node), ("left", "right"), strict=True):
        options = each.options()
        assert options.garbage == f"/roto/{view}/g.%04d.exr"
        assert options.holdout == f"/roto/core_{view[0]}.png"
