"""NatronRenderer's batch renders as processes of their own: exit codes, and what stands after."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from gvm_client.process import Exit
from gvm_client.protocol.lifecycle import JobState
from gvm_server.cli.install.script_hosts import RENDER
from gvm_server.cli.main import main as gvm
from tests.support.plates import write_plate
from tests.support.site import Site
from tests.support.tree import ROOT

FIRST, LAST = 1001, 1012

PROJECT = """
from tests.fakes import natron
from tests.support import natron_session

read = natron_session.read_plate(app, {plate!r}, {first}, {last})
app.bounds = ({first}, {last})
group = natron_session.matte_group(app, read)
natron.edit(group, "gvm_missing_mattes", "error")
for name, setting in {settings!r}.items():
    natron.edit(group, f"gvm_{{name}}", setting)
for name, above in (("comp", group), ("plain", read)):
    write = app.createNode(natron.WRITE)
    write.connectInput(0, above)
    natron.edit(write, "filename", {folder!r} + f"/{{name}}.%04d.txt")
    natron.edit(write, "disableNode", name == "plain")
    write.setScriptName(name.title())
natron.edit(app.getChildren()[-2], "afterFrameRender", {after!r})
{more}
"""


@pytest.fixture
def shot(site: Site) -> Site:
    """A machine with a plate and the script that `gvm install natron` writes."""
    write_plate(site.folder / "plate", range(FIRST, LAST + 1), width=48, height=32)
    assert gvm(["install", "natron", "--to", str(site.folder / "natron")]) == Exit.DONE
    return site


def start(
    shot: Site,
    *,
    plate: str = "plate",
    after: str = "",
    more: str = "",
    script: bool = True,
    settings: dict[str, object] | None = None,
    **environment: str,
) -> subprocess.Popen[str]:
    """Start NatronRenderer with a project of one group, a Write below it and one that is off."""
    project = shot.folder / "shot.py"
    project.write_text(
        PROJECT.format(
            plate=str(shot.folder / plate / "plate.####.exr"),
            first=FIRST,
            last=LAST,
            folder=str(shot.folder),
            settings=settings or {},
            after=after,
            more=more,
        )
    )
    words = ["-t", str(shot.folder / "natron" / RENDER)] if script else []
    named = {"GVM_NATRON_PROJECT": str(project.with_suffix(".ntp")), **environment}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.natron_terminal", str(project), *words],
        env={**os.environ, **shot.environment, **named},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ran(shot: Site, **how: object) -> tuple[int, str]:
    """Run NatronRenderer to its end; return its exit code and what it said."""
    process = start(shot, **how)
    said, _ = process.communicate(timeout=120)
    return process.returncode, said


def comps(shot: Site) -> list[int]:
    """Return the frames that the Write wrote, each with its own matte."""
    files = sorted(shot.folder.glob("comp.*.txt"))
    for file in files:
        assert file.read_text().count(file.stem.rpartition(".")[2]) >= 2
    return [int(file.stem.rpartition(".")[2]) for file in files]


def test_a_project_is_rendered_with_its_mattes_and_ends_with_0(shot):
    """All frames of the project's range, of every Write that is not disabled."""
    code, said = ran(shot)
    assert code == Exit.DONE, said
    assert comps(shot) == list(range(FIRST, LAST + 1))
    assert not list(shot.folder.glob("plain.*"))


def test_frames_and_writes_are_named_and_only_their_mattes_are_made(shot):
    """A farm's task makes what it renders."""
    code, said = ran(shot, GVM_NATRON_FRAMES="1003,1005-1006", GVM_NATRON_WRITES="Comp")
    assert code == Exit.DONE, said
    assert comps(shot) == [1003, 1005, 1006]
    mattes = sorted(file.stem[-4:] for file in (shot.folder / "mattes").rglob("*.exr"))
    assert mattes == ["1003", "1005", "1006"]
    code, said = ran(shot, GVM_NATRON_FRAMES="1009")  # with mattes that do not begin the clip
    assert code == Exit.DONE, said
    assert comps(shot) == [1003, 1005, 1006, 1009]


def test_a_write_that_natron_lets_call_us_is_rendered_without_making_more(shot):
    """Its callbacks would make the frames after the range too."""
    set_up = "natron.press(group, 'gvm_set_up_writes')"
    code, said = ran(shot, GVM_NATRON_FRAMES="1003", more=set_up)
    assert code == Exit.DONE, said
    assert len(list((shot.folder / "mattes").rglob("*.exr"))) == 1


