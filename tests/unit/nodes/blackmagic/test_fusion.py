"""The OpenFX tool and Loaders of finished alphas in Fusion."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvm_client.errors import GvmError, InputError, JobFailed, ServerError, SettingsError
from gvm_client.settings import Priority
from gvm_nodes.blackmagic.alpha_spec import SCRIPT_OPTIONS, AlphaSpec
from gvm_nodes.blackmagic.fusion.loaders import (
    OPENFX_TOOL,
    LoaderClip,
    first_files,
    load_alphas,
    place_tool,
    spec_of,
    within_times,
)
from gvm_nodes.blackmagic.fusion.script import main
from gvm_nodes.core.clips import FrameRange
from gvm_nodes.core.defaults import changed_options
from tests.fakes.frontend import FakeFrontend
from tests.fakes.fusion import Composition, Disk, Fusion, Tool


def test_the_openfx_tool_is_placed_as_one_step_of_undo():
    """And the composition is left unlocked."""
    comp = Composition(0, 99)
    place_tool(comp)
    assert [tool.kind for tool in comp.tools] == [OPENFX_TOOL]
    assert (comp.steps, comp.locks) == (["Add GVM Matte"], 0)


def test_what_is_set_under_a_bare_lock_would_be_lost():
    """So that no test passes with a script that sets inputs outside of a step of undo."""
    comp = Composition(0, 99)
    loader = comp.select_loader("/p/a.1001.exr", 1001, 100, start=0)
    comp.Lock()
    loader.SetInput("Loop", 1)
    assert "Loop" not in loader.inputs
    comp.StartUndo("Loop")
    loader.SetInput("Loop", 1)
    assert loader.inputs["Loop"] == 1


def test_without_the_plug_in_nothing_is_placed():
    """The remedy is its install; the step of undo is taken back."""
    comp = Composition(0, 99)
    comp.kinds = set()
    with pytest.raises(ServerError) as caught:
        place_tool(comp)
    assert "gvm install ofx" in caught.value.remedy
    assert (comp.steps, comp.locks) == ([], 0)


def test_the_alphas_of_a_sequence_play_where_the_plate_plays():
    """The clip is trimmed by ten frames, plays from 20 on, and the render range begins at 25."""
    comp, frontend = Composition(25, 30), FakeFrontend()
    comp.select_loader("/p/a.1001.exr", 1001, 100, start=20, trim=10)
    (loader,) = load_alphas(comp, SCRIPT_OPTIONS, frontend)
    assert frontend.made == [("/p/a.####.exr", "1016-1021", Priority.RANGE)]
    assert frontend.specs == [AlphaSpec(plate="/p/a.####.exr", first=1001, last=1100)]
    assert loader.inputs["Clip"] == "/p/gvm/a_v001/a_alpha.1016.exr"
    assert shown_by(comp, loader) == {time: 991 + time for time in range(25, 31)}


@pytest.mark.parametrize("global_start", [-500, 0, 25, 30, 500])
def test_the_alphas_play_there_wherever_a_new_clip_is_put(global_start):
    """Its beginning cannot pass its end, so the order depends on where it moves."""
    comp = Composition(25, 30, global_start=global_start)
    comp.select_loader("/p/a.1001.exr", 1001, 100, start=20, trim=10)
    (loader,) = load_alphas(comp, SCRIPT_OPTIONS, FakeFrontend())
    assert shown_by(comp, loader) == {time: 991 + time for time in range(25, 31)}


def test_held_frames_are_held_again():
    """Three times the first file before it plays, twice the last one after."""
    comp, frontend = Composition(0, 99), FakeFrontend()
    plate = comp.select_loader("/p/a.1001.exr", 1001, 5, start=10)
    plate.inputs |= {"HoldFirstFrame": 3, "HoldLastFrame": 2, "GlobalOut": 19}
    (loader,) = load_alphas(comp, SCRIPT_OPTIONS, frontend)
    assert frontend.made[0][1] == "1001-1005"
    assert shown_by(comp, loader) == shown_by(comp, plate)


def test_a_reversed_clip_is_matted_whole_and_reversed_again():
    """The render range is five frames of it."""
    comp, frontend = Composition(12, 16), FakeFrontend()
    plate = comp.select_loader("/p/a.1001.exr", 1001, 20, start=10)
    plate.inputs["Reverse"] = 1
    (loader,) = load_alphas(comp, SCRIPT_OPTIONS, frontend)
    assert frontend.made[0][1] == "1001-1020"
    assert (loader.inputs["Reverse"], loader.inputs["GlobalIn"]) == (1, 10)


def test_numbers_are_those_of_the_initial_frame_where_fusion_says_it():
    """Else those of the start frame."""
    comp, frontend = Composition(0, 4), FakeFrontend()
    plate = comp.select_loader("/p/a.1003.exr", 1003, 100, start=0)
    plate.attributes["TOOLIT_Clip_InitialFrame"] = {1.0: 1001.0}
    load_alphas(comp, SCRIPT_OPTIONS, frontend)
    assert frontend.made[0][1] == "1001-1005"


@pytest.mark.parametrize("path", ["/p/a7.mov", "/p/A001_C002.braw", "/p/A001_C002.R3D"])
def test_a_movie_s_alphas_count_from_one(path):
    """As the server counts its frames; a camera's clip number is no frame."""
    comp, frontend = Composition(0, 9), FakeFrontend()
    comp.select_loader(path, 0, 50, start=0)
    load_alphas(comp, SCRIPT_OPTIONS, frontend)
    assert frontend.made == [(path, "1-10", Priority.RANGE)]
    assert frontend.specs == [AlphaSpec(plate=path)]


