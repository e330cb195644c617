"""An outline script gives a job that cuebot takes, whatever the user's names are."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gvm_client.errors import SettingsError
from gvm_client.frames import parse_frames
from gvm_nodes.farm.job import FarmJob, FarmPath, HostNeeds
from gvm_nodes.farm.opencue import conformed, outline
from tests.fakes.pyoutline import specification
from tests.support.cuebot import RULES, refusals
from tests.support.farm_jobs import PLAIN as JOB
from tests.support.receivers import run_receiver

FULL = replace(
    JOB,
    paths=(FarmPath(name="garbage", folder="/roto/my shot", file="g.%04d.exr"),),
    needs=HostNeeds(gpu_mib=12001, memory_mib=9000, cores=4, os_family="linux"),
    environment=(("OCIO", "/show/config.ocio"), ("SHOT", "a=<010>")),
    tags=("gpu-farm", "general"),
    limits=("gvm", "nuke"),
    show="bbb",
    shot="A-010 (v2)",
    plate_command=("nuke", "-x", "-F", "{{Task.Param.Frame}}", "/comps/comp.nk"),
    plate_frames=(*range(1001, 1053), *range(1060, 1070)),
)
ALL_AT_ONCE = replace(FULL, plate_command=("render", "all"))
JOBS = [
    JOB,
    FULL,
    ALL_AT_ONCE,
    replace(JOB, frames=(1001, 1003, 1005, 1020), chunk=2),
    *(replace(JOB, name=name) for name in ("x", "Aél--__ö", "über Shot #12", "...", "__a__")),
]


def layer(spec: ET.Element, name: str) -> ET.Element:
    """Return a layer by its name."""
    (found,) = [one for one in spec.iter("layer") if one.get("name") == name]
    return found


@pytest.mark.parametrize("job", JOBS)
def test_cuebot_takes_every_job(job: FarmJob):
    """No rule that it publishes is broken."""
    assert refusals(specification(outline(job))) == []


def test_a_broken_rule_is_seen():
    """The table itself: the names and fields that were refused before."""
    spec = specification(outline(replace(FULL, plate_command=())))
    assert refusals(spec) == []
    spec.find("job").set("name", "GVM matte plate")
    layer(spec, "matte").find("memory").text = "9.5g"
    layer(spec, "matte").find("tags").text = "a | gpu"
    assert len(refusals(spec)) == 3
    assert len({words for words, _, _ in RULES}) == len(RULES)


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("GVM matte plate", "gvm_matte_plate"),
        ("A-010 (v2)", "a_010_v2"),
        ("shot.v002", "shot.v002"),
        ("__x__", "gvm_x"),
        ("ö", "gvm"),
    ],
)
def test_names_are_conformed(name: str, taken: str):
    """The user's too: letters of ASCII, digits, `_` and `.`, three at least."""
    assert conformed(name) == taken


def test_the_layer_has_what_a_td_sets():
    """Limit of time, memory, cores, GPU, tags, limits, environment, output."""
    spec = specification(outline(FULL))
    assert (spec.findtext("show"), spec.findtext("shot")) == ("bbb", "a_010_v2")
    matte = layer(spec, "matte")
    assert {one.tag: one.text for one in matte if one.text} == {
        "cmd": matte.findtext("cmd"),
        "range": "1001-1050",
        "chunk": "20",
        "cores": "4.0",
        "threadable": "True",
        "memory": "9000m",
        "gpus": "1",
        "gpu_memory": "12001m",
        "timeout": "5400",
        "tags": "gpu-farm | general",
    }
    assert [one.text for one in matte.iter("limit")] == ["gvm", "nuke"]
    assert {one.get("name"): one.text for one in matte.iter("key")} == dict(FULL.environment)
    assert [one.text for one in matte.iter("output")] == ["/jobs/matte"]


def test_the_command_is_the_worker_s_with_a_server_of_its_own():
    """Blanks in names are kept; cuebot's word for a chunk's frames is in our syntax."""
    command = layer(specification(outline(FULL)), "matte").findtext("cmd")
    words = shlex.split(command.replace("#FRAMESPEC#", "1001-1009x2,1020"))
    assert words[:3] == ["/opt/gvm/bin/gvm", "matte", "/jobs/my shot/plate.%04d.exr"]
    assert "--own-server" in words
    assert "--garbage=/roto/my shot/g.%04d.exr" in words
    assert "--frames=1001-1009x2,1020" in words
    assert parse_frames("1001-1009x2,1020") == (1001, 1003, 1005, 1007, 1009, 1020)


def test_a_plate_is_a_layer_that_the_mattes_wait_for():
    """It asks for no GPU; one that names no frames is one task."""
    spec = specification(outline(FULL))
    plate = layer(spec, "plate")
    assert plate.findtext("range") == "1001-1069"
    assert plate.find("gpus") is plate.find("memory") is None
    assert shlex.split(plate.findtext("cmd"))[:4] == ["nuke", "-x", "-F", "#FRAMESPEC#"]
    (depend,) = spec.iter("depend")
    assert (depend.findtext("deplayer"), depend.findtext("onlayer")) == ("matte", "plate")
    assert layer(specification(outline(ALL_AT_ONCE)), "plate").findtext("range") == "1001"


@pytest.mark.parametrize(
    "change",
    [
        {"show": "a b"},
        {"tags": ("ab",)},
        {"tags": ("gpu farm",)},
        {"gvm": "gvm"},
        {"gvm": "bin/gvm"},
        {"frames": (-1, 0, 1), "first": -1},
        {"frames": tuple(range(1, 100_002)), "chunk": 1},
        {"needs": HostNeeds(gpu_mib=200_000)},
    ],
)
def test_what_cannot_be_conformed_is_refused_with_the_value(change):
    """Before it is sent; another show or tag than the one that was meant is none."""
    with pytest.raises(SettingsError):
        outline(replace(FULL, **change))


@pytest.mark.parametrize("job", JOBS)
def test_pyoutline_itself_writes_what_the_fake_writes(job: FarmJob, tmp_path: Path):
    """Job and dependencies, element by element."""
    script = tmp_path / "outline.py"
    script.write_text(outline(job))
    real = ET.fromstring(run_receiver("outline", "outline_spec.py", script))
    fake = specification(outline(job))
    assert refusals(real) == []
    for part in ("job/layers", "depends", "show", "shot"):
        assert ET.canonicalize(ET.tostring(real.find(part), "unicode")) == ET.canonicalize(
            ET.tostring(fake.find(part), "unicode")
        )
