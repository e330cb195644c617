"""Mattes into Resolve's media pool, and before its renders."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gvm_client.errors import (
    InputError,
    JobCancelled,
    JobFailed,
    OutputError,
    SettingsError,
)
from gvm_client.settings import Priority
from gvm_nodes.blackmagic.alpha_spec import SCRIPT_KNOBS, SCRIPT_OPTIONS, AlphaSpec
from gvm_nodes.blackmagic.resolve.deliver import deliver
from gvm_nodes.blackmagic.resolve.media_pool import BIN, SPEC_KEY, matte_shots, spec_of
from gvm_nodes.blackmagic.resolve.script import main
from gvm_nodes.blackmagic.resolve.shots import selected
from gvm_nodes.core.defaults import changed_options
from tests.fakes.frontend import FakeFrontend
from tests.fakes.remote import Remote
from tests.fakes.resolve import (
    MediaPoolItem,
    Project,
    Resolve,
    Timeline,
    TimelineItem,
    lacking,
    status,
)

START = 86400
DONE = status("Fertig", 100, TimeTakenToRenderInMs=900)
ALPHAS = "/p/gvm/a_v001/a_alpha.%04d.exr"

SECOND = replace(SCRIPT_OPTIONS, version=2)


def with_alphas() -> tuple[Project, FakeFrontend]:
    """Return a project whose clip was matted and lies on the timeline from its fifth frame on."""
    timeline = Timeline("Cut", [[]])
    project, frontend = Project(timeline), FakeFrontend()
    project.pool.selection = [MediaPoolItem("/p/a.[1001-1100].exr")]
    (alpha,) = matte_shots(project.pool, selected(project), SCRIPT_OPTIONS, frontend)
    timeline.tracks[0] += [
        TimelineItem(project.pool.selection[0], START, 50),
        TimelineItem(alpha, START, 50, offset=4),
        TimelineItem(None, START, 50),
    ]
    project.jobs = [
        {"JobId": "j1", "TimelineName": "Cut", "MarkIn": START + 10, "MarkOut": START + 19}
    ]
    project.script = {"j1": [status("Rendern", 40), DONE]}
    frontend.made.clear()
    frontend.specs.clear()
    frontend.said.clear()
    return project, frontend


def test_alphas_come_into_a_bin_of_their_own_and_the_current_bin_stays():
    """With the plate's numbers, and the spec beside them."""
    project, frontend = Project(), FakeFrontend()
    project.pool.selection = [MediaPoolItem("/p/a.[1001-1100].exr", marks={"in": 0, "out": 9})]
    matte_shots(project.pool, selected(project), SECOND, frontend)
    assert frontend.made == [("/p/a.####.exr", "1001-1010", Priority.RANGE)]
    assert frontend.specs == [
        AlphaSpec(plate="/p/a.####.exr", first=1001, last=1100, options=SECOND)
    ]
    (folder,) = project.pool.root.folders
    assert folder.name == BIN
    assert [clip.path for clip in folder.clips] == ["/p/gvm/a_v002/a_alpha.[1001-1010].exr"]
    kept = AlphaSpec.from_text(folder.clips[0].metadata[SPEC_KEY])
    assert kept == AlphaSpec(plate="/p/a.####.exr", first=1001, last=1100, options=SECOND)
    assert project.pool.current is project.pool.root


def test_a_preset_of_few_frames_imports_no_more_than_are_made():
    """The quick look is at the first fifty."""
    project, frontend = Project(), FakeFrontend()
    project.pool.selection = [MediaPoolItem("/p/a.[1001-1100].exr")]
    quick = changed_options(SCRIPT_OPTIONS, {"preset": "fast_test"})
    matte_shots(project.pool, selected(project), quick, frontend)
    assert [clip.path for clip in project.pool.root.folders[0].clips] == [
        "/p/gvm/a_v001/a_alpha.[1001-1050].exr"
    ]