def test_a_mapped_path_is_asked_for_by_the_real_one():
    """The server knows no path maps."""
    comp, frontend = Composition(0, 9), FakeFrontend()
    comp.maps["Comp:"] = "/shots/010/"
    comp.select_loader("Comp:a.0001.exr", 1, 50, start=0)
    load_alphas(comp, SCRIPT_OPTIONS, frontend)
    assert frontend.made[0][0] == "/shots/010/a.####.exr"


def test_a_preset_of_few_frames_loads_no_more_than_are_made():
    """The quick look is at the first fifty."""
    comp = Composition(0, 99)
    comp.select_loader("/p/a.1001.exr", 1001, 100, start=0)
    quick = changed_options(SCRIPT_OPTIONS, {"preset": "fast_test"})
    (loader,) = load_alphas(comp, quick, FakeFrontend())
    assert shown_by(comp, loader) == {time: 1001 + time for time in range(50)}


def test_asking_again_uses_the_loader_that_is_there():
    """With the new range, counted from the first file that the folder holds now."""
    comp, frontend = Composition(0, 4), FakeFrontend()
    comp.select_loader("/p/a.1001.exr", 1001, 100, start=0)
    (first,) = load_alphas(comp, SCRIPT_OPTIONS, frontend)
    comp.attributes |= {"COMPN_RenderStart": 10.0, "COMPN_RenderEnd": 14.0}
    comp.on_disk["/p/gvm/a_v001"] = Disk(1001, 15)
    (second,) = load_alphas(comp, SCRIPT_OPTIONS, frontend)
    assert second is first
    assert (second.inputs["ClipTimeStart"], second.inputs["ClipTimeEnd"]) == (10, 14)
    assert [frames for _, frames, _ in frontend.made] == ["1001-1005", "1011-1015"]


def test_several_loaders_are_one_step_of_undo_and_told_by_their_place():
    """One step takes all of them back."""
    comp, frontend = Composition(0, 4), FakeFrontend()
    for name in ("a", "b"):
        comp.select_loader(f"/p/{name}.1001.exr", 1001, 100, start=0)
    load_alphas(comp, SCRIPT_OPTIONS, frontend)
    assert frontend.said == ["Clip 1 of 2, a.####.exr.", "Clip 2 of 2, b.####.exr."]
    assert comp.steps == ["Load GVM Alphas"]
    assert [spec_of(tool).plate for tool in comp.tools[2:]] == ["/p/a.####.exr", "/p/b.####.exr"]


