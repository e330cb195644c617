"""Mattes into Resolve's media pool, and before its renders."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gvm_client.errors import (
    ErrorCode,
    InputError,
    JobCancelled,
    JobFailed,
    OutputError,
    SettingsError,
)
from gvm_client.settings import Priority
from gvm_nodes.alphas import SCRIPT_WISHES, Recipe
from gvm_nodes.resolve.deliver import deliver
from gvm_nodes.resolve.mattes import BIN, RECIPE_KEY, matte
from gvm_nodes.resolve.script import main
from gvm_nodes.resolve.shots import selected
from tests.fakes.resolve import MediaPoolItem, Project, Resolve, Timeline, TimelineItem, status

START = 86400
ALPHAS = "/p/gvm/a_v001/a_alpha.%04d.exr"

SECOND = replace(SCRIPT_WISHES, version=2)


class Maker:
    """Notes what is to be made; fails where it is told to."""

    def __init__(self, *, fails: bool = False) -> None:
        self.made: list[tuple[str, str, Priority]] = []
        self.fails = fails

    def __call__(self, recipe: Recipe, frames: str, priority: Priority) -> None:
        if self.fails:
            raise JobFailed("Out of memory.", code=ErrorCode.OUT_OF_MEMORY)
        self.made.append((recipe.plate, frames, priority))


def with_alphas() -> tuple[Project, Maker]:
    """Return a project whose clip was matted and lies on the timeline from its fifth frame on."""
    timeline = Timeline("Cut", [[]])
    project, make = Project(timeline), Maker()
    project.pool.selection = [MediaPoolItem("/p/a.[1001-1100].exr")]
    (alpha,) = matte(project.pool, selected(project), SCRIPT_WISHES, make)
    timeline.tracks[0] += [
        TimelineItem(project.pool.selection[0], START, 50),
        TimelineItem(alpha, START, 50, offset=4),
        TimelineItem(None, START, 50),
    ]
    project.jobs = [
        {"JobId": "j1", "TimelineName": "Cut", "MarkIn": START + 10, "MarkOut": START + 19}
    ]
    project.script = {"j1": [status("Rendering", 40), status("Complete", 100)]}
    make.made.clear()
    return project, make


def test_alphas_come_into_a_bin_of_their_own_and_the_current_bin_stays():
    """With the plate's numbers, and the recipe beside them."""
    project, make = Project(), Maker()
    project.pool.selection = [MediaPoolItem("/p/a.[1001-1100].exr", marks={"in": 0, "out": 9})]
    matte(project.pool, selected(project), SECOND, make)
    assert make.made == [("/p/a.####.exr", "1001-1010", Priority.RANGE)]
    (folder,) = project.pool.root.folders
    assert folder.name == BIN
    assert [clip.path for clip in folder.clips] == ["/p/gvm/a_v002/a_alpha.[1001-1010].exr"]
    kept = Recipe.from_text(folder.clips[0].metadata[RECIPE_KEY])
    assert kept == Recipe(plate="/p/a.####.exr", first=1001, last=1100, wishes=SECOND)
    assert project.pool.current is project.pool.root


def test_matting_the_same_again_adds_no_second_clip():
    """The alphas are looked at again, the media pool has them already."""
    project, _ = with_alphas()
    matte(project.pool, selected(project), SCRIPT_WISHES, Maker())
    assert len(project.pool.root.folders[0].clips) == 1


def test_another_version_is_another_clip():
    """The older alphas stay."""
    project, _ = with_alphas()
    matte(project.pool, selected(project), SECOND, Maker())
    assert len(project.pool.root.folders[0].clips) == 2


def test_a_failed_matte_adds_nothing():
    """And the error is the job's."""
    project = Project()
    project.pool.selection = [MediaPoolItem("/p/a.[1001-1100].exr")]
    with pytest.raises(JobFailed, match="Out of memory"):
        matte(project.pool, selected(project), SCRIPT_WISHES, Maker(fails=True))
    assert project.pool.root.folders == []


def test_files_that_resolve_does_not_take_are_an_error():
    """The artist is told where they are."""
    project = Project()
    project.pool.selection = [MediaPoolItem("/p/a.[1001-1100].exr")]
    project.pool.imports = False
    with pytest.raises(OutputError) as caught:
        matte(project.pool, selected(project), SCRIPT_WISHES, Maker())
    assert caught.value.path == ALPHAS
    assert project.pool.current is project.pool.root