def test_two_plates_never_write_the_same_files():
    """Nothing is started where an output without tokens would have them do so."""
    project, frontend = Project(), FakeFrontend()
    project.pool.selection = [MediaPoolItem(f"/p/{name}.[1-9].exr") for name in "ab"]
    one = replace(SCRIPT_OPTIONS, out="/mattes/m.%04d.exr")
    with pytest.raises(SettingsError, match="would both be"):
        matte_shots(project.pool, selected(project), one, frontend)
    assert frontend.made == []


def test_another_plate_never_writes_the_files_of_a_clip_that_stands():
    """Also asked for later."""
    project, frontend = Project(), FakeFrontend()
    one = replace(SCRIPT_OPTIONS, out="/mattes/m.%04d.exr")
    project.pool.selection = [MediaPoolItem("/p/a.[1-9].exr")]
    matte_shots(project.pool, selected(project), one, FakeFrontend())
    project.pool.selection = [MediaPoolItem("/p/b.[1-9].exr")]
    with pytest.raises(SettingsError, match="would both be"):
        matte_shots(project.pool, selected(project), one, frontend)
    assert frontend.made == []


def test_other_settings_of_the_same_files_are_their_clips_from_then_on():
    """Of every range; a render makes them once, with what was chosen last."""
    project, frontend = with_alphas()
    (clip,) = clips = project.pool.root.folders[0].clips
    project.pool.selection[0].marks = {"in": 0, "out": 9}
    other = changed_options(SCRIPT_OPTIONS, {"gamma": 2.0})
    (part,) = matte_shots(project.pool, selected(project), other, FakeFrontend())
    assert clips == [clip, part]
    assert [spec_of(item).options for item in clips] == [other, other]
    deliver(project, [], frontend)
    assert [spec.options for spec in frontend.specs] == [other]


@pytest.mark.parametrize("timeline", [0, 1])
@pytest.mark.parametrize("last", [1100, 1050])
def test_two_specs_of_the_same_files_start_nothing(timeline, last):
    """As an older project may have them, in one job or in two; one would undo the other."""
    project, frontend = with_alphas()
    other = AlphaSpec(plate="/p/a.####.exr", first=1001, last=1099)
    second = MediaPoolItem(f"/p/gvm/a_v001/a_alpha.[1001-{last}].exr")
    second.metadata[SPEC_KEY] = other.to_text()
    project.timelines.append(Timeline("Other", [[]]))
    project.jobs.append({"JobId": "j2", "TimelineName": "Other"})
    project.timelines[timeline].tracks.append([TimelineItem(second, START, 50)])
    with pytest.raises(SettingsError, match=r"made twice: last frame 1100 and 1099\."):
        deliver(project, [], frontend)
    assert (frontend.made, project.started) == ([], [])


def test_the_clip_of_an_older_version_of_the_program_is_used_again():
    """Its spec has a setting less; the files are the same."""
    project, _ = with_alphas()
    (clip,) = project.pool.root.folders[0].clips
    older = json.loads(clip.metadata[SPEC_KEY])
    del older["wishes"]["invert"]
    clip.metadata[SPEC_KEY] = json.dumps(older)
    assert matte_shots(project.pool, selected(project), SCRIPT_OPTIONS, FakeFrontend()) == [clip]
    assert spec_of(clip).to_text() == clip.metadata[SPEC_KEY]


def test_another_clip_s_damaged_spec_stops_nothing():
    """It is not the one that is looked for."""
    project, _ = with_alphas()
    project.pool.root.folders[0].clips[0].metadata[SPEC_KEY] = "?"
    assert len(matte_shots(project.pool, selected(project), SCRIPT_OPTIONS, FakeFrontend())) == 1


def test_matting_the_same_again_adds_no_second_clip():
    """The alphas are looked at again, the media pool has them already."""
    project, _ = with_alphas()
    matte_shots(project.pool, selected(project), SCRIPT_OPTIONS, FakeFrontend())
    assert len(project.pool.root.folders[0].clips) == 1