def test_a_failed_matte_adds_no_loader_but_those_before_it():
    """As one step of undo, too."""
    comp = Composition(0, 4)
    for name in ("a", "b"):
        comp.select_loader(f"/p/{name}.1001.exr", 1001, 100, start=0)
    with pytest.raises(JobFailed):
        load_alphas(comp, SCRIPT_OPTIONS, FakeFrontend(fails="/b."))
    assert (len(comp.tools), comp.steps, comp.locks) == (3, ["Load GVM Alphas"], 0)
    with pytest.raises(JobFailed):
        load_alphas(comp, SCRIPT_OPTIONS, FakeFrontend(fails=""))
    assert (len(comp.tools), len(comp.steps)) == (3, 1)


def test_two_plates_never_write_the_same_files():
    """Nothing is started where an output without tokens would have them do so."""
    comp, frontend = Composition(0, 4), FakeFrontend()
    for name in ("a", "b"):
        comp.select_loader(f"/p/{name}.1001.exr", 1001, 100, start=0)
    one = replace(SCRIPT_OPTIONS, out="/mattes/m.%04d.exr")
    with pytest.raises(SettingsError, match="would both be"):
        load_alphas(comp, one, frontend)
    assert frontend.made == []


def test_another_plate_never_writes_the_files_of_a_loader_that_stands():
    """Also asked for later; an earlier version's Loader, or a damaged text, is in nobody's way."""
    comp, frontend = Composition(0, 4), FakeFrontend()
    comp.select_loader("/p/a.1001.exr", 1001, 100, start=0)
    one = replace(SCRIPT_OPTIONS, out="/mattes/m_v{version}.%04d.exr")
    (standing,) = load_alphas(comp, one, FakeFrontend())
    comp.selection.clear()
    comp.select_loader("/p/b.1001.exr", 1001, 100, start=0)
    with pytest.raises(SettingsError, match=r"a\.#+\.exr and of /p/b\.#+\.exr would both be"):
        load_alphas(comp, one, frontend)
    assert frontend.made == []
    load_alphas(comp, replace(one, version=2), frontend)
    standing.data["gvm.recipe"] = "?"
    load_alphas(comp, one, frontend)
    assert len(comp.tools) == 5


def test_other_settings_of_the_same_files_are_their_loaders_from_then_on():
    """A second Loader of the same files would show the same; a copy of the first one goes along."""
    comp, frontend = Composition(0, 4), FakeFrontend()
    comp.select_loader("/p/a.1001.exr", 1001, 100, start=0)
    (first,) = load_alphas(comp, SCRIPT_OPTIONS, FakeFrontend())
    copied = comp.select_loader("/p/gvm/a_v001/a_alpha.1001.exr", 1001, 5, start=50)
    copied.data |= first.data
    comp.selection.remove(copied)
    other = changed_options(SCRIPT_OPTIONS, {"gamma": 2.0})
    assert load_alphas(comp, other, frontend) == [first]
    assert [spec_of(tool).options for tool in (first, copied)] == [other, other]
    assert [spec.options for spec in frontend.specs] == [other]
    assert copied.inputs["GlobalIn"] == 50


def test_the_loader_of_an_older_version_of_the_program_is_used_again():
    """Its spec has a setting less; the files are the same."""
    comp = Composition(0, 4)
    comp.select_loader("/p/a.1001.exr", 1001, 100, start=0)
    (first,) = load_alphas(comp, SCRIPT_OPTIONS, FakeFrontend())
    older = json.loads(first.data["gvm.recipe"])
    del older["wishes"]["invert"]
    first.data["gvm.recipe"] = json.dumps(older)
    assert load_alphas(comp, SCRIPT_OPTIONS, FakeFrontend()) == [first]
    assert spec_of(first).to_text() == first.data["gvm.recipe"]


def test_a_loader_outside_of_the_render_range_is_refused():
    """By the frames that it plays at."""
    comp = Composition(500, 600)
    comp.select_loader("/p/a.1001.exr", 1001, 100, start=0)
    with pytest.raises(InputError, match="plays at 0-99"):
        load_alphas(comp, SCRIPT_OPTIONS, FakeFrontend())


