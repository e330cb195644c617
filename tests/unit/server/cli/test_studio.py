"""The nodes' studio defaults on the command line: what is not given, what is locked."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from gvm_client.process import Exit
from gvm_server.cli import main as command_line
from gvm_server.cli.main import main

Parsed = Callable[..., dict[str, Any]]


@pytest.fixture
def studio(tmp_path, monkeypatch) -> Callable[..., None]:
    """Write the studio's file."""

    def write(defaults: dict[str, object], *locked: str) -> None:
        path = tmp_path / "node_defaults.json"
        path.write_text(json.dumps({"defaults": defaults, "locked": locked}))
        monkeypatch.setenv("GVM_NODE_DEFAULTS", str(path))

    return write


@pytest.fixture
def parsed(monkeypatch) -> Parsed:
    """Return what a command is called with."""
    seen: list[dict[str, Any]] = []

    def function(_: str) -> Callable[[Any], int]:
        def run(namespace: Any) -> int:
            seen.append(vars(namespace))
            return 0

        return run

    monkeypatch.setattr(command_line, "load_function", function)

    def call(*words: str) -> dict[str, Any]:
        assert main(words) == Exit.DONE
        return seen[-1]

    return call


MATTE = ("matte", "plate.%04d.exr", "-o", "out")
FARM = ("farm", "validate", "plate.%04d.exr", "--out", "out")


@pytest.mark.parametrize("words", [MATTE, FARM], ids=["matte", "farm"])
def test_what_is_not_given_is_the_studio_s(studio, parsed, words):
    """Under the command line's own names; what is given wins."""
    studio(
        {
            "colourspace": "acescg",
            "depth": "float",
            "grow": -1.5,
            "missing_frames": "hold",
            "engine": "preview",
            "size": 512,
            "out": "{dir}/mattes",
            "range": "custom",
        }
    )
    found = parsed(*words)
    assert found["input_colorspace"] == "acescg"
    assert (found["depth"], found["grow"], found["missing"]) == ("float", -1.5, "hold")
    assert (found["engine"], found["size"], found["overlap"]) == ("preview", 512, None)
    assert (found["out"], found["frames"]) == ("out", "")
    found = parsed(*words, "--depth", "half", "--size", "600", "--input-colorspace", "srgb")
    assert (found["depth"], found["size"], found["input_colorspace"]) == ("half", 600, "srgb")


def test_an_ocio_name_wins_as_in_the_node(studio, parsed):
    """Where the studio sets both."""
    studio({"colourspace": "acescg", "ocio_colourspace": "ARRI LogC4"})
    assert parsed(*MATTE)["input_colorspace"] == "ARRI LogC4"


def test_another_preset_has_its_own_numbers(studio, parsed):
    """The studio's stand beside the studio's preset, and where they are locked."""
    studio({"preset": "balanced", "size": 512, "steps": 2}, "steps")
    found = parsed(*MATTE)
    assert (found["preset"], found["size"], found["steps"]) == ("balanced", 512, 2)
    found = parsed(*MATTE, "--preset", "fast_test")
    assert (found["preset"], found["size"], found["steps"]) == ("fast_test", None, 2)


def test_what_is_locked_cannot_be_given_another_value(studio, parsed, capsys):
    """With the value that it is locked to; the same value does no harm."""
    studio({"colourspace": "acescg", "blur": 0.5}, "colourspace", "blur", "refine")
    assert parsed(*MATTE, "--blur", "0.5")["input_colorspace"] == "acescg"
    assert main([*MATTE, "--input-colorspace", "srgb"]) == Exit.USAGE
    said = capsys.readouterr().err
    assert "The studio has locked --input-colorspace to acescg; srgb was given." in said
    assert main([*MATTE, "--refine", "none"]) == Exit.USAGE
    assert main([*FARM, "--blur", "1"]) == Exit.USAGE


def test_a_farm_s_task_takes_nothing_from_the_machine_that_it_runs_on(studio, parsed):
    """Its words were pinned where it was submitted."""
    studio({"grow": 3.0}, "grow")
    for word in ("--openjd", "--own-server"):
        assert parsed(*MATTE, word)["grow"] == 0.0


def test_other_commands_do_not_read_the_file(studio, parsed, monkeypatch, tmp_path):
    """A file that cannot be used is an error of those that matte, with its path."""
    monkeypatch.setenv("GVM_NODE_DEFAULTS", str(tmp_path / "nothing.json"))
    parsed("status")
    assert main(list(MATTE)) == Exit.USAGE


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be used: No such file or directory.\n"),
        (
            '{"comercial_only": true}',
            "comercial_only is none of commercial_only, defaults, locked.",
        ),
        ('{"defaults": {"nosuch": 1}}', "cannot be used: There is no knob 'nosuch'.\n"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(monkeypatch, tmp_path, capsys, text, says):
    """In one sentence; a demand that is misspelt demands nothing, and is no word passed over."""
    file = tmp_path / "studio.json"
    if text:
        file.write_text(text)
    monkeypatch.setenv("GVM_NODE_DEFAULTS", str(file))
    assert main(list(MATTE)) == Exit.USAGE
    said = capsys.readouterr().err
    assert says in said
    assert said.count(str(file)) == 1


def test_without_a_file_nothing_changes(parsed, monkeypatch, tmp_path):
    """The program's own defaults."""
    monkeypatch.delenv("GVM_NODE_DEFAULTS", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    found = parsed(*MATTE)
    assert (found["preset"], found["size"], found["grow"]) == ("default", None, 0.0)
