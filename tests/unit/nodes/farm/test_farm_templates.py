"""A job's texts: OpenJD templates and Deadline job files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openjd.model import decode_job_template, preprocess_job_parameters

from gvm_client.errors import SettingsError
from gvm_nodes.farm import deadline, openjd
from gvm_nodes.farm.job import FarmJob, FarmPath, HostNeeds, PlateInput
from tests.support.farm_jobs import PLAIN

JOB = replace(
    PLAIN,
    name="GVM matte shot",
    gvm="gvm",
    needs=HostNeeds(gpu_mib=12000, memory_mib=9000, os_family="linux"),
)
RENDERED = replace(
    JOB,
    plate_command=("nuke", "-x", "-F", "{{Task.Param.Frame}}", "/comps/comp.nk"),
    plate_frames=tuple(range(1001, 1053)),
    plate_inputs=(PlateInput(path="/comps/comp.nk"),),
)
GUIDED = replace(
    JOB,
    paths=(
        FarmPath(name="garbage", folder="/roto/my shot", file="g.%04d.exr"),
        FarmPath(name="holdout", folder="/roto", file="core.mov"),
    ),
)


def actions(template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every action of a template."""
    for step in template["steps"]:
        for script in (step, *step.get("stepEnvironments", [])):
            yield from script["script"]["actions"].values()


