"""A job for CGRU's Afanasy, and the parser that reads a task's progress on its hosts."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gvm_nodes.farm import cgru
from gvm_nodes.farm.afanasy import job_file
from gvm_nodes.farm.job import FarmJob, HostNeeds
from tests.fakes.cgru import loaded
from tests.support.farm_jobs import PLAIN

JOB = replace(
    PLAIN,
    user="Ada",
    frames=(*range(1001, 1041), 1050, 1052, 1054),
    needs=HostNeeds(gpu_mib=12001, memory_mib=9000, cores=4, os_family="macos"),
    environment=(("OCIO", "/show/config.ocio"),),
    tags=("gpu", "fast"),
    limits=("gvm",),
    show="bbb",
)
RENDERED = replace(
    JOB,
    plate_command=("nuke", "-x", "-F", "{{Task.Param.Frame}}", "/comps/my comp.nk"),
    plate_frames=tuple(range(1001, 1053)),
)
AT_ONCE = replace(RENDERED, plate_command=("render", "all"))
PLAIN = replace(JOB, needs=HostNeeds(), environment=(), tags=(), limits=(), show="")

Json = dict[str, Any]

# What a field must be, and where Afanasy reads it: `afanasy/src/libafanasy`, CGRU 3.4.1.
BLOCK_FIELDS: dict[str, tuple[str, type]] = {
    **dict.fromkeys(
        ("name", "service", "parser", "working_directory", "command"),
        ("blockdata.cpp: BlockData::jsonRead, jr_string", str),
    ),
    **dict.fromkeys(("depend_mask", "need_properties"), ("the same, jr_regexp", str)),
    **dict.fromkeys(
        ("need_memory", "need_gpu_mem_mb", "need_cpu_cores", "task_max_run_time"),
        ("the same, jr_int32", int),
    ),
    **dict.fromkeys(("flags", "frames_per_task"), ("the same, jr_int64", int)),
    "environment": ("the same, jr_stringmap", dict),
    "tickets": ("the same, jr_intmap", dict),
    "tasks": ("blockdata.cpp: BlockData::jsonReadTasks", list),
}
JOB_FIELDS = {
    "name": ("node.cpp: Node::jsonRead", str),
    "user_name": ("job.cpp: Job::jsonRead, and isValid refuses none", str),
    "blocks": ("job.cpp: Job::jsonReadAndAppendBlocks", list),
    "folders": ("job.cpp: Job::jsonRead, jr_stringmap", dict),
    "branch": ("job.cpp: Job::jsonRead", str),
    "project": ("job.cpp: Job::jsonRead", str),
    "need_os": ("afwork.cpp: Work::jsonRead, jr_regexp", str),
}
TASK_FIELDS = {"name": ("taskdata.cpp", str), "command": ("taskdata.cpp", str)}
RULES: tuple[tuple[str, str, Callable[[Json], bool]], ...] = (
    ("somebody submits it", "job.cpp: Job::isValid", lambda job: bool(job["user_name"])),
    ("it has blocks", "job.cpp: Job::isValid", lambda job: bool(job["blocks"])),
    (
        "every block has tasks",
        "blockdata.cpp: BlockData::isValid",
        lambda job: all(block["tasks"] for block in job["blocks"]),
    ),
    (
        "every task has a command",
        "render/taskprocess.cpp: Zero command size",
        lambda job: all(run(block) for block in job["blocks"]),
    ),
)


def job_of(job: FarmJob) -> Json:
    """Return the job's object, as `afcmd json send` sends it."""
    document: Json = json.loads(job_file(job))
    assert list(document) == ["job"], "python/af.py: sendJob"
    found: Json = document["job"]
    return found


def blocks(job: FarmJob) -> dict[str, Json]:
    """Return a job's blocks by name."""
    return {block["name"]: block for block in job_of(job)["blocks"]}


