"""A Write below the node where something goes wrong: no frame is rendered without its matte."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvm_nodes.core.clips import frame_path
from gvm_nodes.core.followed_job import Phase, Update
from tests.fakes import nuke
from tests.support.nuke_session import NukeNode, matte_node, node_request, read_plate, start, tell

LINE = ("nuke", "-x", "--cont", "-F", "1001-1003", "a.nk")


def below(node: nuke.Group, folder: Path) -> nuke.Node:
    """Make a Write below a node."""
    write = nuke.createNode("Write")
    write.setInput(0, node)
    write["file"].setValue(str(folder / "comp.%04d.txt"))
    return write


def shot(folder: Path, *, gui: bool = False, args: tuple[str, ...] = LINE) -> nuke.Group:
    """Start a Nuke whose server cannot be started, with a node."""
    start(folder, gui=gui, args=args)
    return matte_node(read_plate(str(folder / "a.%04d.exr"), 1001, 1020))


def mattes_of_before(node: nuke.Group) -> None:
    """Have mattes stand and be shown, of a plate that has changed since."""
    own = NukeNode(node)
    request = node_request.node_request(own, ())
    for frame in range(1001, 1004):
        path = frame_path(request.output.path, frame)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    own.show(request)


@pytest.mark.parametrize("stand", [False, True])
@pytest.mark.parametrize(
    ("gui", "args"), [(False, LINE), (False, ("nuke", "-t", "farm.py")), (True, ("nuke",))]
)
def test_a_render_that_goes_on_after_errors_writes_no_frame_without_its_matte(
    tmp_path: Path,
    runtime: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    stand: bool,
    gui: bool,
    args: tuple[str, ...],
) -> None:
    """Neither with black, which the artist may see while he works, nor with a matte of before."""
    node = shot(tmp_path, gui=gui, args=args)
    assert node["missing_mattes"].value() == "black"
    if stand:
        mattes_of_before(node)
    write, read = below(node, tmp_path), node.node("MatteRead")
    shown = read["file"].value()
    nuke.execute(write, 1001, 1003, continueOnError=True)
    assert nuke.session().rendered == []
    assert read["on_error"].value() == "black"  # as the artist has it, and with his mattes
    assert not stand or read["file"].value() == shown
    assert ("/none/server" in capsys.readouterr().out) is not gui
    assert ("/none/server" in NukeNode(node).said) is gui


def test_a_node_without_a_plate_lets_nothing_through(tmp_path: Path, runtime: Path) -> None:
    """A new node passes its plate's own alpha on; a render that should have a matte does not."""
    node = shot(tmp_path)
    node.setInput(0, None)
    copy = node.node("MatteCopy")
    assert copy["disable"].value()
    nuke.execute(below(node, tmp_path), 1001, 1003, continueOnError=True)
    assert nuke.session().rendered == []
    assert copy["disable"].value()
    assert node.node("MatteRead")["file"].value() == ""


@pytest.mark.parametrize("how", ["press", "load"])
def test_a_render_that_was_broken_off_leaves_the_node_as_the_artist_has_it(
    tmp_path: Path, runtime: Path, how: str
) -> None:
    """Nuke may call nothing after one; the next press, or the next opening, puts it back."""
    node = shot(tmp_path, gui=True, args=("nuke",))
    mattes_of_before(node)
    write = below(node, tmp_path)
    shown = node.node("MatteRead")["file"].value()
    with pytest.raises(RuntimeError, match="/none/server"):
        nuke.execute(write, 1001, 1003)
    if how == "press":
        node["cancel"].execute()
    else:
        nuke.scriptSave(str(tmp_path / "b.nk"))
        start(tmp_path)
        nuke.scriptOpen(str(tmp_path / "b.nk"))
        node = next(one for one in nuke.allNodes("Group"))
    read = node.node("MatteRead")
    assert (read["on_error"].value(), read["file"].value()) == ("black", shown)


@pytest.mark.parametrize(("missing", "rendered"), [("black", [1001]), ("error", [])])
def test_a_render_that_only_reads_has_what_the_artist_chose_where_a_matte_is_missing(
    tmp_path: Path, runtime: Path, missing: str, rendered: list[int]
) -> None:
    """And never the plate's own alpha, which a new node passes on; nobody is asked."""
    node = shot(tmp_path)
    node["policy"].setValue("only read what exists")
    node["missing_mattes"].setValue(missing)
    write = below(node, tmp_path)
    nuke.session().call("beforeRender", write)
    read = node.node("MatteRead")
    assert not node.node("MatteCopy")["disable"].value()
    assert read["file"].value() == node_request.matte_pattern(NukeNode(node))
    nuke.session().call("afterRender", write)
    assert node.node("MatteCopy")["disable"].value()
    nuke.execute(write, 1001, 1001, continueOnError=True)
    assert nuke.session().rendered == rendered
    assert not runtime.exists()


