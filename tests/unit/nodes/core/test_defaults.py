"""A studio's defaults of the knobs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gvm_client.errors import SettingsError
from gvm_nodes.blackmagic.alpha_spec import SCRIPT_OPTIONS
from gvm_nodes.core.defaults import VARIABLE, studio_defaults, with_preset
from gvm_nodes.core.settings import KNOBS, MatteOptions, as_options


@pytest.fixture
def site_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that a studio's environment names."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "gvm.json"))
    return tmp_path / "gvm.json"


def test_without_a_file_the_program_s_defaults_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And every knob may be changed."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    found = studio_defaults()
    assert (found.options, found.locked) == (MatteOptions(), frozenset())


def test_a_studio_sets_values_and_locks_knobs(site_file: Path) -> None:
    """A preset brings its numbers; a number beside it wins; the rest is the caller's."""
    values = {"preset": "low_memory", "size": 256, "colourspace": "acescg"}
    site_file.write_text(json.dumps({"defaults": values, "locked": ["colourspace"]}))
    found = studio_defaults(SCRIPT_OPTIONS)
    assert found.options.frames_per_window == 4
    assert (found.options.size, found.options.colourspace) == (256, "acescg")
    assert found.options.out == SCRIPT_OPTIONS.out
    assert found.locked == {"colourspace"}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"defaults": {"colour": "srgb"}}',
        '{"defaults": {"size": "big"}}',
        '{"locked": ["colour"]}',
        '{"defaults": {"preset": "best"}}',
    ],
)
def test_a_file_that_cannot_be_used_is_an_error_with_its_path(site_file: Path, text: str) -> None:
    """Nobody works with other defaults than the studio meant."""
    site_file.write_text(text)
    with pytest.raises(SettingsError, match=r"gvm\.json"):
        studio_defaults()


def test_a_file_that_is_named_and_not_there_is_an_error(site_file: Path) -> None:
    """The variable was meant."""
    with pytest.raises(SettingsError, match=r"gvm\.json"):
        studio_defaults()


def test_every_setting_has_one_knob() -> None:
    """The table and the values cannot fall apart."""
    names = [knob.name for knob in KNOBS]
    assert sorted(names) == sorted(MatteOptions.__dataclass_fields__)
    assert as_options({knob.name: knob.default for knob in KNOBS}) == MatteOptions()


def test_a_knob_s_value_of_another_kind_is_refused() -> None:
    """With the knob's label and what it takes."""
    with pytest.raises(SettingsError, match="Engine is 'best'; it must be one of"):
        as_options({"engine": "best"})
    with pytest.raises(SettingsError, match="Size is 'big'; it must be a whole number"):
        as_options({"size": "big"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("invert", "false"),
        ("keep_going", "off"),
        ("steps", 1.9),
        ("size", None),
        ("size", float("inf")),
        ("gamma", []),
        ("weights", 3),
    ],
)
def test_what_only_looks_like_a_value_is_refused(name: str, value: object) -> None:
    """The text "false" would be true, and 1.9 would be 1."""
    with pytest.raises(SettingsError, match=f"{value!r}".replace("[", r"\[")):
        as_options({name: value})


def test_no_preset_changes_what_the_studio_locked() -> None:
    """Its other numbers are set."""
    options = with_preset(MatteOptions(size=512), "fast_test", locked=["size"])
    assert (options.size, options.max_resolution) == (512, 720)