def run(block: Json) -> list[list[str]]:
    """Return the words of each task, as `services/service.py` puts them together."""
    commands = []
    for task in block["tasks"]:
        own = task["command"]
        whole = block["command"]
        if own:
            whole = whole.replace("@#@", own) if "@#@" in whole else whole + own
        commands.append(shlex.split(whole))
    return commands


@pytest.mark.parametrize("job", [JOB, PLAIN, RENDERED, AT_ONCE])
def test_afanasy_takes_every_job(job: FarmJob):
    """Known fields of the right types, and what its check asks for."""
    found = job_of(job)
    parts = [(found, JOB_FIELDS)]
    parts += [(block, BLOCK_FIELDS) for block in found["blocks"]]
    parts += [(task, TASK_FIELDS) for block in found["blocks"] for task in block["tasks"]]
    for part, fields in parts:
        assert set(part) <= set(fields)
        assert all(type(value) is fields[name][1] for name, value in part.items())
    assert [words for words, _, kept in RULES if not kept(found)] == []


def test_each_task_is_the_worker_s_command_with_its_frames():
    """Gaps and steps as the option --openjd reads them; a server of its own."""
    tasks = run(blocks(JOB)["matte"])
    frames = [next(word for word in task if word.startswith("--frames=")) for task in tasks]
    assert frames == ["--frames=1001-1020", "--frames=1021-1040", "--frames=1050-1054:2"]
    for task in tasks:
        assert task[:3] == ["/opt/gvm/bin/gvm", "matte", "/jobs/my shot/plate.%04d.exr"]
        assert {"--own-server", "--openjd"} <= set(task)


def test_the_block_says_what_a_host_must_have():
    """Memory in MiB, time in seconds, tickets for limits, properties for tags."""
    block = blocks(JOB)["matte"]
    assert (block["service"], block["parser"]) == ("gvm", "gvm")
    assert (block["need_memory"], block["need_gpu_mem_mb"], block["need_cpu_cores"]) == (
        9000,
        12001,
        4,
    )
    assert block["task_max_run_time"] == 5400
    assert (block["tickets"], block["need_properties"]) == ({"gvm": 1}, "gpu|fast")
    assert job_of(JOB)["need_os"] == "macosx"
    assert not {name for name in blocks(PLAIN)["matte"] if name.startswith("need_")}


def test_a_plate_is_a_block_that_the_mattes_wait_for():
    """One task where its command names no frames; it asks for no GPU."""
    found = blocks(RENDERED)
    assert list(found) == ["plate", "matte"]
    assert found["matte"]["depend_mask"] == "^plate$"
    assert "need_gpu_mem_mb" not in found["plate"]
    assert run(found["plate"])[0] == ["nuke", "-x", "-F", "1001-1020", "/comps/my comp.nk"]
    assert run(blocks(AT_ONCE)["plate"]) == [["render", "all"]]


def test_the_parser_sets_the_task_s_percent_from_our_progress():
    """Whatever parts the output comes in; what is none of ours moves nothing."""
    said = (
        "openjd_status: Loading the gvm engine.\nopenjd_progress: 4.2\nopenjd_progress: 50.0\n"
        "no openjd_progress: 99\nopenjd_progress: soon\nopenjd_fail: It broke. Mend it.\n"
    )
    with loaded(Path(cgru.__file__).with_name("parser.py"), "parser") as module:
        for size in (1, 7, len(said)):
            parser = module.gvm()
            seen, told = [], set()
            for start in range(0, len(said), size):
                parser.parse({"data": said[start : start + size]})
                seen.append(parser.percent)
                told |= {parser.activity, parser.report}
            assert seen == sorted(seen)
            assert seen[-1] == 50
            assert {"Loading the gvm engine.", "It broke. Mend it."} <= told


def test_the_service_names_the_parser():
    """Both are classes of the file's name, as Afanasy looks for them."""
    with loaded(Path(cgru.__file__).with_name("service.py"), "service") as module:
        assert module.parser == "gvm"
        assert module.gvm
