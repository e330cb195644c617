"""The hosts' names of colour spaces."""

from __future__ import annotations

import pytest

from gvm_nodes.spaces import our_name, read_space


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
    assert read_space(chosen) == ours


def test_raw_pixels_are_the_working_space_s() -> None:
    """Whatever the colour-space knob says beside it."""
    assert read_space("sRGB", raw=True) == "scene_linear"
    assert our_name(" aces/ACES - ACEScg ") == "acescg"
