"""One declaration: an engine that is added to a copy of it, with its module, is in every door."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvm_client.engines import EngineName, named_engines
from gvm_client.settings import ModelSettings
from gvm_server.matting.engines.machine import Machine
from gvm_server.matting.engines.registry import entry_of
from tests.support.tree import copy_source, run_in_copy

ADDED = '    FLAT_GREY = "flat_grey", "Flat Grey", "the same grey everywhere"\n'
MODULE = '''
"""Half of everything."""

from dataclasses import replace

from gvm_server.matting.engines import test
from gvm_server.matting.engines.base import EngineEntry


def _describe(model, machine):
    info = replace(test.info(), name="flat_grey", revision="flat-1", notes=())
    return replace(info, fit=lambda window, working: (window, "It fits."))


def _gpu_bytes(size, window, weights):
    return size[0] * size[1] << 10


ENTRY = EngineEntry(describe=_describe, limits=("It is grey.",), gpu_bytes=_gpu_bytes)
'''
DOORS = """
import argparse
from gvm_client.engines import EngineName
from gvm_client.errors import EngineError
from gvm_client.protocol.messages import FileOutput, FilePlate, Matte
from gvm_client.protocol.wire import decode, encode
from gvm_client.settings import ModelSettings
from gvm_nodes.core.settings import as_options, find_knob
from gvm_server.cli.farm.commands import plan_job
from gvm_server.cli.main import build_parser
from gvm_server.cli.matte import options
from gvm_server.cli.matte.original import translate
from gvm_server.cli.matte.request import request_from
from gvm_server.matting.engines.machine import Machine
from gvm_server.matting.engines.registry import LoadedEngine, entry_of, find_engine
from plugin_host import make_tables

GREY = EngineName("flat_grey")
commands = build_parser()
asked = commands.parse_args(["matte", "p.%04d.exr", "-o", "o", "--engine", "flat_grey"])
request = request_from(translate(asked))
assert request.engine is GREY
assert decode(encode(request, request="1")).message.engine is GREY
parser = argparse.ArgumentParser()
options.add_model(parser.add_argument_group("the model"))
help = " ".join(parser.format_help().split())
assert "--engine auto|gvm|preview|flat_grey" in help
assert "flat_grey (the same grey everywhere)" in help
assert find_knob("engine").choices[-1] == "flat_grey"
assert as_options({"engine": "flat_grey"}).engine == "flat_grey"
words = "farm submit-template /p/a.%04d.exr --out /o --dry-run --frames 1-2 --first 1 --last 2"
farm = [*words.split(), "--plate-step", "render", "--plate-size", "1024x512"]
job = plan_job(commands.parse_args([*farm, "--engine", "flat_grey"]))
assert "--engine=flat_grey" in job.words
assert job.needs.gpu_mib == 512
header = make_tables.headers()[make_tables.GENERATED / "messages.hpp"]
assert "enum class EngineName { kAuto, kGvm, kPreview, kTest, kFlatGrey };" in header
assert '"flat_grey"' in header
assert '"Flat Grey"' in header
info = find_engine("flat_grey", ModelSettings(), Machine())
assert info.fit(request.window, None) == (request.window, "It fits.")
loaded = LoadedEngine()
loaded.ready(info, print)
assert loaded.name == "flat_grey"
assert entry_of(GREY).limits == ("It is grey.",)
try:
    find_engine("magic", ModelSettings(), Machine())
except EngineError as error:
    assert "gvm, preview, flat_grey" in str(error)
else:
    raise AssertionError("it was found")
"""


def test_an_added_engine_is_in_every_door(tmp_path: Path):
    """Option, help, request, wire, panels, farm, C++, registry: two files are edited."""
    copy_source(tmp_path)
    declared = tmp_path / "nodes/gvm_client/engines.py"
    text = declared.read_text(encoding="utf-8")
    before = "\n\ndef named_engines"
    assert text.count(before) == 1
    declared.write_text(text.replace(before, ADDED + before), encoding="utf-8")
    module = tmp_path / "gvm_server/matting/engines/flat_grey.py"
    module.write_text(MODULE.lstrip(), encoding="utf-8")
    ran = run_in_copy(tmp_path, DOORS)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("engine", [*named_engines(), EngineName.TEST])
def test_every_engine_has_its_module(engine: EngineName, tmp_path: Path):
    """It describes itself under its own name, or says that its weights are not there."""
    describe = entry_of(engine).describe
    if engine is EngineName.GVM:
        with pytest.raises(Exception, match="weights are not in"):
            describe(ModelSettings(weights=str(tmp_path)), Machine())
    else:
        assert describe(ModelSettings(), Machine()).name == engine.value


def test_the_engines_that_an_artist_names_are_those_that_the_help_shows():
    """`auto` is no engine, and the test engine's mattes mean nothing."""
    assert named_engines()[:2] == (EngineName.GVM, EngineName.PREVIEW)
    assert not {EngineName.AUTO, EngineName.TEST} & set(named_engines())
    assert all(engine.help for engine in EngineName if engine is not EngineName.TEST)
