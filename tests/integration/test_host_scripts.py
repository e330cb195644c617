"""The hosts' scripts with the real server: files, numbers, and what is not made twice."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gvm_client.client import Client
from gvm_client.connection import read_connection
from gvm_client.settings import Priority
from gvm_nodes.blackmagic.alpha_spec import SCRIPT_OPTIONS, AlphaSpec
from gvm_nodes.blackmagic.frontend import Terminal
from gvm_nodes.blackmagic.fusion.script import main as fusion
from gvm_nodes.blackmagic.resolve.script import main as resolve
from gvm_nodes.core.defaults import changed_options
from gvm_nodes.core.transport import SideTransport, open_transport
from tests.fakes.fusion import Composition, Fusion
from tests.fakes.resolve import MediaPoolItem, Project, Resolve, Timeline, TimelineItem, status
from tests.fakes.uimanager import Window
from tests.support.artist import Hands, at_fusion, at_resolve, until
from tests.support.plates import read_alpha, write_plate
from tests.support.site import Site

SETTINGS = ["--engine", "test", "--preset", "prototype"]  # windows of four frames, three apart
START = 86400


@pytest.fixture
def plate(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a plate of ten frames; this process is on the site's machine."""
    for name, text in site.environment.items():
        monkeypatch.setenv(name, text)
    write_plate(tmp_path / "plate", range(1001, 1011), width=48, height=32)
    return tmp_path / "plate"


def alphas(plate: Path) -> list[str]:
    """Return the names of the alphas that stand."""
    return sorted(path.name for path in (plate / "gvm" / "plate_v001").glob("*.exr"))


def test_a_marked_range_is_matted_and_a_render_makes_only_what_has_changed(site, plate):
    """One window; a render of the same frames runs none; a changed plate frame runs it again."""
    media = MediaPoolItem(f"{plate}/plate.[1001-1010].exr")
    timeline = Timeline("Cut", [[TimelineItem(media, START, 10)]], marks={"in": 0, "out": 2})
    project = Project(timeline)
    pressed(project, ["marked", *SETTINGS], "1 alpha clip is in the bin GVM Mattes.")
    assert alphas(plate) == [f"plate_alpha.{frame}.exr" for frame in (1001, 1002, 1003)]
    assert len(site.windows_denoised()) == 1

    (alpha,) = project.pool.root.folders[0].clips
    timeline.tracks.append([TimelineItem(alpha, START, 3)])
    project.jobs = [{"JobId": "j1", "TimelineName": "Cut"}]
    project.script = {"j1": [status("Fertig", 100)]}
    pressed(project, ["deliver"], "The render job is complete.")
    assert (project.started, len(site.windows_denoised())) == (["j1"], 1)

    project.started.clear()
    first = plate / "gvm" / "plate_v001" / "plate_alpha.1001.exr"
    before = read_alpha(first)
    (plate / "plate.1001.exr").write_bytes((plate / "plate.1009.exr").read_bytes())
    pressed(project, ["deliver"], "The render job is complete.")
    assert (project.started, len(site.windows_denoised())) == (["j1"], 2)
    assert (read_alpha(first) != before).any()


def pressed(project: Project, words: list[str], says: str) -> None:
    """Open a script's window in Resolve, press its button, and close it when it says its end."""

    def artist(window: Window) -> Hands:
        window.press("start")
        yield from until(window, says)
        window.press("close")

    assert at_resolve(artist, project, words, open_transport)[0] == 0


def test_a_missing_plate_frame_starts_no_render_and_is_named(plate):
    """The exit code says so too."""
    media = MediaPoolItem(f"{plate}/plate.[1001-1010].exr")
    project, said = Project(), []
    project.pool.selection = [media]
    (plate / "plate.1005.exr").unlink()
    assert (
        resolve(["selected", *SETTINGS, "--no-window"], said.append, Resolve(project).names()) == 1
    )
    assert "1005" in said[-1]
    assert project.pool.root.folders == []


def test_fusion_loads_the_alphas_that_the_server_made(plate):
    """Of the render range, with the plate's numbers."""
    comp, said = Composition(4, 5), []
    comp.select_loader(str(plate / "plate.1001.exr"), 1001, 10, start=0)
    assert fusion(["alphas", *SETTINGS, "--no-window"], said.append, Fusion(comp).names()) == 0, (
        said
    )
    assert alphas(plate) == ["plate_alpha.1005.exr", "plate_alpha.1006.exr"]
    assert Path(comp.tools[-1].inputs["Clip"]).name == "plate_alpha.1005.exr"


def with_plate(plate: Path) -> Composition:
    """Return a composition of the ten frames."""
    comp = Composition(0, 9)
    comp.select_loader(str(plate / "plate.1001.exr"), 1001, 10, start=0)
    return comp