def test_two_writes_that_are_rendered_at_once_end_one_by_one(tmp_path: Path, runtime: Path) -> None:
    """The first that ends does not have the other's frames come out black."""
    node = shot(tmp_path)
    read = node.node("MatteRead")
    first, second = below(node, tmp_path), below(node, tmp_path)
    for write in (first, second):
        with pytest.raises(RuntimeError, match="/none/server"):
            nuke.session().call("beforeRender", write)
    nuke.session().call("afterRender", first)
    assert read["on_error"].value() == "error"
    nuke.session().call("afterRender", second)
    assert read["on_error"].value() == "black"


def test_the_read_names_its_mattes_before_a_render_begins(tmp_path: Path, runtime: Path) -> None:
    """What is set within a frame, Nuke may see with the next one only."""
    node = shot(tmp_path, args=("nuke", "-t", "farm.py"))
    nuke.session().call("beforeRender", below(node, tmp_path))
    pattern = node_request.matte_pattern(NukeNode(node))
    read = node.node("MatteRead")
    assert (read["file"].value(), read["last"].value()) == (pattern, 1020)
    assert not node.node("MatteCopy")["disable"].value()


@pytest.mark.parametrize("says", ["I'm already executing something else", "Recursive render"])
def test_a_button_whose_render_nuke_refuses_is_pressed_once_more_when_it_is_idle(
    tmp_path: Path, runtime: Path, says: str
) -> None:
    """Some Nukes call a button's script within something of their own."""
    start(tmp_path)
    blur = nuke.createNode("Blur")
    blur.setInput(0, read_plate(str(tmp_path / "a.%04d.exr"), 1001, 1004))
    node = matte_node(blur)
    nuke.session().refuses = [says]
    node["render_range"].execute()
    assert "Press Render Range" in NukeNode(node).said
    nuke.pump(lambda: nuke.session().rendered == [1001, 1002, 1003, 1004])
    nuke.session().refuses = [says] * 2
    blur["size"].setValue(9.0)
    nuke.pump(lambda: "/none/server" in NukeNode(node).said)
    node["render_range"].execute()
    nuke.pump(lambda: not nuke.session().refuses and nuke.session().calls.empty())
    assert "Press Render Range" in NukeNode(node).said


def test_a_copy_of_the_script_is_rendered_with_the_mattes_of_the_artist_s(
    tmp_path: Path, runtime: Path
) -> None:
    """A farm's copy lies elsewhere; one beside mattes of its own, and the artist's own, do not."""
    shots = tmp_path / "shots"
    shots.mkdir()
    node = shot(shots, gui=True, args=("nuke",))
    own = NukeNode(node)
    request = node_request.node_request(own, (1001,))
    frame_path(request.output.path, 1001).parent.mkdir(parents=True)
    tell(node, request, Update(phase=Phase.DONE, ready=(1001,)))

    def pattern(folder: str, *, gui: bool) -> str:
        """Open a copy in another folder, and return where its mattes go."""
        path = tmp_path / folder / "copy.nk"
        path.parent.mkdir(exist_ok=True)
        nuke.scriptSave(str(path))
        nuke.GUI = gui
        (group,) = nuke.allNodes("Group")
        return node_request.matte_pattern(NukeNode(group))

    assert pattern("farm", gui=False) == request.output.path
    assert pattern("shots", gui=False) == request.output.path
    mine = pattern("farm", gui=True)
    assert mine.startswith(f"{tmp_path}/farm/")
    Path(mine).parent.mkdir(parents=True)
    assert pattern("farm", gui=False) == mine
    node["gvm_folder"].setValue(f"{tmp_path}/gone")
    assert pattern("elsewhere", gui=False).startswith(f"{tmp_path}/elsewhere/")


def test_a_node_of_before_has_no_folder_to_remember(tmp_path: Path, runtime: Path) -> None:
    """It opens and renders as ever."""
    node = shot(tmp_path, gui=True, args=("nuke",))
    del node.all["gvm_folder"]
    nuke.scriptSave(str(tmp_path / "b.nk"))
    nuke.scriptOpen(str(tmp_path / "b.nk"))
    (node,) = nuke.allNodes("Group")
    request = node_request.node_request(NukeNode(node), (1001,))
    tell(node, request, Update(phase=Phase.DONE, ready=(1001,)))
    assert NukeNode(node).folder() == str(tmp_path)
