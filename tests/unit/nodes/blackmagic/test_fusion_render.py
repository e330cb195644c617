"""A composition's render and its place in the queue, with the mattes made before."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from gvm_client.errors import InputError, JobCancelled, JobFailed, SettingsError
from gvm_client.settings import Priority
from gvm_nodes.blackmagic.alpha_spec import SCRIPT_KNOBS, SCRIPT_OPTIONS, AlphaSpec
from gvm_nodes.blackmagic.fusion.loaders import SPEC_KEY, load_alphas, spec_of
from gvm_nodes.blackmagic.fusion.render import queue, render
from gvm_nodes.blackmagic.fusion.script import main
from gvm_nodes.core.clips import frame_path
from gvm_nodes.core.defaults import changed_options
from tests.fakes.frontend import FakeFrontend
from tests.fakes.fusion import Composition, Fusion

PLATE = "/p/a.####.exr"


def matted() -> Composition:
    """Return a composition of ten frames, whose plate has its alphas, and renders six of them."""
    comp = Composition(0, 9)
    comp.select_loader("/p/a.1001.exr", 1001, 100, start=0)
    load_alphas(comp, SCRIPT_OPTIONS, FakeFrontend())
    comp.attributes |= {"COMPN_RenderStart": 2.0, "COMPN_RenderEnd": 7.0}
    return comp


def test_mattes_are_made_before_the_render_for_the_frames_that_it_shows():
    """Of Loaders that carry a spec; what they are rendered with is the artist's."""
    comp, frontend = matted(), FakeFrontend()
    assert render(comp, frontend) == "Frames 2-7 are rendered."
    assert frontend.made == [(PLATE, "1003-1008", Priority.BATCH)]
    assert frontend.specs == [AlphaSpec(plate=PLATE, first=1001, last=1100)]
    (how,) = comp.rendered
    assert (how["Start"], how["End"]) == (2, 7)
    assert "Rendering: 66 %, frame 5 of 2-7." in frontend.said


@pytest.mark.parametrize("name", [knob.name for knob in SCRIPT_KNOBS])
def test_a_loader_that_an_older_release_made_is_rendered_with_the_default(name):
    """Its spec was saved before a setting existed; the other settings are its own."""
    comp, frontend = Composition(0, 9), FakeFrontend()
    comp.select_loader("/p/a.1001.exr", 1001, 100, start=0)
    own = changed_options(SCRIPT_OPTIONS, {"gamma": 1.7, "version": 3})
    (loader,) = load_alphas(comp, own, FakeFrontend())
    older = json.loads(loader.data[SPEC_KEY])
    del older["wishes"][name]
    loader.data[SPEC_KEY] = json.dumps(older)
    render(comp, frontend)
    wanted = replace(own, **{name: getattr(SCRIPT_OPTIONS, name)})
    assert [spec.options for spec in frontend.specs] == [wanted]


class WritingFrontend(FakeFrontend):
    """One that makes files, as the server does."""

    def make(self, spec: AlphaSpec, frames: str, priority: Priority) -> None:
        """Write each frame's file."""
        super().make(spec, frames, priority)
        first, last = map(int, frames.split("-"))
        for frame in range(first, last + 1):
            path = frame_path(spec.alphas, frame)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{len(self.made)} {spec.options.gamma}".encode())


def test_a_render_shows_the_files_that_were_made_for_it(tmp_path):
    """A Loader shows what it has read; given its clip again it reads, and plays as before."""
    comp, frontend = Composition(0, 9), WritingFrontend()
    plate = comp.select_loader(f"{tmp_path}/a.1001.exr", 1001, 8, start=2)
    plate.inputs |= {"HoldFirstFrame": 2, "GlobalIn": 0, "HoldLastFrame": 1, "GlobalOut": 10}
    (loader,) = load_alphas(comp, SCRIPT_OPTIONS, frontend)
    before = dict(loader.inputs)
    render(comp, frontend)
    assert set(loader.shows.values()) == {b"2 1.0"}
    assert loader.inputs == before
    assert comp.steps == ["Load GVM Alphas", "Read GVM Alphas Again"]


def test_files_that_stand_are_not_read_again():
    """A render that makes nothing changes nothing in the composition."""
    comp = matted()
    render(comp, FakeFrontend())
    assert comp.steps == ["Load GVM Alphas"]


