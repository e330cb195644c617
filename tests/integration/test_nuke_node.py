"""The Nuke node with the real server, in a Nuke of our own making."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE

import pytest

from gvm_nodes.core import transport
from gvm_nodes.core.followed_job import FollowedJob
from tests.fakes import nuke
from tests.support.nuke_session import (
    TRACKER,
    NukeNode,
    group,
    matte_node,
    node_request,
    nodes_of,
    press,
    read_plate,
    shown_alpha,
    start,
    ticket,
)
from tests.support.plates import moving_disc, write_exr, write_plate
from tests.support.site import Site

FIRST, LAST = 1001, 1024
TICKET = f"{'0' * 32} range 1001-1024"


@pytest.fixture
def shot(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A machine whose server this process would start, and a plate on it."""
    for name, text in site.environment.items():
        monkeypatch.setenv(name, text)
    write_plate(site.folder / "plate", range(FIRST, LAST + 1), width=48, height=32)
    start(site.folder)
    return site


def plate(shot: Site) -> nuke.Node:
    """Make a Read of the shot's plate."""
    return read_plate(str(shot.folder / "plate" / "plate.%04d.exr"), FIRST, LAST)


def finish(node: nuke.Group) -> str:
    """Be Nuke until the node's job has ended, and return its status."""
    work = TRACKER._jobs[group.node_id(node)]
    nuke.pump(lambda: not work.is_running and nuke.session().calls.empty())
    return node["status"].value()


def test_a_range_is_rendered_and_only_changed_windows_run_again(shot: Site) -> None:
    """Two plate frames change; only the windows that saw them are denoised anew."""
    node = matte_node(plate(shot))
    press("render_range", node)
    assert finish(node).startswith("24 frames are ready.")
    assert all(shown_alpha(node, frame).is_file() for frame in range(FIRST, LAST + 1))
    ran = len(shot.windows_denoised())
    for frame in (1002, 1003):
        path = shot.folder / "plate" / f"plate.{frame}.exr"
        write_exr(path, moving_disc(frame + 40, 48, 32))
    press("render_changed", node)
    assert finish(node).startswith("24 frames are ready.")
    assert len(shot.windows_denoised()) == ran + 1


def test_a_custom_range_makes_its_frames_only(shot: Site) -> None:
    """Neighbours are context; their alphas are not written."""
    node = matte_node(plate(shot))
    node["range"].setValue("custom")
    node["frames"].setValue("1005-1007 1010")
    press("render_range", node)
    finish(node)
    standing = [f for f in range(FIRST, LAST + 1) if shown_alpha(node, f).is_file()]
    assert standing == [1005, 1006, 1007, 1010]


