"""The Natron group and the mattes that a render makes."""

from __future__ import annotations

import pytest

from gvm_client.errors import ErrorCode, InputError, JobFailed
from gvm_client.settings import Priority
from gvm_nodes.alphas import Recipe
from gvm_nodes.natron.callbacks import Mattes, changed
from gvm_nodes.natron.group import PLUGIN_ID, READ_NAME, create
from tests.fakes.natron import App, Node

ALPHAS = "/p/gvm/a_v001/a_alpha.%04d.exr"


class Scene:
    """A Read of forty frames from 1001, a group on it, and a Write; `made` is what was asked."""

    def __init__(self) -> None:
        self.app = App()
        self.plate = self.app.createNode("fr.inria.built-in.Read")
        self.plate.params["filename"].set("/p/a.####.exr")
        self.plate.params["lastFrame"].set(1040)
        self.group = self.app.createNode(PLUGIN_ID)
        create(self.app, self.group)
        self.group.connectInput(0, self.plate)
        self.write = self.app.createNode("fr.inria.built-in.Write")
        self.write.params["beforeRender"].set("GVMMatteFiles.before_render")
        self.write.params["beforeFrameRender"].set("GVMMatteFiles.before_frame")
        self.made: list[str] = []
        self.fails = False
        self._mattes = Mattes(self._make)

    def render(self, first: int, last: int) -> list[int]:
        """Render as NatronRenderer does."""
        module = {
            "before_render": lambda frame, node, app: self._mattes.before_render(),
            "before_frame": lambda frame, node, app: self._mattes.before_frame(frame, app),
        }
        return self.app.render(self.write, range(first, last + 1), {"GVMMatteFiles": module})

    def _make(self, recipe: Recipe, frames: str, priority: Priority) -> None:
        if self.fails:
            raise JobFailed("Out of memory.", code=ErrorCode.OUT_OF_MEMORY)
        assert priority is Priority.BATCH
        self.made.append(frames)


def alphas(group: Node) -> str:
    """Return what the Read inside a group reads."""
    return group.getNode(READ_NAME).params["filename"].get()


def test_the_group_copies_the_alpha_alone():
    """The plate's colours pass; nothing of it is animated."""
    scene = Scene()
    (merge,) = [node for node in scene.group.nodes if node.plugin.endswith("MergePlugin")]
    assert [merge.params[f"NatronOfxParamProcess{one}"].get() for one in "RGBA"] == [0, 0, 0, 1]
    assert not scene.group.params["gvmPreset"].animates


def test_a_change_names_the_alphas_and_makes_nothing():
    """Another version reads other files; without a plate nothing changes."""
    scene = Scene()
    changed(scene.group)
    assert alphas(scene.group) == ALPHAS
    scene.group.params["gvmVersion"].set(2)
    changed(scene.group)
    assert alphas(scene.group) == ALPHAS.replace("v001", "v002")
    scene.group.inputs.clear()
    changed(scene.group)
    assert scene.made == []


def test_a_render_of_any_range_makes_its_mattes_first_in_blocks_inside_the_plate():
    """No frame twice, none after the plate's last."""
    scene = Scene()
    assert scene.render(1020, 1040) == list(range(1020, 1041))
    assert scene.made == ["1020-1035", "1036-1040"]
    assert alphas(scene.group) == ALPHAS


def test_another_render_looks_at_the_plate_again():
    """It may have changed since."""
    scene = Scene()
    scene.render(1040, 1040)
    scene.render(1040, 1040)
    assert scene.made == ["1040-1040", "1040-1040"]


def test_a_failed_matte_ends_the_render():
    """As any exception in Natron's callback does."""
    scene = Scene()
    scene.fails = True
    with pytest.raises(JobFailed):
        scene.render(1001, 1002)


def test_a_disabled_group_is_passed_over():
    """Nothing of it is seen."""
    scene = Scene()
    scene.group.params["disableNode"].set(True)
    scene.render(1001, 1001)
    assert scene.made == []


def test_a_group_without_a_read_ends_the_render_with_a_remedy():
    """Other trees are the OpenFX node's."""
    scene = Scene()
    scene.plate.plugin = "net.sf.openfx.ColorBars"
    with pytest.raises(InputError) as caught:
        scene.render(1001, 1001)
    assert "OpenFX" in caught.value.remedy
