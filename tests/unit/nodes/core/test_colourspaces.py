"""The hosts' names of colour spaces."""

from __future__ import annotations

import pytest

from gvm_nodes.core.clips import read_colourspace, server_colourspace


@pytest.mark.parametrize(
    ("chosen", "ours"),
    [
        ("default", "auto"),
        ("Default (sRGB)", "srgb"),
        ("default ()", "auto"),
        ("", "auto"),
        ("scene_linear", "scene_linear"),
        ("Cineon", "cineon"),
        ("AlexaV3LogC", None),
        ("default (AlexaV3LogC)", None),
    ],
)
def test_a_read_names_one_of_ours_the_file_or_nothing_that_is_sure(
    chosen: str, ours: str | None
) -> None:
    """`default (name)` is that name; a name that is not known is never guessed at."""
    assert read_colourspace(chosen) == ours


def test_raw_pixels_are_the_working_space_s() -> None:
    """Whatever the colour-space knob says beside it."""
    assert read_colourspace("sRGB", raw=True) == "scene_linear"
    assert server_colourspace(" aces/ACES - ACEScg ") == "acescg"
