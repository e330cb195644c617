"""What Nuke's command line renders, in every form that its guide documents."""

from __future__ import annotations

import pytest

from gvm_client.errors import SettingsError
from gvm_nodes.nuke.write_renders import read_command_line


@pytest.mark.parametrize(
    ("words", "frames"),
    [
        ("nuke -F 1-5x2 -x a.nk", (1, 3, 5)),
        ("nuke -F 1-3 -F 7 -F 10-14x2 -x a.nk", (1, 2, 3, 7, 10, 12, 14)),
        ("nuke -X Write1 -F -2--1 -F 7 a.nk", (-2, -1, 7)),
        ("nuke -m 8 -c 4G -x a.nk", ()),
        ("nuke -x a.nk 1,4", (1, 2, 3, 4)),
        ("nuke -x a.nk 1,9,4", (1, 5, 9)),
        ("nuke -X WriteBlur a.nk 2-4", (2, 3, 4)),
        ("nuke -x a.nk mychecker 1-3", (1, 2, 3)),
        ("nuke -x a.nk 7 mychecker", ()),
        ("nuke -x --gpu a.nk 1-10", tuple(range(1, 11))),
        ("nuke --gpu -x -F 1-3 a.nk", (1, 2, 3)),
        ("nuke -x --gpu 1 a.nk 4-5", (4, 5)),
        ("nuke -F1-5 -x a.nk", (1, 2, 3, 4, 5)),
        ("nuke -F-2--1 -F7 -x a.nk", (-2, -1, 7)),
    ],
)
def test_the_frames_are_those_of_f_or_the_ranges_at_the_end(
    words: str, frames: tuple[int, ...]
) -> None:
    """What follows the script is its own, but for ranges at the end."""
    assert read_command_line(words.split()).frames == frames


@pytest.mark.parametrize(
    ("words", "renders"),
    [
        ("nuke -x a.nk", True),
        ("nuke -xi a.nk", True),
        ("nuke -ix a.nk", True),
        ("nuke -V 2 -x a.nk", True),
        ("nuke -V -x a.nk", True),  # as older Nukes have it: without a level
        ("nuke -V a.nk", False),
        ("nuke -X Write1 a.nk", True),
        ("nuke a.nk", False),
        ("nuke -t script.py -x", False),
        ("nuke --gpu -x a.nk", True),
        ("nuke --gpu 0 a.nk", False),
        ("nuke --gpu 0", False),
        ("nuke -F1-5x2 a.nk", False),
        ("nuke --nukex a.nk", False),
        ("nuke -t script.py 1-5", False),
        ("nuke", False),
    ],
)
def test_whether_nuke_renders_a_script_and_ends(words: str, renders: bool) -> None:  # noqa: FBT001
    """Joined switches count; a script's own words do not."""
    assert read_command_line(words.split()).renders is renders


def test_writes_and_views_are_named_with_commas() -> None:
    """As Nuke takes them."""
    line = read_command_line(["nuke", "-X", "A,Group1.B", "--view", "left,right", "a.nk"])
    assert line.writes == {"A", "Group1.B"}
    assert line.views == ("left", "right")


def test_a_gpu_is_none_of_the_writes_and_takes_no_script_s_name() -> None:
    """Its index may be left out; taken for its value, the script would leave its range behind."""
    line = read_command_line(["nuke", "--gpu", "-X", "A", "a.nk", "1-2"])
    assert (line.writes, line.frames) == ({"A"}, (1, 2))


def test_a_range_that_is_none_is_an_error() -> None:
    """Nuke would not render it either."""
    with pytest.raises(SettingsError, match="abc"):
        read_command_line(["nuke", "-F", "abc", "-x", "a.nk"])