def test_cancel_works_at_once_and_keeps_what_is_finished(
    shot: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's job ends, and the node says so."""
    monkeypatch.setenv("GVM_TEST_ENGINE_SECONDS", "0.1")
    node = matte_node(plate(shot))
    press("render_range", node)
    nuke.pump(lambda: " %" in node["status"].value())
    began = time.monotonic()
    press("cancel", node)
    assert finish(node).startswith("The job was cancelled.")
    assert time.monotonic() - began < 3


def test_a_killed_server_is_started_again_and_the_job_is_finished(
    shot: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The artist sees what happened; every frame is there in the end."""
    monkeypatch.setenv("GVM_TEST_ENGINE_SECONDS", "0.05")
    node = matte_node(plate(shot))
    press("render_range", node)
    nuke.pump(lambda: " %" in node["status"].value())
    shot.kill_server()
    assert finish(node).startswith("24 frames are ready.")


def test_two_nodes_render_at_once_into_paths_of_their_own(shot: Site) -> None:
    """Neither waits for the other's end to be asked, and no file is shared."""
    source = plate(shot)
    nodes = [matte_node(source), matte_node(source)]
    for node in nodes:
        press("render_range", node)
    assert all(finish(node).startswith("24 frames are ready.") for node in nodes)
    assert len({shown_alpha(node, FIRST) for node in nodes}) == 2


def test_both_views_of_a_stereo_script_are_matted(shot: Site) -> None:
    """Each into files of its own, which the Read inside shows."""
    write_plate(shot.folder / "right", range(FIRST, FIRST + 4), width=48, height=32)
    (shot.folder / "plate").rename(shot.folder / "left")
    nuke.session().views = ["left", "right"]
    node = matte_node(read_plate(str(shot.folder / "%V" / "plate.%04d.exr"), FIRST, FIRST + 3))
    press("render_range", node)
    eyes = nodes_of(node)
    nuke.pump(lambda: not any(TRACKER.is_running(eye.identity) or eye.job for eye in eyes))
    shown = node.node("MatteRead")["file"].value()
    for eye in eyes:
        assert all(
            Path(shown.replace("%V", eye.view) % f).is_file() for f in range(FIRST, FIRST + 4)
        )
    assert node["status"].value().endswith("4 frames are ready.")


def test_a_tree_is_written_as_plate_frames_and_only_what_changed_again(shot: Site) -> None:
    """An unchanged tree is written once; after a change of the tree, all of it."""
    nuke.renderer = lambda node, frame, path: write_exr(path, moving_disc(frame, 48, 32))
    blur = nuke.createNode("Blur")
    blur.setInput(0, plate(shot))
    node = matte_node(blur)
    nuke.root().setProxy(True)
    for size, written in ((1.0, 24), (1.0, 24), (3.0, 48)):
        blur["size"].setValue(size)
        press("render_range", node)
        assert finish(node).startswith("24 frames are ready.")
        assert len(nuke.session().rendered) == written
        assert nuke.root().proxy()


def test_batch_makes_the_mattes_before_they_are_read(shot: Site) -> None:
    """`nuke -x -F 1003-1004`: one job of these frames, then the render reads them."""
    start(shot.folder, gui=False, args=("nuke", "-x", "shot.nk", "-F", "1003-1004"))
    node = matte_node(plate(shot))
    node["missing_mattes"].setValue("error")
    write = nuke.createNode("Write")
    write.setInput(0, node)
    write["file"].setValue(str(shot.folder / "comp.%04d.txt"))
    nuke.execute(write, 1003, 1004)
    assert nuke.session().rendered == [1003, 1004]
    assert shown_alpha(node, 1003).is_file()
    assert not shown_alpha(node, 1008).exists()


def test_a_terminal_script_renders_a_tree_and_then_its_write(shot: Site) -> None:
    """`nuke -t`: the button's function runs to its end, and the Write finds every matte."""
    start(shot.folder, gui=False, args=("nuke", "-t", "shot.py"))
    nuke.renderer = lambda node, frame, path: write_exr(path, moving_disc(frame, 48, 32))
    blur = nuke.createNode("Blur")
    blur.setInput(0, plate(shot))
    node = matte_node(blur)
    node["range"].setValue("custom")
    node["frames"].setValue("1003-1004")
    press("render_range", node)
    assert node["status"].value() == "2 frames are ready."
    write = nuke.createNode("Write")
    write.setInput(0, node)
    write["file"].setValue(str(shot.folder / "comp.%04d.exr"))
    ran = len(shot.windows_denoised())
    nuke.execute(write, 1003, 1004)
    assert nuke.session().rendered[-2:] == [1003, 1004]
    assert len(shot.windows_denoised()) == ran


def test_batch_without_a_plate_ends_with_an_error(shot: Site) -> None:
    """The render stops, which Nuke turns into exit code 1; no dialog waits."""
    start(shot.folder, gui=False)
    node = matte_node(read_plate(str(shot.folder / "none" / "a.%04d.exr"), 1, 5))
    write = nuke.createNode("Write")
    write.setInput(0, node)
    write["file"].setValue(str(shot.folder / "comp.%04d.txt"))
    with pytest.raises(RuntimeError, match="none"):
        nuke.execute(write, 1, 5)
    assert not nuke.session().rendered


def test_a_reopened_script_finds_its_running_job(
    shot: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Nuke that asked was quit; the next finds the job, and no window runs twice."""
    monkeypatch.setenv("GVM_TEST_ENGINE_SECONDS", "0.05")
    node = matte_node(plate(shot))
    node["keep_going"].setValue(True)
    request = node_request.node_request(NukeNode(node), node_request.chosen_frames(NukeNode(node)))
    left = subprocess.Popen(
        [sys.executable, "-m", "gvm_nodes.side"], stdin=PIPE, stdout=PIPE, text=True
    )
    with left:
        left.stdin.write(transport.to_line(request))
        left.stdin.flush()
        while "frame_ready" not in left.stdout.readline():
            pass
        left.stdin.close()  # all that a host's end gives it
        assert left.wait(10) == 0
    NukeNode(node).job = ticket(request)
    script = str(nuke.root().name())
    nuke.scriptSave(script)
    nuke.scriptOpen(script)
    (again,) = group.ours()
    assert "open this panel" in again["status"].value()
    nuke.open_panel(again)
    nuke.pump(lambda: " %" in again["status"].value())
    assert NukeNode(again).job == ticket(request)
    assert finish(again).startswith("24 frames are ready.")
    assert len(shot.windows_denoised()) == 6
    assert not NukeNode(again).job


def test_a_job_that_has_ended_meanwhile_is_said_and_nothing_is_started(shot: Site) -> None:
    """Opening the panel asks a server that runs, and starts none."""
    node = matte_node(plate(shot))
    NukeNode(node).job = TICKET
    nuke.open_panel(node)
    nuke.pump(lambda: "has ended" in node["status"].value())
    assert not NukeNode(node).job
    assert shot.server() is None


def test_a_job_of_other_settings_is_not_taken_for_this_one(
    shot: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The knobs were changed since it was asked for; Cancel ends it."""
    monkeypatch.setenv("GVM_TEST_ENGINE_SECONDS", "0.3")
    node = matte_node(plate(shot))
    node["keep_going"].setValue(True)
    press("render_range", node)
    nuke.pump(lambda: " %" in node["status"].value())
    job = NukeNode(node).job
    twin = nuke.paste(node)
    twin.setInput(0, node.input(0))
    NukeNode(twin).job = job
    nuke.open_panel(twin)
    nuke.pump(lambda: "other settings" in twin["status"].value())
    press("cancel", twin)
    assert finish(node).startswith("The job was cancelled.")


def test_a_node_s_earlier_job_is_still_its_own_where_it_refuses_the_next(
    shot: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on in the server and writes these files; Cancel said that nothing was rendering."""
    monkeypatch.setenv("GVM_TEST_ENGINE_SECONDS", "0.3")
    node = matte_node(plate(shot))
    node["out"].setValue("{dir}/m/{plate}.%04d.exr")
    press("render_range", node)
    nuke.pump(lambda: " %" in node["status"].value())
    again = nuke.paste(node)  # as the script's next session has it
    again.setInput(0, node.input(0))
    NukeNode(again).job = job = NukeNode(node).job
    node["disable"].setValue(True)  # which is no node of that session
    again["gamma"].setValue(2.0)
    press("render_range", again)
    assert "is writing mattes with other settings" in finish(again)
    assert NukeNode(again).job == job
    press("cancel", again)
    assert finish(node).startswith("The job was cancelled.")


def test_a_python_without_zmq_works_through_a_side_process(shot: Site) -> None:
    """The same events come over pipes, and a bad plate is the same error."""
    side = transport.SideTransport(sys.executable)
    request = node_request.node_request(NukeNode(matte_node(plate(shot))), (1003,))
    result = FollowedJob(request, lambda _: None, transport=lambda: side).run()
    assert result.sentence == "1 frame is ready."
    side.release()
    assert side.status().pid == shot.server().pid
    lost = replace(request, plate=replace(request.plate, path="/none/a.%04d.exr"))
    assert "/none" in FollowedJob(lost, lambda _: None, transport=lambda: side).run().sentence


def test_a_render_in_the_gui_is_cancelled_by_its_progress_bar(
    shot: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Write's render stops; it does not read half a range."""
    monkeypatch.setenv("GVM_TEST_ENGINE_SECONDS", "0.3")
    node = matte_node(plate(shot))
    write = nuke.createNode("Write")
    write.setInput(0, node)
    nuke.ProgressTask.cancelled = True
    began = time.monotonic()
    with pytest.raises(RuntimeError, match="cancelled"):
        nuke.execute(write, FIRST, LAST)
    assert time.monotonic() - began < 3
    assert not nuke.session().rendered


def test_free_gpu_memory_asks_in_the_background(shot: Site) -> None:
    """The answer comes to the status line; without a server nothing is held."""
    node = matte_node(plate(shot))
    press("release", node)
    nuke.pump(lambda: node["status"].value() == "The GPU's memory was given back.")
    assert shot.server() is None