def test_a_single_frame_s_alpha_is_found_again():
    """Resolve shows it without brackets; it was taken for a movie, and imported once more."""
    project = Project()
    project.pool.selection = [MediaPoolItem("/p/a.[1001-1100].exr", marks={"in": 9, "out": 9})]
    for _ in range(2):
        matte_shots(project.pool, selected(project), SCRIPT_OPTIONS, FakeFrontend())
    (clip,) = project.pool.root.folders[0].clips
    assert clip.path == "/p/gvm/a_v001/a_alpha.1010.exr"


def test_a_single_image_is_matted_by_its_own_path_and_number():
    """Its neighbours on disk are no part of it."""
    project, frontend = Project(), FakeFrontend()
    project.pool.selection = [MediaPoolItem("/p/a.1001.exr", frames=1)]
    matte_shots(project.pool, selected(project), SCRIPT_OPTIONS, frontend)
    assert frontend.specs == [AlphaSpec(plate="/p/a.1001.exr", first=1001, last=1001)]
    assert frontend.made == [("/p/a.1001.exr", "1001-1001", Priority.RANGE)]


def test_files_that_resolve_imports_one_by_one_are_an_error():
    """As a preference of the media pool has it; the first frame would pass for the clip."""
    project = Project()
    project.pool.selection = [MediaPoolItem("/p/a.[1001-1100].exr")]
    project.pool.shows_frames = True
    with pytest.raises(OutputError, match="as 100 clips") as caught:
        matte_shots(project.pool, selected(project), SCRIPT_OPTIONS, FakeFrontend())
    assert "Show Individual Frames" in caught.value.remedy
    assert project.pool.root.folders[0].clips == []


def test_a_plate_in_a_folder_with_a_percent_sign_is_refused_before_anything():
    """In the pattern that Resolve imports it would begin a number."""
    project, frontend = Project(), FakeFrontend()
    project.pool.selection = [MediaPoolItem("/p/100%d/a.[1001-1100].exr")]
    with pytest.raises(OutputError):
        matte_shots(project.pool, selected(project), SCRIPT_OPTIONS, frontend)
    assert frontend.made == []


def test_another_version_is_another_clip():
    """The older alphas stay."""
    project, _ = with_alphas()
    matte_shots(project.pool, selected(project), SECOND, FakeFrontend())
    assert len(project.pool.root.folders[0].clips) == 2


def test_a_failed_matte_adds_nothing():
    """And the error is the job's."""
    project = Project()
    project.pool.selection = [MediaPoolItem("/p/a.[1001-1100].exr")]
    with pytest.raises(JobFailed, match="Out of memory"):
        matte_shots(project.pool, selected(project), SCRIPT_OPTIONS, FakeFrontend(fails=""))
    assert project.pool.root.folders == []


def test_files_that_resolve_does_not_take_are_an_error():
    """The artist is told where they are."""
    project = Project()
    project.pool.selection = [MediaPoolItem("/p/a.[1001-1100].exr")]
    project.pool.imports = False
    with pytest.raises(OutputError) as caught:
        matte_shots(project.pool, selected(project), SCRIPT_OPTIONS, FakeFrontend())
    assert caught.value.path == ALPHAS
    assert project.pool.current is project.pool.root


def test_mattes_are_made_before_rendering_starts_for_the_frames_that_the_job_shows():
    """From the spec beside the alpha clip; the plate itself is not matted anew."""
    project, frontend = with_alphas()
    before: list[int] = []
    project.on_start = lambda: before.append(len(frontend.made))
    deliver(project, [], frontend)
    assert frontend.made == [("/p/a.####.exr", "1015-1024", Priority.BATCH)]
    assert frontend.specs == [AlphaSpec(plate="/p/a.####.exr", first=1001, last=1100)]
    assert (before, project.started) == ([1], ["j1"])
    assert frontend.said == [
        "Clip 1 of 1, a.####.exr.",
        "Render job 1 of 1: Rendern 40 %",
        "Render job 1 of 1: Fertig 100 %",
    ]