def test_all_loaders_of_the_same_files_show_what_was_made(tmp_path):
    """The artist's copies too, each where it plays."""
    comp, frontend = Composition(0, 4), WritingFrontend()
    comp.select_loader(f"{tmp_path}/a.1001.exr", 1001, 5, start=0)
    (first,) = load_alphas(comp, SCRIPT_OPTIONS, frontend)
    copy = comp.select_loader(first.inputs["Clip"], 1001, 5, start=50, trim=1)
    comp.selection.remove(copy)
    copy.data |= first.data
    before = dict(copy.inputs)
    load_alphas(comp, changed_options(SCRIPT_OPTIONS, {"gamma": 2.0}), frontend)
    assert set(copy.shows.values()) == {b"2 2.0"}
    assert {name: copy.inputs[name] for name in before} == before


def test_a_loader_that_is_passed_through_or_plays_elsewhere_costs_nothing():
    """Its alphas are not seen."""
    comp, frontend = matted(), FakeFrontend()
    comp.tools[-1].attributes["TOOLB_PassThrough"] = True
    render(comp, frontend)
    comp.tools[-1].attributes.clear()
    comp.attributes |= {"COMPN_RenderStart": 500.0, "COMPN_RenderEnd": 501.0}
    render(comp, frontend)
    assert frontend.made == []
    assert len(comp.rendered) == 2


def test_mattes_are_made_with_the_settings_of_the_last_matting():
    """Once, though they were matted with others before."""
    comp, frontend = matted(), FakeFrontend()
    other = changed_options(SCRIPT_OPTIONS, {"gamma": 2.0})
    load_alphas(comp, other, FakeFrontend())
    render(comp, frontend)
    assert [spec.options for spec in frontend.specs] == [other]


def test_two_specs_of_the_same_files_start_nothing():
    """As an older composition may have them; the one that is made last would be in both."""
    comp, frontend = matted(), FakeFrontend()
    second = comp.select_loader("/p/gvm/a_v001/a_alpha.1003.exr", 1003, 6, start=2)
    twice = spec_of(comp.tools[1])
    second.data[SPEC_KEY] = twice.to_text()
    render(comp, frontend)  # a copy is not refused
    other = replace(twice, options=changed_options(SCRIPT_OPTIONS, {"gamma": 2.0}))
    second.data[SPEC_KEY] = other.to_text()
    with pytest.raises(SettingsError, match=r"would be made twice: gamma 1.0 and 2.0\."):
        render(comp, frontend)
    assert (len(frontend.made), len(comp.rendered)) == (2, 1)


def test_a_matte_that_fails_starts_no_render():
    """A render with stale mattes is worse than none."""
    comp = matted()
    with pytest.raises(JobFailed):
        render(comp, FakeFrontend(fails=""))
    comp.tools[-1].data[SPEC_KEY] = "{}"
    with pytest.raises(SettingsError):
        render(comp, FakeFrontend())
    assert comp.rendered == []


def test_fusion_refusing_to_start_is_an_error():
    """It says so at once."""
    comp = matted()
    comp.starts = False
    with pytest.raises(JobFailed, match="does not start"):
        render(comp, FakeFrontend())


@pytest.mark.parametrize(
    ("fails_at", "says"), [(2, "rendered no frame of 2-7"), (5, "its last frame was 4")]
)
def test_a_render_that_stops_early_is_an_error(fails_at, says):
    """By its last frame; Fusion only stops."""
    comp = matted()
    comp.fails_at = fails_at
    with pytest.raises(JobFailed, match=says):
        render(comp, FakeFrontend())


def test_a_render_that_fails_at_once_is_not_taken_for_the_last_one():
    """The composition still says which frame was rendered last, and that is the range's last."""
    comp = matted()
    render(comp, FakeFrontend())
    render(comp, FakeFrontend())
    comp.fails_at = 2
    with pytest.raises(JobFailed, match="no frame"):
        render(comp, FakeFrontend())


def test_one_frame_can_be_rendered_again():
    """Its number does not move."""
    comp = matted()
    comp.attributes |= {"COMPN_RenderStart": 4.0, "COMPN_RenderEnd": 4.0}
    for _ in range(2):
        assert render(comp, FakeFrontend()) == "Frames 4-4 are rendered."


@pytest.mark.parametrize("error", [KeyboardInterrupt(), JobCancelled("Cancelled.")])
def test_cancel_aborts_the_render(error):
    """Ctrl-C in a terminal, Cancel in a window; Fusion asks nobody."""
    comp, frontend = matted(), FakeFrontend()

    def interrupt() -> None:
        raise error

    frontend.at_pause = interrupt
    with pytest.raises(type(error)):
        render(comp, frontend)
    assert comp.is_aborted


def saved() -> Composition:
    """Return the same composition, with a file."""
    comp = matted()
    comp.attributes |= {"COMPS_FileName": "/c/shot.comp", "COMPB_Modified": False}
    return comp