def test_mattes_are_made_before_rendering_starts_for_the_frames_that_the_job_shows():
    """From the recipe beside the alpha clip; the plate itself is not matted anew."""
    project, make = with_alphas()
    before: list[int] = []
    project.on_start = lambda: before.append(len(make.made))
    said: list[str] = []
    deliver(project, [], make, said.append, pause=lambda _: None)
    assert make.made == [("/p/a.####.exr", "1015-1024", Priority.BATCH)]
    assert (before, project.started) == ([1], ["j1"])
    assert said == ["Render job j1: Rendering 40 %", "Render job j1: Complete 100 %"]


def test_a_matte_that_fails_starts_no_render():
    """A render with stale mattes is worse than none."""
    project, _ = with_alphas()
    with pytest.raises(JobFailed):
        deliver(project, ["j1"], Maker(fails=True), lambda _: None)
    assert project.started == []


@pytest.mark.parametrize(
    ("looks", "error", "says"),
    [
        ([status("Rendering", 9), status("Failed", 9, Error="disk full")], JobFailed, "disk full"),
        ([status("Cancelled", 3)], JobCancelled, "cancelled"),
        ([status("Ready", 0)], JobFailed, "renders no more"),
        ([{}], JobFailed, "renders no more"),
    ],
)
def test_a_render_job_s_bad_end_is_an_error(looks, error, says):
    """Also where Resolve says nothing and only stops rendering."""
    project, make = with_alphas()
    project.script["j1"] = looks
    with pytest.raises(error, match=says):
        deliver(project, ["j1"], make, lambda _: None, pause=lambda _: None)


def test_a_job_in_another_language_is_done_at_a_hundred_percent():
    """The words of the status follow the language of Resolve's interface."""
    project, make = with_alphas()
    project.script["j1"] = [status("Rendern", 50), status("Fertig", 100)]
    deliver(project, ["j1"], make, lambda _: None, pause=lambda _: None)


def test_an_interrupt_stops_the_render():
    """Ctrl-C in a terminal ends what it started."""
    project, make = with_alphas()

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver(project, ["j1"], make, lambda _: None, pause=interrupt)
    assert project.stopped


@pytest.mark.parametrize(("jobs", "says"), [(["j9"], "no job j9"), ([], "queue is empty")])
def test_a_job_that_is_not_queued_is_refused(jobs, says):
    """Before anything is made."""
    project, make = with_alphas()
    if not jobs:
        project.jobs = []
    with pytest.raises(InputError, match=says):
        deliver(project, jobs, make, lambda _: None)
    assert make.made == []


def test_a_timeline_that_is_gone_is_an_error():
    """A render job keeps the name that its timeline had."""
    project, make = with_alphas()
    project.jobs[0]["TimelineName"] = "Old"
    with pytest.raises(InputError, match="'Old'"):
        deliver(project, [], make, lambda _: None)


def test_resolve_refusing_to_start_is_an_error():
    """Nothing is waited for."""
    project, make = with_alphas()
    project.starts = False
    with pytest.raises(JobFailed, match="does not start"):
        deliver(project, [], make, lambda _: None)


@pytest.mark.parametrize(
    "text", ["", "[1]", '{"plate": "/p", "wishes": {"preset": "none"}}', '{"no": 1}']
)
def test_a_damaged_recipe_is_an_error(text):
    """Not a matte with other settings."""
    with pytest.raises(SettingsError):
        Recipe.from_text(text)


@pytest.mark.parametrize(
    ("plate", "alphas"),
    [
        ("/p/clip.mov", "/p/gvm/clip_v001/clip_alpha.%04d.exr"),
        ("/p/a.%04d.exr", ALPHAS),
        ("/p/shot/####.exr", "/p/shot/gvm/shot_v001/shot_alpha.%04d.exr"),
    ],
)
def test_alphas_lie_beside_the_plate_in_a_folder_with_a_version(plate, alphas):
    """Named after the plate."""
    assert Recipe(plate=plate).alphas == alphas


def test_a_script_says_its_error_and_fails_with_a_code():
    """Nothing is raised into Resolve's console."""
    said: list[str] = []
    assert main(["marked"], said.append, Resolve(Project())) == 1
    assert said == ["GVM: No range is marked. Mark an in and an out point on the timeline."]


def test_without_resolve_the_script_says_what_to_set():
    """From outside it needs Resolve's own module."""
    said: list[str] = []
    assert main(["selected"], said.append) == 1
    assert "PYTHONPATH" in said[0]
