"""What an artist reads names what the panel has."""

from __future__ import annotations

import re

import pytest

from gvm_nodes.core import panel_words
from gvm_nodes.core.panel_words import in_panel_words
from gvm_server.cli.main import main


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("set its extent with --first and --last, or",
         "set its extent with the host's first and last frame of it, or"),
        ("stand in with --missing hold or --missing black.",
         "stand in with Missing Plate Frames hold or Missing Plate Frames black."),
        ("Name another with --input-colorspace if", "Name another with Input Colour Space if"),
        ("A smaller --frames-per-window, or --size.", "A smaller Frames per Window, or Size."),
        ("Use --engine preview.", "Use Engine preview."),
        ("Give a smaller --roi-scale or --roi.", "Give a smaller Region Scale or Region."),
        ("Name one of them with --layer.", "Name one of them with `gvm matte --layer`."),
        ("Take another --movie-codec", "Take another `gvm matte --movie-codec`"),
        ("Start the server without --gpu-steps.", "Start the server without --gpu-steps."),
        ("/plates/a--size-b/--sizes", "/plates/a--size-b/--sizes"),  # names of files
    ],
)  # fmt: skip
def test_options_are_named_as_the_knobs_that_they_are(said: str, shown: str) -> None:
    """One that is no knob is said to be the command's."""
    assert in_panel_words(said) == shown


def test_what_is_said_to_be_the_command_s_is_one_of_its_options(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Else an artist would be sent after what is nowhere."""
    with pytest.raises(SystemExit):
        main(["matte", "--help"])
    offered = re.findall(r"--[a-z-]+", capsys.readouterr().out)
    assert set(panel_words._COMMANDS_OWN) <= set(offered)