def test_another_s_function_after_each_frame_is_called_too(shot):
    """The project's own, and its errors end the render."""
    seen = shot.folder / "seen"
    call = f"(lambda frame, thisNode, app: open({str(seen)!r}, 'a').write(f'{{frame}} '))"
    code, said = ran(shot, after=call, GVM_NATRON_FRAMES="1003-1004")
    assert (code, seen.read_text()) == (Exit.DONE, "1003 1004 "), said
    code, said = ran(shot, after="(lambda frame, thisNode, app: 1 / 0)", GVM_NATRON_FRAMES="1003")
    assert code == Exit.OUTPUT, said
    assert "1003" in said


def test_reading_what_does_not_exist_ends_with_5_and_contacts_nobody(shot):
    """NatronRenderer itself calls that success."""
    settings = {"policy": "only read what exists"}
    code, said = ran(shot, settings=settings)
    assert code == Exit.OUTPUT
    assert "did not render the frames 1001-1012 of Comp" in said
    assert shot.server() is None
    assert ran(shot, settings=settings, script=False)[0] == Exit.DONE


def test_a_read_of_nothing_ends_with_5(shot):
    """Also where no matte is asked for."""
    more = (
        "write.disconnectInput(0); write.connectInput(0, app.createReader('/none/plate.####.exr'))"
    )
    code, said = ran(shot, more=more, GVM_NATRON_WRITES="Plain", GVM_NATRON_FRAMES="1001")
    assert code == Exit.OUTPUT, said


def test_a_missing_plate_ends_with_3_before_anything_is_rendered(shot):
    """By the commands' own exit codes; with callbacks alone it is Natron's 0."""
    code, said = ran(shot, plate="none")
    assert code == Exit.INPUT
    assert "none" in said
    assert not comps(shot)
    set_up = "natron.press(group, 'gvm_set_up_writes')"
    code, said = ran(shot, plate="none", more=set_up, script=False)
    assert (code, "none" in said) == (Exit.DONE, True)


@pytest.mark.parametrize(
    ("environment", "code", "word"),
    [
        ({"GVM_NATRON_PROJECT": ""}, Exit.USAGE, "GVM_NATRON_PROJECT is not set"),
        ({"GVM_NATRON_PROJECT": "/none/a.ntp"}, Exit.INPUT, "/none/a.ntp"),
        ({"GVM_NATRON_FRAMES": "1001..1003"}, Exit.USAGE, "1001..1003"),
        ({"GVM_NATRON_WRITES": "Comp,Other"}, Exit.USAGE, "no Write Other"),
        ({"GVM_SERVER": "/none/server"}, Exit.SERVER, "/none/server"),
    ],
)
def test_what_is_wrong_is_said_with_its_exit_code(shot, environment, code, word):
    """Nothing is rendered."""
    ended, said = ran(shot, **environment)
    assert (ended, word in said) == (code, True), said
    assert not comps(shot)


def test_a_movie_is_not_begun_anew_by_each_range(shot):
    """The second range would delete what the first wrote."""
    movie = "natron.edit(write, 'filename', '/tmp/none.mov')"
    code, said = ran(
        shot, more=movie, GVM_NATRON_WRITES="Plain", GVM_NATRON_FRAMES="1001,1005-1006"
    )
    assert code == Exit.USAGE
    assert "/tmp/none.mov" in said


def test_a_farm_s_sigterm_ends_with_130_and_the_server_s_job(shot):
    """No job is left without anybody."""
    process = start(shot, GVM_TEST_ENGINE_SECONDS="0.5")
    for line in process.stdout:
        if "the mattes of" in line:
            break
    while shot.server() is None:
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == Exit.CANCELLED, said
    jobs = json.loads(shot.gvm("status", "--json").stdout)["jobs"]
    assert all(JobState(job["state"]).is_final for job in jobs)


def test_a_package_that_is_gone_is_no_success(shot):
    """Natron would print the error and go on to read commands."""
    script = shot.folder / "natron" / RENDER
    script.write_text(script.read_text().replace("gvm_nodes.natron.batch", "gvm_none"))
    code, said = ran(shot)
    assert code == Exit.SERVER
    assert "gvm_none" in said