@pytest.mark.parametrize("name", [knob.name for knob in SCRIPT_KNOBS])
def test_a_clip_that_an_older_release_made_is_rendered_with_the_default(name):
    """Its spec was saved before a setting existed; the other settings are its own."""
    project, frontend = with_alphas()
    (clip,) = project.pool.root.folders[0].clips
    older = json.loads(clip.metadata[SPEC_KEY])
    older["wishes"]["blur"] = 3.0
    del older["wishes"][name]
    clip.metadata[SPEC_KEY] = json.dumps(older)
    deliver(project, [], frontend)
    wanted = SCRIPT_OPTIONS if name == "blur" else replace(SCRIPT_OPTIONS, blur=3.0)
    assert [spec.options for spec in frontend.specs] == [wanted]


def test_a_job_s_marks_are_the_timeline_s_own_numbers():
    """Also on a timeline whose first frame has a number that is smaller than theirs."""
    project, frontend = with_alphas()
    for item in project.timelines[0].tracks[0]:
        item.start -= START
    project.timelines[0].start = 0
    project.jobs[0] |= {"MarkIn": 10, "MarkOut": 19}
    deliver(project, [], frontend)
    assert frontend.made == [("/p/a.####.exr", "1015-1024", Priority.BATCH)]


def test_a_matte_that_fails_starts_no_render():
    """A render with stale mattes is worse than none."""
    project, _ = with_alphas()
    with pytest.raises(JobFailed):
        deliver(project, ["j1"], FakeFrontend(fails=""))
    assert project.started == []


@pytest.mark.parametrize(
    ("looks", "says"),
    [
        ([status("Rendern", 9), status("Fehlgeschlagen", 9, Error="disk full")], "disk full"),
        ([status("Rendern", 9), status("Fehler", 100, Error="disk full")], "disk full"),
        ([status("Abgebrochen", 3)], "is at 3 %"),
        ([status("Complete", 99)], "renders no more"),
        ([{}], "renders no more"),
    ],
)
def test_a_render_job_s_bad_end_is_an_error(looks, says):
    """By its numbers, whatever its status is called; also where Resolve only stops rendering."""
    project, frontend = with_alphas()
    project.script["j1"] = looks
    with pytest.raises(JobFailed, match=says):
        deliver(project, ["j1"], frontend)


@pytest.mark.parametrize("end", [status("完成", 100, TimeTakenToRenderInMs=12), status("", 100)])
def test_a_job_is_done_by_its_numbers(end):
    """The words of the status follow the language of Resolve's interface."""
    project, frontend = with_alphas()
    project.script["j1"] = [status("Failed", 50), end]
    assert deliver(project, ["j1"], frontend).startswith("The render job is complete.")


def test_a_job_that_was_rendered_before_is_waited_for_again():
    """Its old end is still shown when the new render has not begun yet."""
    project, frontend = with_alphas()
    project.earlier["j1"] = DONE
    project.takes_a_moment = 3
    deliver(project, ["j1"], frontend)
    assert "Render job 1 of 1: Rendern 40 %" in frontend.said
    project.started.clear()
    project.earlier["j1"] = status("Fehlgeschlagen", 3, Error="disk full")
    project.script["j1"] = [status("Rendern", 40), DONE]
    project.takes_a_moment = 3
    deliver(project, ["j1"], frontend)


def test_the_second_job_goes_on_when_the_first_is_done():
    """The first one's end is known though Resolve is rendering."""
    project, frontend = with_alphas()
    project.jobs.append({"JobId": "j2", "TimelineName": "Cut"})
    project.script["j2"] = [status("Rendern", share) for share in (0, 50, 90)] + [DONE]
    assert deliver(project, [], frontend) == (
        "Every render job is complete. 1 item has no media, so Resolve says: titles, or clips whose"
        " start timecode was changed."
    )
    assert frontend.said[-1] == "Render job 2 of 2: Fertig 100 %"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), JobCancelled("Cancelled.")])
