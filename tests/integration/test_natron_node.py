"""The Natron group with the real server, in a Natron of our own making."""

from __future__ import annotations

import subprocess
import sys
import time
from subprocess import PIPE

import pytest

from gvm_nodes.core import node_request, transport
from gvm_nodes.core.clips import frame_path
from gvm_nodes.natron import write_renders
from gvm_nodes.natron.node import RED
from gvm_nodes.natron.write_callbacks import project_writes
from gvm_nodes.natron.write_renders import AHEAD, MADE_NOW, OPENED
from tests.fakes import natron
from tests.fakes.natron import App, Effect
from tests.support.natron_session import (
    as_node,
    finish,
    forget,
    matte_group,
    mattes,
    only_group,
    read_plate,
    reopen,
    shown,
    start,
    text,
    ticket,
    write_below,
)
from tests.support.plates import moving_disc, write_exr, write_plate
from tests.support.site import Site

FIRST, LAST = 1001, 1024


@pytest.fixture
def shot(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A machine whose server this process would start, and a plate on it."""
    for name, value in site.environment.items():
        monkeypatch.setenv(name, value)
    write_plate(site.folder / "plate", range(FIRST, LAST + 1), width=48, height=32)
    return site


@pytest.fixture
def app(shot: Site) -> App:
    """Natron's windows, and a project that was saved beside the plate's folder."""
    return start(shot.folder)


def plate(app: App, shot: Site) -> Effect:
    """Make a Read of the shot's plate."""
    return read_plate(app, str(shot.folder / "plate" / "plate.####.exr"), FIRST, LAST)


def standing(group: Effect, shift: int = 0) -> list[int]:
    """Return the plate's frames whose matte is shown at their time."""
    return [f for f in range(FIRST, LAST + 1) if f"{f}.exr" in shown(group, f + shift)]


def test_a_range_is_rendered_and_only_changed_windows_run_again(app, shot):
    """Two plate frames change; only the windows that saw them are denoised anew."""
    group = matte_group(app, plate(app, shot))
    natron.press(group, "gvm_render_range")
    assert finish(group).startswith("24 frames are ready.")
    assert standing(group) == list(range(FIRST, LAST + 1))
    ran = len(shot.windows_denoised())
    for frame in (1002, 1003):
        path = shot.folder / "plate" / f"plate.{frame}.exr"
        write_exr(path, moving_disc(frame + 40, 48, 32))
    natron.press(group, "gvm_render_changed")
    assert finish(group).startswith("24 frames are ready.")
    assert len(shot.windows_denoised()) == ran + 1
    assert natron.session().script_editor == []


def test_frames_show_while_the_job_runs(app, shot, monkeypatch):
    """The Read inside reads anew what has come; nothing else renders."""
    monkeypatch.setenv("GVM_TEST_ENGINE_SECONDS", "0.1")
    group = matte_group(app, plate(app, shot))
    app.evaluated.clear()
    natron.press(group, "gvm_render_range")
    natron.pump(lambda: mattes(group).getParam("filename").reloads > 0)
    assert 0 < len(standing(group)) < 24
    assert {name.partition(".")[0] for name in app.evaluated} == {mattes(group).getScriptName()}
    finish(group)


def test_a_custom_range_makes_its_frames_only(app, shot):
    """Neighbours are context; their alphas are not written."""
    group = matte_group(app, plate(app, shot))
    natron.edit(group, "gvm_range", "custom")
    natron.edit(group, "gvm_frames", "1005-1007 1010")
    natron.press(group, "gvm_render_range")
    finish(group)
    assert standing(group) == [1005, 1006, 1007, 1010]


def test_a_shifted_read_s_mattes_stand_at_its_times(app, shot):
    """Files keep the plate files' numbers; the playhead and the project's range count times."""
    read = plate(app, shot)
    natron.edit(read, "startingTime", 1)
    group = matte_group(app, read)
    natron.edit(group, "gvm_range", "project")
    app.bounds, app.time = (1, 3), 8
    natron.press(group, "gvm_render_range")
    assert finish(group).startswith("3 frames are ready.")
    natron.press(group, "gvm_render_frame")
    finish(group)
    assert standing(group, shift=-1000) == [1001, 1002, 1003, 1008]


def test_cancel_works_at_once_and_keeps_what_is_finished(app, shot, monkeypatch):
    """The server's job ends, and the group says so."""
    monkeypatch.setenv("GVM_TEST_ENGINE_SECONDS", "0.1")
    group = matte_group(app, plate(app, shot))
    natron.press(group, "gvm_render_range")
    natron.pump(lambda: " %" in text(group, "status"))
    began = time.monotonic()
    natron.press(group, "gvm_cancel")
    assert finish(group).startswith("The job was cancelled.")
    assert time.monotonic() - began < 3


def test_a_killed_server_is_started_again_and_the_job_is_finished(app, shot, monkeypatch):
    """The artist sees what happened; every frame is there in the end."""
    monkeypatch.setenv("GVM_TEST_ENGINE_SECONDS", "0.05")
    group = matte_group(app, plate(app, shot))
    natron.press(group, "gvm_render_range")
    natron.pump(lambda: " %" in text(group, "status"))
    shot.kill_server()
    assert finish(group).startswith("24 frames are ready.")


def test_two_groups_render_at_once_into_paths_of_their_own(app, shot):
    """Neither waits for the other's end to be asked, and no file is shared."""
    source = plate(app, shot)
    groups = [matte_group(app, source), matte_group(app, source)]
    for group in groups:
        natron.press(group, "gvm_render_range")
    assert all(finish(group).startswith("24 frames are ready.") for group in groups)
    assert len({shown(group, FIRST) for group in groups}) == 2


def test_free_gpu_memory_asks_in_the_background(app, shot):
    """The answer comes to the status line; without a server nothing is held."""
    group = matte_group(app, plate(app, shot))
    natron.press(group, "gvm_release")
    natron.pump(lambda: text(group, "status") == "The GPU's memory was given back.")
    assert shot.server() is None


@pytest.mark.parametrize("background", [True, False])
def test_a_render_makes_its_mattes_before_it_reads_them(shot, background):
    """In blocks from the first frame on, inside the plate, on any thread; then nothing is asked.

    Natron opened the Read inside before any of them stood.
    """
    app = start(shot.folder, background=background)
    natron.session().ends_renders = False
    group = matte_group(app, plate(app, shot))
    natron.edit(group, "gvm_missing_mattes", "error")
    write = write_below(app, group)
    done = natron.render(app, write, range(1003, LAST + 4), threads=3)
    assert (done.failed, done.frames) == ("", list(range(1003, LAST + 4)))
    assert all(f"{min(frame, LAST)}.exr" in "".join(done.files[frame]) for frame in done.frames)
    assert done.unwritten == []
    assert standing(group) == list(range(1003, LAST + 1))
    ran = len(shot.windows_denoised())
    assert natron.render(app, write, range(1003, 1003 + AHEAD)).failed == ""
    assert len(shot.windows_denoised()) == ran
    path = shot.folder / "plate" / "plate.1024.exr"
    write_exr(path, moving_disc(1064, 48, 32))
    assert natron.render(app, write, [LAST]).failed == ""
    assert len(shot.windows_denoised()) == ran + 1
    assert natron.session().script_editor == []


def test_a_render_that_ends_when_its_read_is_opened_says_so_and_the_next_is_whole(app, shot):
    """By Natron's sources a change above a Write ends its render."""
    group = matte_group(app, plate(app, shot))
    write = write_below(app, group)
    done = natron.render(app, write, range(FIRST, LAST + 1))
    assert done.aborted
    assert done.unwritten == []
    natron.idle()
    assert text(group, "status") == OPENED
    assert group.getColor() == RED
    done = natron.render(app, write, range(FIRST, LAST + 1))
    assert (done.failed, done.aborted, len(done.frames)) == ("", False, 24)


def test_a_main_thread_that_waits_for_the_render_is_not_waited_for(app, shot, monkeypatch):
    """A script that renders and waits gets a sentence, not a Natron that hangs."""
    monkeypatch.setattr(write_renders, "MAIN_THREAD_SECONDS", 0.1)
    group = matte_group(app, plate(app, shot))
    write = write_below(app, group)
    natron.session().background = True  # as far as the fake's render waits
    monkeypatch.setattr(natron.NatronEngine.natron, "isBackground", lambda: False)
    done = natron.render(app, write, [FIRST])
    natron.session().background = False
    assert "Press Render Range" in done.failed
    natron.idle()


@pytest.mark.parametrize("background", [True, False])
def test_a_read_that_knows_another_content_s_layers_is_opened_anew(shot, background):
    """Files of the same names had colours; their layers are no place to find an alpha in."""
    app = start(shot.folder, background=background)
    group = matte_group(app, plate(app, shot))
    pattern = node_request.matte_pattern(as_node(app, group))
    for frame in (FIRST, FIRST + 1):
        path = frame_path(pattern, frame)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("Color.RGB")
    mattes(group).getParam("filename").reloadFile()
    assert mattes(group).getParam("outputLayer").getOptions() == ["Color.RGB"]
    for frame in (FIRST, FIRST + 1):
        frame_path(pattern, frame).unlink()
    if not background:
        natron.press(group, "gvm_render_range")
        finish(group)
    done = natron.render(app, write_below(app, group), [FIRST])
    assert (done.frames, done.unwritten) == ([FIRST], [])


def test_the_first_matte_in_the_middle_of_the_clip_is_shown(app, shot):
    """A Read learns its layers from its first frame's file, which need not stand."""
    app.time = 1010
    group = matte_group(app, plate(app, shot))
    natron.press(group, "gvm_render_frame")
    finish(group)
    assert mattes(group).getParam("outputLayer").getOptions()
    assert standing(group) == [1010]


def test_what_a_render_has_made_it_asks_for_no_more(app, shot):
    """A server that is gone after the block is not missed within it."""
    natron.session().ends_renders = False
    write = write_below(app, matte_group(app, plate(app, shot)))

    def frames():
        yield FIRST
        shot.kill_server()
        yield from range(FIRST + 1, FIRST + AHEAD)

    assert len(natron.render(app, write, frames()).frames) == AHEAD
    assert shot.server() is None


@pytest.mark.parametrize("anew", [True, False])
def test_a_project_whose_group_was_never_rendered_renders_without_an_artist(shot, anew):
    """Saved for the first time after the plate was connected, opened by NatronRenderer."""
    app = start(shot.folder)
    app.root["projectPath"].value = ""
    group = matte_group(app, plate(app, shot))
    natron.edit(group, "gvm_missing_mattes", "error")
    write_below(app, group)
    app.root["projectPath"].value = f"{shot.folder}/"
    natron.session().background = True
    again = reopen(app, anew=anew)
    write = next(each for each in again.getChildren() if each.getPluginID() == natron.WRITE)
    done = natron.render(again, write, [1005])
    assert (done.failed, done.frames) == ("", [1005])
    assert "1005.exr" in shown(only_group(again), 1005)


@pytest.mark.parametrize("anew", [True, False])
def test_a_project_that_was_moved_before_its_first_render_has_its_mattes_beside_it(shot, anew):
    """Natron calls while it loads, when a project has no folder yet."""
    app = start(shot.folder)
    group = matte_group(app, plate(app, shot))
    natron.edit(group, "gvm_missing_mattes", "error")
    write_below(app, group)
    natron.save(app, f"{shot.folder}/shot.ntp")
    natron.session().saved[f"{shot.folder}/moved/shot.ntp"] = natron.session().saved[
        f"{shot.folder}/shot.ntp"
    ]
    natron.close(app)
    forget()
    natron.session().background = True
    again = natron.load(f"{shot.folder}/moved/shot.ntp", anew=anew)
    (write,) = project_writes(again)
    done = natron.render(again, write, [1005])
    assert (done.failed, done.frames) == ("", [1005])
    assert "/moved/mattes/" in shown(only_group(again), 1005)


@pytest.mark.parametrize("anew", [True, False])
def test_a_batch_render_that_only_reads_opens_what_stands(app, shot, anew):
    """The clip's first matte is not among them; nobody is contacted."""
    app.time = 1010
    group = matte_group(app, plate(app, shot))
    natron.press(group, "gvm_render_frame")
    finish(group)
    natron.edit(group, "gvm_policy", "only read what exists")
    write_below(app, group)
    shot.kill_server()
    natron.session().background = True
    again = reopen(app, anew=anew)
    (write,) = project_writes(again)
    done = natron.render(again, write, [1010])
    assert (done.failed, done.frames) == ("", [1010])
    assert shot.server() is None


@pytest.mark.parametrize("anew", [True, False])
def test_mattes_that_stand_are_opened_when_a_project_is(app, shot, anew):
    """Also where the clip's first one is not among them, and the group is built while it loads."""
    app.time = 1010
    group = matte_group(app, plate(app, shot))
    natron.press(group, "gvm_render_frame")
    finish(group)
    again = only_group(reopen(app, anew=anew))
    assert mattes(again).getParam("outputLayer").getOptions()
    assert standing(again) == [1010]
    (shot.folder / "mattes").rename(shot.folder / "away")
    closed = only_group(reopen(again.node.app, anew=anew))
    assert not mattes(closed).getParam("outputLayer").getOptions()


def test_a_render_in_the_windows_says_that_it_made_mattes(app, shot):
    """What a viewer had shown before may be in Natron's cache; the Read is read anew."""
    group = matte_group(app, plate(app, shot))
    write = write_below(app, group)
    natron.press(group, "gvm_render_frame")
    finish(group)
    mattes(group).getParam("filename").reloads = 0
    assert natron.render(app, write, [FIRST + 1]).failed == ""
    natron.idle()
    assert text(group, "status") == MADE_NOW
    assert mattes(group).getParam("filename").reloads == 1
    natron.edit(group, "gvm_blur", 1.0)
    assert text(group, "status").startswith("Out of date")


def test_a_group_s_cancel_ends_the_render_that_waits_for_it(app, shot, monkeypatch):
    """Natron tells nobody that a render was aborted before a frame is finished."""
    monkeypatch.setenv("GVM_TEST_ENGINE_SECONDS", "0.3")
    group = matte_group(app, plate(app, shot))
    write = write_below(app, group)

    def cancel_soon():
        if " %" in text(group, "status"):
            natron.press(group, "gvm_cancel")

    natron.session().main_loop.append(cancel_soon)
    done = natron.render(app, write, [FIRST])
    assert "cancelled" in done.failed
    assert done.frames == []
    natron.idle()


def test_a_missing_plate_ends_a_batch_render(shot):
    """The render stops with the reason; nothing waits for a person."""
    app = start(shot.folder, background=True)
    group = matte_group(app, read_plate(app, str(shot.folder / "none" / "a.####.exr"), 1, 5))
    done = natron.render(app, write_below(app, group), range(1, 6))
    assert "none" in done.failed
    assert done.frames == []


def test_a_reopened_project_finds_its_running_job(app, shot, monkeypatch):
    """The Natron that asked was killed; the next finds the job, and no window runs twice."""
    monkeypatch.setenv("GVM_TEST_ENGINE_SECONDS", "0.05")
    group = matte_group(app, plate(app, shot))
    natron.edit(group, "gvm_keep_going", value=True)
    node = as_node(app, group)
    request = node_request.node_request(node, node_request.chosen_frames(node))
    killed = subprocess.Popen(
        [sys.executable, "-m", "gvm_nodes.side"], stdin=PIPE, stdout=PIPE, text=True
    )
    with killed:
        killed.stdin.write(transport.to_line(request))
        killed.stdin.flush()
        while "frame_ready" not in killed.stdout.readline():
            pass
        killed.kill()
    node.job = ticket(request)
    again = only_group(reopen(app))
    assert "press Render Range" in text(again, "status")
    natron.edit(again, "gvm_missing_mattes", "error")  # any change that asks for no other mattes
    natron.pump(lambda: " %" in text(again, "status"))
    assert text(again, "job") == ticket(request)
    assert finish(again).startswith("24 frames are ready.")
    assert len(shot.windows_denoised()) == 6
    assert not text(again, "job")


def test_a_job_that_has_ended_meanwhile_is_said_and_nothing_is_started(app, shot):
    """The artist's first change asks a server that runs, and starts none."""
    group = matte_group(app, plate(app, shot))
    group.getParam("gvm_job").set(f"{'0' * 32} range 1001-1010")
    natron.edit(group, "gvm_policy", "only read what exists")
    natron.pump(lambda: "has ended" in text(group, "status"))
    assert not text(group, "job")
    assert shot.server() is None