def steps(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the steps by name."""
    return {step["name"]: step for step in template["steps"]}


@pytest.mark.parametrize(
    "job",
    [
        JOB,
        RENDERED,
        GUIDED,
        replace(JOB, needs=HostNeeds(), frames=(1, 3, 5, 9), first=1),
        replace(JOB, frames=tuple(range(-9, -2)), first=-9),
        replace(RENDERED, plate_command=("render", "all")),
    ],
)
def test_the_specification_s_own_model_takes_every_template(job: FarmJob):
    """With the one extension that the template names."""
    taken = decode_job_template(
        template=openjd.template(job), supported_extensions=["TASK_CHUNKING"]
    )
    assert [step.name for step in taken.steps][-1] == "Matte"


@pytest.mark.parametrize("job", [JOB, RENDERED])
def test_every_action_has_a_limit_and_is_told_before_it_is_ended(job: FarmJob):
    """Without one, an action that hangs holds a host for ever."""
    found = list(actions(openjd.template(job)))
    assert len(found) == (4 if job.plate_command else 3)
    for action in found:
        assert action["timeout"] > 0
        assert action["cancelation"]["mode"] == "NOTIFY_THEN_TERMINATE"
        assert 0 < action["cancelation"]["notifyPeriodInSeconds"] <= 600


def test_a_host_must_have_what_the_job_needs():
    """One GPU with the predicted memory, memory, the system; nothing at all where any will do."""
    found = steps(openjd.template(replace(JOB, needs=replace(JOB.needs, cores=8))))
    needed = found["Matte"]["hostRequirements"]
    assert {need["name"]: need["min"] for need in needed["amounts"]} == {
        "amount.worker.vcpu": 8,
        "amount.worker.memory": 9000,
        "amount.worker.gpu": 1,
        "amount.worker.gpu.memory": 12000,
    }
    assert needed["attributes"] == [{"name": "attr.worker.os.family", "anyOf": ["linux"]}]
    plain = steps(openjd.template(replace(JOB, needs=HostNeeds())))["Matte"]
    assert "hostRequirements" not in plain


def test_a_plate_that_is_rendered_first_is_a_step_without_a_gpu():
    """It renders what the windows see, in chunks without gaps; the mattes wait for it."""
    found = steps(openjd.template(RENDERED))
    assert list(found) == ["Plate", "Matte"]
    assert found["Matte"]["dependencies"] == [{"dependsOn": "Plate"}]
    assert list(found["Plate"]["hostRequirements"]) == ["attributes"]
    (frame,) = found["Plate"]["parameterSpace"]["taskParameterDefinitions"]
    assert (frame["range"], frame["chunks"]["rangeConstraint"]) == ("1001-1052", "CONTIGUOUS")
    run = found["Plate"]["script"]["actions"]["onRun"]
    assert (run["command"], run["args"][-1]) == ("nuke", "{{Param.PlateInput1}}")
    assert openjd.parameter_values(RENDERED)["PlateInput1"] == "/comps/comp.nk"


@pytest.mark.parametrize(
    ("word", "mapped"),
    [
        ("--script=/comps/comp.nk", "--script={{Param.PlateInput1}}"),
        ("/jobs/my shot/plate.%04d.exr", "{{Param.PlateFolder}}/plate.%04d.exr"),
        ("--out=/jobs/my shot", "--out={{Param.PlateFolder}}"),
        ("/jobs/my shots/other.nk", "/jobs/my shots/other.nk"),
        ("/comps/comp.nk2", "/comps/comp.nk2"),
    ],
)
def test_paths_of_the_plate_s_command_are_by_parameters(word: str, mapped: str):
    """Whole names only: a path that begins alike is another."""
    job = replace(RENDERED, plate_command=("nuke", word))
    plate = steps(openjd.template(job))["Plate"]
    assert plate["script"]["actions"]["onRun"]["args"] == [mapped]


def test_variables_are_the_environment_s_of_each_step():
    """Before the server starts, which is what reads them."""
    found = steps(openjd.template(replace(RENDERED, environment=(("OCIO", "/show.ocio"),))))
    for step in found.values():
        (environment,) = step["stepEnvironments"]
        assert environment["variables"] == {"OCIO": "/show.ocio"}
    decode_job_template(
        template=openjd.template(
            replace(RENDERED, environment=(("OCIO", "/show.ocio"), ("EMPTY", "")))
        ),
        supported_extensions=["TASK_CHUNKING"],
    )


def test_a_plate_command_that_names_no_frame_is_one_task():
    """A host that renders the whole plate in one go is started once."""
    job = replace(RENDERED, plate_command=("render", "all"))
    assert "parameterSpace" not in steps(openjd.template(job))["Plate"]


def test_no_folder_stands_in_the_steps():
    """Folders are parameters, for a farm may map them or carry their files."""
    template = openjd.template(JOB)
    words = steps(template)["Matte"]["script"]["actions"]["onRun"]["args"]
    assert words[1] == "{{Param.PlateFolder}}/plate.%04d.exr"
    assert not [word for word in words if "/jobs" in word]
    assert openjd.parameter_values(JOB) == {
        "PlateFolder": "/jobs/my shot",
        "MatteFolder": "/jobs/matte",
    }


def test_guides_are_folders_that_a_farm_may_map():
    """A parameter of type PATH for each that there is; none where there is none."""
    template = openjd.template(GUIDED)
    words = steps(template)["Matte"]["script"]["actions"]["onRun"]["args"]
    assert "--garbage={{Param.GarbageFolder}}/g.%04d.exr" in words
    assert "--holdout={{Param.HoldoutFolder}}/core.mov" in words
    assert not [word for word in words if "/roto" in word]
    kinds = {
        one["name"]: (one["type"], one.get("dataFlow")) for one in template["parameterDefinitions"]
    }
    assert kinds["GarbageFolder"] == kinds["HoldoutFolder"] == ("PATH", "IN")
    values = openjd.parameter_values(GUIDED)
    assert (values["GarbageFolder"], values["HoldoutFolder"]) == ("/roto/my shot", "/roto")
    assert "GarbageFolder" not in {
        one["name"] for one in openjd.template(JOB)["parameterDefinitions"]
    }


def test_deadline_gets_guides_as_words():
    """Each one word, blanks and all."""
    assert "<QUOTE>--garbage=/roto/my shot/g.%04d.exr<QUOTE>" in deadline.plugin_info(GUIDED)
    assert "--holdout=/roto/core.mov" in deadline.plugin_info(GUIDED)


@pytest.mark.parametrize(
    "change",
    [
        {"paths": (FarmPath(name="garbage", folder="/a{{b", file="g.exr"),)},
        {"name": ""},
        {"name": "n" * 129},
        {"chunk": 0},
        {"minutes": 0},
        {"plate_name": "{{Param.X}}.%04d.exr"},
        {"matte_folder": "/jobs/two\nlines"},
        {"gvm": "g" * 1025},
        {"environment": (("1A", "x"),)},
        {"tags": ("gpu,fast",)},
        {"limits": ("",)},
        {"environment": (("A", "{{x"),)},
        {"plate_inputs": (PlateInput(path="/a\nb"),)},
        {"frames": tuple(number * number for number in range(40, 300))},
    ],
)
def test_what_a_farm_would_refuse_is_refused_here(change: dict[str, Any]):
    """With the value in the sentence, before anything is written."""
    with pytest.raises(SettingsError):
        replace(JOB, **change)


def test_deadline_gets_the_command_line_plugin_s_two_files():
    """Words with a blank are quoted by the plugin's own word; no shell comes between."""
    info = dict(line.split("=", 1) for line in deadline.job_info(JOB).splitlines())
    assert (info["Plugin"], info["Frames"], info["ChunkSize"]) == ("CommandLine", "1001-1050", "20")
    plugin = dict(line.split("=", 1) for line in deadline.plugin_info(JOB).splitlines())
    assert plugin["Executable"] == "gvm"
    assert plugin["ShellExecute"] == "False"
    words = plugin["Arguments"].split(" --")
    assert words[0] == "matte <QUOTE>/jobs/my shot/plate.%04d.exr<QUOTE>"
    assert "frames=<STARTFRAME>-<ENDFRAME>" in words
    assert "--openjd" not in plugin["Arguments"]


def test_deadline_s_task_has_a_server_of_its_own_its_limits_and_variables():
    """The worker counts and ends what a task's processes are."""
    job = replace(JOB, limits=("gvm", "gpu"), environment=(("OCIO", "/show.ocio"), ("A", "b=c")))
    assert " --own-server " in deadline.plugin_info(job)
    info = deadline.job_info(job).splitlines()
    assert "LimitGroups=gvm,gpu" in info
    assert {"EnvironmentKeyValue0=OCIO=/show.ocio", "EnvironmentKeyValue1=A=b=c"} <= set(info)


def test_a_name_that_deadline_cannot_quote_is_refused():
    """The plugin has no word for a quotation mark in a word."""
    with pytest.raises(SettingsError, match="quot"):
        deadline.plugin_info(replace(JOB, plate_name='a"b.%04d.exr'))


def test_deadline_s_frames_with_gaps_go_one_a_task():
    """A task there knows its first and last frame only, and would make those between."""
    info = deadline.job_info(replace(JOB, frames=(1, 3, 5, 7), first=1))
    assert "Frames=1-7x2\n" in info
    assert "ChunkSize=1\n" in info


@pytest.mark.parametrize("name", ["PlateFolder", "MatteFolder", "GarbageFolder", "Frames", "Gvm"])
def test_an_empty_parameter_is_refused_where_the_job_is_submitted(name: str, tmp_path: Path):
    """An empty plate folder was the root, an empty `Gvm` a task that cannot be run."""
    taken = decode_job_template(
        template=openjd.template(GUIDED), supported_extensions=["TASK_CHUNKING"]
    )
    with pytest.raises(ValueError, match=name):
        preprocess_job_parameters(
            job_template=taken,
            job_parameter_values={**openjd.parameter_values(GUIDED), name: ""},
            job_template_dir=tmp_path,
            current_working_dir=tmp_path,
        )
