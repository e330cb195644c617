"""What a Nuke script says of its colours is what the server is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes import nuke
from tests.support.nuke_session import NukeNode, matte_node, node_request, read_plate, start


@pytest.fixture
def read(tmp_path: Path, runtime: Path) -> nuke.Node:
    """A Read of frames that need not exist, in a Nuke that has been started."""
    start(tmp_path)
    return read_plate(str(tmp_path / "a.%04d.exr"), 1001, 1020)


@pytest.mark.parametrize(
    ("knob", "value", "by_path", "space"),
    [
        ("colorspace", "default", True, "auto"),
        ("colorspace", "default (ACES - ACEScg)", True, "acescg"),
        ("colorspace", "sRGB", True, "srgb"),
        ("colorspace", "Utility/sRGB - Texture", True, "srgb"),
        ("colorspace", "linear", True, "scene_linear"),
        ("raw", True, True, "scene_linear"),
        ("colorspace", "ARRI LogC4", False, "scene_linear"),
        ("colorspace", "default (compositing_log)", False, "scene_linear"),
    ],
)
def test_what_the_read_says_of_its_colours_wins(
    read: nuke.Node, tmp_path: Path, knob: str, value: object, *, by_path: bool, space: str
) -> None:
    """The server reads the files as the Read does; where only Nuke can, the tree is written."""
    read[knob].setValue(value)
    node = NukeNode(matte_node(read))
    asked = node_request.node_request(node, ()).plate
    assert (asked.path == str(tmp_path / "a.%04d.exr")) is by_path
    assert (node.clip().written, asked.colourspace) == (not by_path, space)
    node.group["colourspace"].setValue("rec709")
    assert node_request.node_request(node, ()).plate.colourspace == "rec709"


def test_a_tree_is_written_in_the_script_s_working_space(read: nuke.Node) -> None:
    """A script in ACEScg gives ACEScg pixels, not linear Rec.709."""
    read["frame_mode"].setValue("offset")
    nuke.root()["workingSpaceLUT"].setValue("ACES - ACEScg")
    assert node_request.node_request(NukeNode(matte_node(read)), ()).plate.colourspace == "acescg"
