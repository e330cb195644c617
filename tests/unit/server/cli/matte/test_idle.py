"""Options that do nothing as they were given are said, each with what it lacks."""

from __future__ import annotations

import shlex

import pytest

from gvm_server.cli.main import build_parser
from gvm_server.cli.matte.idle import idle_options
from gvm_server.cli.matte.original import translate

COMMANDS = {
    "--strict-roi": "--roi 0,0,9,9",
    "--guide-feather 4": "--holdout core.png",
    "--movie-codec prores4444": "--movie matte.mov",
    "--comp-over checker": "--comp comp.mp4",
    "--png-bits 16": "--png png",
    "--despill green": "--channels fg",
    "--layers separate": "--channels matte.raw",
}


def said(line: str) -> list[str]:
    """Return what a command says of its idle options."""
    words = shlex.split(f"matte plate -o out {line}")
    return idle_options(translate(build_parser().parse_args(words)))


@pytest.mark.parametrize("option", COMMANDS)
def test_an_option_that_lacks_what_it_acts_on_is_said(option):
    """One sentence, that begins with the option; nothing where it has what it needs."""
    (says,) = said(option)
    assert says.startswith(option.split()[0])
    assert "does nothing" in says
    assert said(f"{option} {COMMANDS[option]}") == []


def test_a_plain_command_says_nothing():
    """Defaults wait for nobody; the original's words neither."""
    assert said("") == []
    assert said("--output_dir out --out out/plate") == []


def test_the_command_says_them():
    """Among its notes."""
    meant = translate(build_parser().parse_args(["matte", "plate", "-o", "out", "--strict-roi"]))
    assert meant.notes == ["--strict-roi does nothing: no region is set with --roi."]