def test_a_composition_is_queued_after_its_mattes_are_made():
    """With its file and its range; the Render Manager says how it goes."""
    comp, frontend = saved(), FakeFrontend()
    fusion = Fusion(comp)
    assert "Render Manager" in queue(fusion, comp, frontend)
    assert frontend.made == [(PLATE, "1003-1008", Priority.BATCH)]
    assert fusion.jobs == [{"FileName": "/c/shot.comp", "Start": 2, "End": 7}]


@pytest.mark.parametrize("state", [{"COMPS_FileName": ""}, {"COMPB_Modified": True}])
def test_a_composition_that_is_not_saved_is_not_queued(state):
    """Its file is not what the artist sees; no matte is made for it."""
    comp, frontend = saved(), FakeFrontend()
    comp.attributes |= state
    fusion = Fusion(comp)
    with pytest.raises(InputError, match="not saved"):
        queue(fusion, comp, frontend)
    assert (frontend.made, fusion.jobs) == ([], [])


def test_a_failed_matte_or_a_queue_that_takes_nothing_is_an_error():
    """Nothing is queued with mattes that are not there."""
    comp, fusion = saved(), Fusion()
    with pytest.raises(JobFailed):
        queue(fusion, comp, FakeFrontend(fails=""))
    assert fusion.jobs == []
    fusion.takes = False
    with pytest.raises(JobFailed, match="does not take"):
        queue(fusion, comp, FakeFrontend())


def test_a_terminal_renders_a_composition_that_it_opens_and_closes(tmp_path, monkeypatch):
    """By Fusion's own module; a locked composition asks nothing when it is closed."""
    comp, said = Composition(1, 3), []
    path = tmp_path / "shot.comp"
    fusion = Fusion()
    fusion.files[str(path)] = comp
    outside(monkeypatch, fusion)
    assert main(["render", "--comp", str(path)], said.append) == 0, said
    assert comp.rendered
    assert said[-1] == "GVM: Frames 1-3 are rendered."
    assert comp.closed is True


def test_a_fusion_that_has_just_started_is_given_a_moment(tmp_path, monkeypatch):
    """It opens nothing for some seconds; and it must ask nobody for missing media."""
    comp, said = Composition(1, 3), []
    path = tmp_path / "shot.comp"
    path.touch()
    fusion = Fusion()
    fusion.files[str(path)] = comp
    fusion.takes_a_moment = 3
    outside(monkeypatch, fusion)
    assert main(["render", "--comp", str(path)], said.append) == 0, said


@pytest.mark.parametrize("words", [["render", "--comp", "/none.comp"], ["queue"]])
def test_a_terminal_without_a_composition_fails(words, monkeypatch):
    """With the exit code 1 and a sentence."""
    said: list[str] = []
    outside(monkeypatch, Fusion())
    assert main(words, said.append) == 1
    assert "composition" in said[0]


def test_a_terminal_without_fusion_fails(monkeypatch):
    """The module is there; no program answers."""
    said: list[str] = []
    outside(monkeypatch, None)
    assert main(["render"], said.append) == 1
    assert said[0].startswith("GVM: No Fusion answers. Start")


def test_a_failed_render_s_exit_code_is_one_and_a_cancelled_one_s_130(monkeypatch):
    """What farms look at."""
    comp, said = Composition(1, 3), []
    comp.fails_at = 2
    assert main(["render", "--no-window"], said.append, Fusion(comp).names()) == 1
    assert said[-1].startswith("GVM: Fusion stopped rendering 1-3; its last frame was 1.")

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupt)
    assert main(["render", "--no-window"], said.append, Fusion(comp).names()) == 130
    assert said[-1] == "GVM: Cancelled; what is finished is kept."
    assert comp.is_aborted


def outside(monkeypatch: pytest.MonkeyPatch, fusion: Fusion | None) -> None:
    """Have Fusion's scripting module at hand, as a terminal's Python may have it."""
    module = SimpleNamespace(scriptapp={"Fusion": fusion}.get)
    monkeypatch.setitem(sys.modules, "fusionscript", module)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["tool"], 0, ""),
        (["queue"], 1, "GVM: The composition is not saved"),
        (["alphas", "--nothing"], 2, "usage: gvm-fusion"),
    ],
)
def test_the_exit_code_outlives_a_crash_of_the_program_s_module(words, code, says):
    """While Python puts things away; everything that was said is there."""
    plate = ["/p/a.1001.exr", "1001", "10"]
    ran = subprocess.run(
        [sys.executable, "-m", "tests.support.fusion_process", *plate, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout[: len(says)]) == (code, says)
