"""One declaration: a setting that is added to a copy of it is found in every door."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from gvm_client.declaration import option_of, setting, settings_of, values_in
from gvm_client.errors import SettingsError
from gvm_client.settings import Finish, MatteKnobs
from tests.support.tree import copy_source, run_in_copy

ADDED = """
    core_gain: float = setting(
        0.0, label="Core Gain", help="alpha added to the core", bounds=(0.0, 1.0)
    )
    rim: str = setting(
        "soft", label="Rim", help="how it ends", choices=("soft", "hard", "torn", "no")
    )
"""
DOORS = """
import argparse
from plugin_host import make_tables
from gvm_client.errors import SettingsError
from gvm_client.protocol.messages import FileOutput, FilePlate, Matte
from gvm_client.protocol.wire import decode, encode
from gvm_client.settings import MatteKnobs
from gvm_nodes.blackmagic.settings_form import BOUNDS
from gvm_nodes.core.settings import Page, as_options, find_knob, on_page
from gvm_server.cli.matte import options
from gvm_server.cli.farm.task_options import knob_words

parser = argparse.ArgumentParser()
options.add_knobs(parser.add_argument_group("the matte"))
assert parser.parse_args(["--core-gain", "0.5"]).core_gain == 0.5
assert "alpha added to the core (0)" in parser.format_help()
assert parser.parse_args(["--rim", "hard"]).rim == "hard"
knobs = MatteKnobs(core_gain=0.5, rim="torn")
assert {"--core-gain=0.5", "--rim=torn"} <= set(knob_words(knobs))
assert find_knob("rim").choices == ("soft", "hard", "torn", "no")
assert find_knob("rim") in on_page(Page.MATTE) and "rim" not in BOUNDS
assert find_knob("core_gain").label == "Core Gain"
assert find_knob("core_gain") in on_page(Page.MATTE)
assert BOUNDS["core_gain"] == (0.0, 1.0)
assert as_options({"core_gain": 0.5, "rim": "torn"}).levels == knobs
matte = Matte(job="a" * 32, plate=FilePlate(path="/p.exr"), output=FileOutput(path="/m"),
              knobs=knobs)
assert decode(encode(matte, request="1")).message.knobs == knobs
header = make_tables.headers()[make_tables.GENERATED / "settings.hpp"]
assert "double core_gain = 0.0;" in header
assert '{"core_gain", "matteCoreGain", "Core Gain", "Alpha added to the core.",' in header
assert 'std::string rim = "soft";' in header
assert '{"rim", "matteRim", "Rim", "How it ends.", &MatteKnobs::rim, false, 4,' in header
assert '{"soft", "hard", "torn", "no"},' in header and '{"Soft", "Hard", "Torn", "No"}}' in header
try:
    MatteKnobs(rim="round")
except SettingsError as error:
    assert "rim is 'round'; it must be one of soft, hard, torn, no" in str(error)
else:
    raise AssertionError("it was taken")
try:
    MatteKnobs(core_gain=2.0)
except SettingsError as error:
    assert "core_gain is 2.0; it must be from 0 to 1" in str(error)
else:
    raise AssertionError("it was taken")
"""


def test_an_added_knob_is_in_every_door(tmp_path: Path):
    """Option, farm's task, panels, dialogs, wire, bounds and C++: nothing else is edited."""
    copy_source(tmp_path)
    settings = tmp_path / "nodes/gvm_client/settings.py"
    text = settings.read_text(encoding="utf-8")
    last = ', help="1 becomes 0", lifts_zero=True)\n'
    assert text.count(last) == 1
    settings.write_text(text.replace(last, last + ADDED.lstrip("\n")), encoding="utf-8")
    ran = run_in_copy(tmp_path, DOORS)
    assert ran.returncode == 0, ran.stderr


def test_what_is_declared_is_what_there_is():
    """In order, with the field's own default and type."""
    names = [declared.name for declared in settings_of(MatteKnobs)]
    assert names == [field.name for field in fields(MatteKnobs)]
    reruns = {declared.name for declared in settings_of(MatteKnobs) if declared.reruns_model}
    assert reruns == {"exposure", "highlights"}
    assert values_in(MatteKnobs(), Finish) == {
        declared.name: declared.default for declared in settings_of(Finish)
    }
    assert option_of("max_resolution") == "--max-resolution"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 1.1])
def test_a_value_out_of_its_bounds_is_refused_with_both(value: float):
    """The name, the value and the bounds; a fraction at the bound is right."""

    @dataclass
    class Own:
        share: float = setting(0.5, label="Share", help="of the whole", bounds=(0.0, 1.0))

    (declared,) = settings_of(Own)
    declared.check(1.0)
    with pytest.raises(SettingsError, match=r"share is .*(finite number|from 0 to 1)"):
        declared.check(value)