def test_an_interrupt_stops_the_render(error):
    """Ctrl-C in a terminal, and Cancel in a window, end what they started."""
    project, frontend = with_alphas()

    def interrupt() -> None:
        raise error

    frontend.at_pause = interrupt
    with pytest.raises(type(error)):
        deliver(project, ["j1"], frontend)
    assert project.stopped


@pytest.mark.parametrize(("jobs", "says"), [(["j9"], "no job j9"), ([], "queue is empty")])
def test_a_job_that_is_not_queued_is_refused(jobs, says):
    """Before anything is made."""
    project, frontend = with_alphas()
    if not jobs:
        project.jobs = []
    with pytest.raises(InputError, match=says):
        deliver(project, jobs, frontend)
    assert frontend.made == []


def test_a_timeline_that_is_gone_is_an_error():
    """A render job keeps the name that its timeline had."""
    project, frontend = with_alphas()
    project.jobs[0]["TimelineName"] = "Old"
    with pytest.raises(InputError, match="'Old'"):
        deliver(project, [], frontend)


def test_resolve_refusing_to_start_is_an_error():
    """Nothing is waited for."""
    project, frontend = with_alphas()
    project.starts = False
    with pytest.raises(JobFailed, match="does not start"):
        deliver(project, [], frontend)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        '{"no": 1}',
        '{"plate": "/p", "wishes": {"preset": "none"}}',
        '{"plate": "/p", "wishes": []}',
        '{"plate": "/p", "wishes": {"size": Infinity}}',
        '{"plate": 3, "wishes": {}}',
        '{"plate": "/p", "last": "9", "wishes": {}}',
    ],
)
def test_a_damaged_spec_is_an_error(text):
    """Not a matte with other settings."""
    with pytest.raises(SettingsError):
        AlphaSpec.from_text(text)


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
    assert AlphaSpec(plate=plate).alphas == alphas


def test_a_script_says_its_error_and_fails_with_a_code():
    """Nothing is raised into Resolve's console."""
    said: list[str] = []
    assert main(["marked", "--no-window"], said.append, Resolve(Project()).names()) == 1
    assert said == ["GVM: No range is marked. Mark an in and an out point on the timeline."]


def test_without_resolve_the_script_says_what_to_set():
    """From outside it needs Resolve's own module."""
    said: list[str] = []
    assert main(["selected"], said.append) == 1
    assert "PYTHONPATH" in said[0]


def test_without_a_project_the_script_says_so():
    """Resolve's project manager is in front."""
    said: list[str] = []
    assert main(["deliver", "--no-window"], said.append, Resolve(None).names()) == 1
    assert said == ["GVM: No project is open. Open one, then ask again."]


@pytest.mark.parametrize("what", ["selected", "marked", "deliver"])
@pytest.mark.parametrize(
    ("version", "says"),
    [
        ([18, 6, 6, 7, ""], "This is Resolve 18.6"),
        ([19.0, 0.0, 3.0, 5.0, ""], "This is Resolve 19.0"),
        (None, "This is Resolve of an unknown version"),
    ],
)
def test_a_resolve_that_lacks_methods_is_refused_in_one_sentence(what, version, says, monkeypatch):
    """A method that a version does not have is None there: no trace of calling it."""
    resolve, said = Resolve(Project(Timeline("Cut", [[]]))), []
    resolve.version = version
    since = (int(version[0]), int(version[1])) if version else (0, 0)
    monkeypatch.setattr(Remote, "lacks", lacking(since))
    assert main([what, "--no-window"], said.append, resolve.names()) == 1
    (sentence,) = said
    assert sentence.startswith(f"GVM: {says}; the scripts need 19.1 or later. Update Resolve, or")
