"""The OpenFX tool and Loaders of finished alphas in Fusion."""

from __future__ import annotations

import pytest

from gvm_client.errors import ErrorCode, InputError, JobFailed, ServerError
from gvm_client.settings import Priority
from gvm_nodes.alphas import SCRIPT_WISHES, Recipe
from gvm_nodes.fusion.loaders import OPENFX_TOOL, load_alphas, place_tool
from gvm_nodes.fusion.script import main
from tests.fakes.fusion import Composition


class Maker:
    """Notes what is to be made."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str]] = []

    def __call__(self, recipe: Recipe, frames: str, priority: Priority) -> None:
        self.made.append((recipe.plate, frames))


def test_the_openfx_tool_is_placed_as_one_step_of_undo():
    """And the composition is left unlocked."""
    comp = Composition(0, 99)
    place_tool(comp)
    assert [tool.kind for tool in comp.tools] == [OPENFX_TOOL]
    assert (comp.steps, comp.locks) == (["Add GVM Matte"], 0)


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
    comp, make = Composition(25, 30), Maker()
    comp.select_loader("/p/a.1001.exr", 1001, 100, start=20, trim=10)
    (loader,) = load_alphas(comp, SCRIPT_WISHES, make)
    assert make.made == [("/p/a.####.exr", "1016-1021")]
    assert loader.inputs == {
        "Clip": "/p/gvm/a_v001/a_alpha.1016.exr",
        "ClipTimeStart": 0,
        "ClipTimeEnd": 5,
        "GlobalIn": 25,
        "GlobalOut": 30,
    }


def test_a_movie_s_alphas_count_from_one():
    """As the server counts its frames."""
    comp, make = Composition(0, 9), Maker()
    comp.select_loader("/p/a7.mov", 0, 50, start=0)
    load_alphas(comp, SCRIPT_WISHES, make)
    assert make.made == [("/p/a7.mov", "1-10")]


def test_asking_again_uses_the_loader_that_is_there():
    """With the new range, counted from the first file that the folder holds now."""
    comp, make = Composition(0, 4), Maker()
    comp.select_loader("/p/a.1001.exr", 1001, 100, start=0)
    (first,) = load_alphas(comp, SCRIPT_WISHES, make)
    comp.attributes |= {"COMPN_RenderStart": 10.0, "COMPN_RenderEnd": 14.0}
    comp.on_disk["/p/gvm/a_v001"] = 1001
    (second,) = load_alphas(comp, SCRIPT_WISHES, make)
    assert second is first
    assert (second.inputs["ClipTimeStart"], second.inputs["ClipTimeEnd"]) == (10, 14)
    assert [frames for _, frames in make.made] == ["1001-1005", "1011-1015"]


def test_a_failed_matte_adds_no_loader():
    """And leaves no step of undo."""

    def fail(recipe: Recipe, frames: str, priority: Priority) -> None:
        raise JobFailed("Out of memory.", code=ErrorCode.OUT_OF_MEMORY)

    comp = Composition(0, 4)
    comp.select_loader("/p/a.1001.exr", 1001, 100, start=0)
    with pytest.raises(JobFailed):
        load_alphas(comp, SCRIPT_WISHES, fail)
    assert (len(comp.tools), comp.steps, comp.locks) == (1, [], 0)


def test_a_loader_outside_of_the_render_range_is_refused():
    """By the frames that it plays at."""
    comp = Composition(500, 600)
    comp.select_loader("/p/a.1001.exr", 1001, 100, start=0)
    with pytest.raises(InputError, match="plays at 0-99"):
        load_alphas(comp, SCRIPT_WISHES, Maker())


def test_a_loader_without_a_clip_is_refused():
    """As a new one has none."""
    comp = Composition(0, 9)
    comp.select_loader("", 0, 1, start=0)
    with pytest.raises(InputError, match="no clip"):
        load_alphas(comp, SCRIPT_WISHES, Maker())


def test_the_script_says_what_is_wrong():
    """One sentence with the remedy, and a code."""
    said: list[str] = []
    assert main(["alphas"], said.append, Composition(0, 9)) == 1
    assert said[0].startswith("GVM: No Loader is selected. Select")


def test_the_script_places_the_tool():
    """Without a word."""
    said: list[str] = []
    comp = Composition(0, 9)
    assert main(["tool"], said.append, comp) == 0
    assert (len(comp.tools), said) == (1, [])