def test_a_loader_without_a_clip_is_refused():
    """As a new one has none."""
    comp = Composition(0, 9)
    comp.select_loader("", 0, 1, start=0)
    with pytest.raises(InputError, match="no clip"):
        load_alphas(comp, SCRIPT_OPTIONS, FakeFrontend())


@given(
    st.tuples(st.integers(-9, 9), st.integers(1, 6), st.integers(0, 4), st.integers(0, 4)),
    st.tuples(st.integers(-15, 25), st.integers(0, 9)),
)
def test_a_part_of_a_clip_shows_what_the_whole_shows_there(clip, asked):
    """Whatever its holds are, and wherever the range lies."""
    initial, length, hold_first, hold_last = clip
    whole = LoaderClip(
        path="/p/a.####.exr",
        disk=FrameRange(1001, 1000 + length),
        frames=FrameRange(1001, 1000 + length),
        times=FrameRange(initial, initial + hold_first + length + hold_last - 1),
        hold_first=hold_first,
        hold_last=hold_last,
    )
    times = FrameRange(asked[0], asked[0] + asked[1])
    part = within_times(whole, times)
    expected = {at: file for at, file in _shown(whole).items() if times.first <= at <= times.last}
    assert (_shown(part) if part else {}) == expected


def test_a_reversed_clip_is_not_cut_short():
    """Its first files are the last ones that are seen."""
    whole = LoaderClip(
        path="/p", disk=None, frames=FrameRange(1, 60), times=FrameRange(0, 59), reverse=True
    )
    with pytest.raises(InputError, match="50 frames only"):
        first_files(whole, 50)


def test_the_script_says_what_is_wrong():
    """One sentence with the remedy, and a code."""
    said: list[str] = []
    assert main(["alphas", "--no-window"], said.append, Fusion(Composition(0, 9)).names()) == 1
    assert said[0].startswith("GVM: No Loader is selected. Select")


def test_the_script_places_the_tool():
    """Without a word."""
    said: list[str] = []
    comp = Composition(0, 9)
    assert main(["tool"], said.append, {"comp": comp}) == 0
    assert (len(comp.tools), said) == (1, [])


def test_without_fusion_the_script_says_what_to_set():
    """From outside it needs the program's own module."""
    said: list[str] = []
    assert main(["render"], said.append) == 1
    assert "PYTHONPATH" in said[0]


def test_every_setting_is_an_option_and_explained(capsys):
    """Also those whose words have a percent sign."""
    with pytest.raises(SystemExit) as left:
        main(["alphas", "--help"], print)
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert "--frames-per-window" in shown
    assert "%04d" in shown


def test_a_damaged_spec_is_an_error():
    """Not a matte with other settings."""
    loader = Composition(0, 9).select_loader("/p/a.1001.exr", 1001, 9, start=0)
    loader.data["gvm.recipe"] = "?"
    with pytest.raises(GvmError, match="Matte the clip again"):
        spec_of(loader)


def shown_by(comp: Composition, loader: Tool) -> dict[int, int]:
    """Return which file a Loader shows at which time, by its inputs."""
    values: dict[str, Any] = loader.inputs
    initial = values["GlobalIn"] + values.get("HoldFirstFrame", 0)
    length = values["ClipTimeEnd"] - values["ClipTimeStart"]
    first = loader.disk.first + values["ClipTimeStart"]
    ends = initial + length + values.get("HoldLastFrame", 0)
    assert ends == values["GlobalOut"]
    times = range(values["GlobalIn"], values["GlobalOut"] + 1)
    return {time: first + min(max(time - initial, 0), length) for time in times}


def _shown(clip: LoaderClip) -> dict[int, int]:
    initial = clip.times.first + clip.hold_first
    length = clip.frames.last - clip.frames.first
    assert clip.times.last == initial + length + clip.hold_last
    return {
        time: clip.frames.first + min(max(time - initial, 0), length)
        for time in range(clip.times.first, clip.times.last + 1)
    }
