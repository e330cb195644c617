"""The hosts' scripts with the real server: files, numbers, and what is not made twice."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gvm_client.settings import Priority
from gvm_nodes.alphas import SCRIPT_WISHES, Recipe, changed
from gvm_nodes.fusion.script import main as fusion
from gvm_nodes.make import maker
from gvm_nodes.resolve.script import main as resolve
from gvm_nodes.side import SideLine
from tests.fakes.fusion import Composition
from tests.fakes.resolve import MediaPoolItem, Project, Resolve, Timeline, TimelineItem, status
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
    project, said = Project(timeline), []
    assert resolve(["marked", *SETTINGS], said.append, Resolve(project)) == 0, said
    assert alphas(plate) == [f"plate_alpha.{frame}.exr" for frame in (1001, 1002, 1003)]
    assert len(site.windows_denoised()) == 1

    (alpha,) = project.pool.root.folders[0].clips
    timeline.tracks.append([TimelineItem(alpha, START, 3)])
    project.jobs = [{"JobId": "j1", "TimelineName": "Cut"}]
    project.script = {"j1": [status("Complete", 100)]}
    assert resolve(["deliver"], said.append, Resolve(project)) == 0, said
    assert len(site.windows_denoised()) == 1

    first = plate / "gvm" / "plate_v001" / "plate_alpha.1001.exr"
    before = read_alpha(first)
    (plate / "plate.1001.exr").write_bytes((plate / "plate.1009.exr").read_bytes())
    assert resolve(["deliver"], said.append, Resolve(project)) == 0, said
    assert len(site.windows_denoised()) == 2
    assert (read_alpha(first) != before).any()
    assert project.started == ["j1", "j1"]


def test_a_missing_plate_frame_starts_no_render_and_is_named(plate):
    """The exit code says so too."""
    media = MediaPoolItem(f"{plate}/plate.[1001-1010].exr")
    project, said = Project(), []
    project.pool.selection = [media]
    (plate / "plate.1005.exr").unlink()
    assert resolve(["selected", *SETTINGS], said.append, Resolve(project)) == 1
    assert "1005" in said[-1]
    assert project.pool.root.folders == []


def test_fusion_loads_the_alphas_that_the_server_made(plate):
    """Of the render range, with the plate's numbers."""
    comp, said = Composition(4, 5), []
    comp.select_loader(str(plate / "plate.1001.exr"), 1001, 10, start=0)
    assert fusion(["alphas", *SETTINGS], said.append, comp) == 0, said
    assert alphas(plate) == ["plate_alpha.1005.exr", "plate_alpha.1006.exr"]
    assert Path(comp.tools[-1].inputs["Clip"]).name == "plate_alpha.1005.exr"


def test_a_host_without_pyzmq_gets_the_same_through_a_side_process(plate):
    """The same request, by another Python."""
    wishes = changed(SCRIPT_WISHES, {"engine": "test", "preset": "prototype"})
    recipe = Recipe(plate=str(plate / "plate.%04d.exr"), wishes=wishes)
    said: list[str] = []
    maker(said.append, lambda: SideLine(sys.executable))(recipe, "1002", Priority.RANGE)
    assert alphas(plate) == ["plate_alpha.1002.exr"]
    assert "ready" in said[-1]