def test_only_changed_windows_run_again_and_their_loader_is_used_again(site, plate):
    """The same window, pressed twice; the server knows which plate frame is another one."""
    ran: list[int] = []

    def artist(window: Window) -> Hands:
        for _ in range(2):
            window.press("start")
            yield from until(window, "Clip 1 of 1")
            yield from until(window, "1 Loader has its alphas.")
            ran.append(len(site.windows_denoised()))
            (plate / "plate.1009.exr").write_bytes((plate / "plate.1002.exr").read_bytes())
        window.press("close")

    comp = with_plate(plate)
    code, _ = at_fusion(artist, comp, ["alphas", *SETTINGS], open_transport)
    assert (code, ran) == (0, [3, 4])
    assert len(alphas(plate)) == 10
    assert len(comp.tools) == 2


def test_cancel_in_the_window_works_at_once_and_keeps_what_is_finished(plate, monkeypatch):
    """The server's job ends within a moment; the finished alphas stand."""
    monkeypatch.setenv("GVM_TEST_ENGINE_SECONDS", "0.3")
    took: list[float] = []

    def artist(window: Window) -> Hands:
        window.press("start")
        while not alphas(plate):
            yield
        began = time.monotonic()
        window.press("cancel")
        yield from until(window, "The job was cancelled.")
        took.append(time.monotonic() - began)
        window.press("close")

    code, _ = at_fusion(artist, with_plate(plate), ["alphas", *SETTINGS], open_transport)
    assert code == 130
    assert took[0] < 3
    assert 0 < len(alphas(plate)) < 10


def test_a_server_that_is_killed_is_started_again_and_the_job_is_finished(site, plate, monkeypatch):
    """The artist sees what happened, and presses nothing."""
    monkeypatch.setenv("GVM_TEST_ENGINE_SECONDS", "0.2")

    def artist(window: Window) -> Hands:
        window.press("start")
        yield from until(window, " %, frame")
        site.kill_server()
        yield from until(window, "1 Loader has its alphas.")
        window.press("close")

    assert at_fusion(artist, with_plate(plate), ["alphas", *SETTINGS], open_transport)[0] == 0
    assert len(alphas(plate)) == 10


def test_two_scripts_at_once_share_the_server_and_both_finish(site, plate, monkeypatch):
    """One is another process, as the menu starts them; no file is written by both."""
    monkeypatch.setenv("GVM_TEST_ENGINE_SECONDS", "0.1")
    other: list[subprocess.Popen[str]] = []

    def artist(window: Window) -> Hands:
        window.press("start")
        yield from until(window, " %, frame")
        other.append(started(plate, "alphas", *SETTINGS, "--version", "2", "--no-window"))
        yield from until(window, "1 Loader has its alphas.")
        window.press("close")

    assert at_fusion(artist, with_plate(plate), ["alphas", *SETTINGS], open_transport)[0] == 0
    written, _ = other[0].communicate(timeout=60)
    assert other[0].returncode == 0, written
    assert len(alphas(plate)) == 10
    assert len(list((plate / "gvm" / "plate_v002").glob("*.exr"))) == 10


@pytest.mark.parametrize(
    ("words", "number"),
    [
        (["alphas", *SETTINGS, "--no-window"], signal.SIGINT),
        (["render"], signal.SIGINT),
        (["render"], signal.SIGTERM),
    ],
)
def test_an_interrupted_terminal_ends_the_server_s_job(
    site, plate, monkeypatch, words, number, eventually
):
    """Ctrl-C, and a farm's terminate; also a batch job, which a lost client does not end."""
    monkeypatch.setenv("GVM_TEST_ENGINE_SECONDS", "1")
    process = started(plate, *words)
    while " %, frame" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(number)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert rest.splitlines()[-1] == "GVM: Cancelled; what is finished is kept."
    with Client(read_connection(site.runtime)) as watcher:
        eventually(lambda: [job.state for job in watcher.status().jobs] == ["cancelled"])


def started(plate: Path, *words: str) -> subprocess.Popen[str]:
    """Start a script of Fusion as a process of its own."""
    plain = ["-m", "tests.support.fusion_process", str(plate / "plate.1001.exr"), "1001", "10"]
    return subprocess.Popen(
        [sys.executable, *plain, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_host_without_pyzmq_gets_the_same_through_a_side_process(plate):
    """The same request, by another Python."""
    options = changed_options(SCRIPT_OPTIONS, {"engine": "test", "preset": "prototype"})
    spec = AlphaSpec(plate=str(plate / "plate.%04d.exr"), options=options)
    said: list[str] = []
    frontend = Terminal(said.append, lambda: SideTransport(sys.executable))
    frontend.make(spec, "1002", Priority.RANGE)
    assert alphas(plate) == ["plate_alpha.1002.exr"]
    assert "ready" in said[-1]
