"""A job as an Open Job Description template (specification 2023-09, extension TASK_CHUNKING).

A chunk's edges are the farm's choice; they are never window edges, so no choice changes a matte.
Every action has a time limit, and is told before it is ended. The template names no path: where
plate, mattes, guides, weights and the files of a plate's step are is a parameter, which a farm may
map. The matte step's server belongs to one worker session: its environment starts and ends it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gvm_nodes.farm.job import FRAMES_WORD, FarmJob, FarmPath, HostNeeds, PlateInput, joined

Template = dict[str, Any]  # JSON's own words

START_SECONDS = 600  # a start that hangs must not hold a host for ever
STOP_SECONDS = 180  # a long window is given up between its steps; then the server is killed
TASK_NOTICE_SECONDS = 120
NOTICE_SECONDS = 30

_PLATE, _MATTES = "PlateFolder", "MatteFolder"
_NOT_EMPTY = {"minLength": 1}  # "" as a folder would be the root: refused where it is submitted


def template(job: FarmJob, *, listed: bool = False) -> Template:
    """Return the job template, to be written as JSON or YAML.

    Args:
        job: what is asked for.
        listed: whether the files that it reads are listed beside it, so that no folder has to be
            carried whole.
    """
    return {
        "specificationVersion": "jobtemplate-2023-09",
        "extensions": ["TASK_CHUNKING"],
        "name": job.name,
        "parameterDefinitions": _parameters(job, "NONE" if listed else "IN"),
        "steps": [*_plate_steps(job), _matte_step(job)],
    }


def parameter_values(job: FarmJob) -> dict[str, str]:
    """Return the values of the parameters that have no default: the paths."""
    return {
        _PLATE: job.plate_folder,
        _MATTES: job.matte_folder,
        **{_folder_of(path): path.folder for path in job.paths},
        **{name: one.path for name, one in _plate_inputs(job)},
    }


def _parameters(job: FarmJob, flow: str) -> list[Template]:
    rendered = "INOUT" if flow == "IN" else "OUT"
    return [
        _path(_PLATE, rendered if job.plate_command else flow, "The plate's folder."),
        _path(_MATTES, "OUT", "The folder of the alphas."),
        *(_path(_folder_of(one), flow, f"The folder of --{one.name}.") for one in job.paths),
        *(
            _path(
                name,
                "NONE" if one.is_command else flow,
                "What the plate's step runs." if one.is_command else "What the plate's step reads.",
                "DIRECTORY" if one.is_folder else "FILE",
            )
            for name, one in _plate_inputs(job)
        ),
        {
            "name": "Frames",
            "type": "STRING",
            **_NOT_EMPTY,
            "default": job.range,
            "description": "The frames to make, such as 1001-1100 or 1001-1100:2,1200.",
        },
        {
            "name": "ChunkSize",
            "type": "INT",
            "minValue": 1,
            "default": job.chunk,
            "description": "Frames a task, about. Any number gives the same mattes.",
        },
        {
            "name": "Gvm",
            "type": "STRING",
            **_NOT_EMPTY,
            "default": job.gvm,
            "description": "The gvm command on the farm's hosts.",
        },
    ]


def _folder_of(path: FarmPath) -> str:
    """Return the parameter that is a path's folder."""
    return f"{path.name.title()}Folder"


def _plate_inputs(job: FarmJob) -> list[tuple[str, PlateInput]]:
    """Return the parameter of each file and folder that the plate's command names."""
    return [(f"PlateInput{number}", one) for number, one in enumerate(job.plate_inputs, 1)]


def _path(name: str, flow: str, about: str, kind: str = "DIRECTORY") -> Template:
    return {
        "name": name,
        "type": "PATH",
        **_NOT_EMPTY,
        "objectType": kind,
        "dataFlow": flow,
        "description": about,
    }


def _plate_steps(job: FarmJob) -> list[Template]:
    """Return the step that renders the plate, if there is one; no GPU is asked for."""
    if not job.plate_command:
        return []
    command, *words = (_by_parameter(job, word) for word in job.plate_command)
    step: Template = {
        "name": "Plate",
        "script": {"actions": {"onRun": _task(job, command, words)}},
    }
    if job.plate_in_chunks:
        frames = f"{job.plate_tasks[0]}-{job.plate_tasks[-1]}"
        step["parameterSpace"] = _chunks(frames, "CONTIGUOUS")
    if job.environment:
        step["stepEnvironments"] = [{"name": "PlateVariables", "variables": dict(job.environment)}]
    if needed := _host(replace(job.needs, gpu_mib=None, memory_mib=0)):
        step["hostRequirements"] = needed
    return [step]


def _by_parameter(job: FarmJob, word: str) -> str:
    """Return a word of the plate's command with its path by the parameter that a farm may map."""
    option, equals, path = word.rpartition("=")
    for name, one in _plate_inputs(job):
        if path.removesuffix(".").removesuffix("/") == one.path:
            return f"{option}{equals}{{{{Param.{name}}}}}{path[len(one.path) :]}"
    if path == job.plate_folder or path.startswith(f"{job.plate_folder}/"):
        return f"{option}{equals}{{{{Param.{_PLATE}}}}}{path[len(job.plate_folder) :]}"
    return word


def _matte_step(job: FarmJob) -> Template:
    plate = joined(f"{{{{Param.{_PLATE}}}}}", job.plate_name)
    mattes = joined(f"{{{{Param.{_MATTES}}}}}", job.matte_name)
    clip = [f"--first={job.first}", f"--last={job.last}"]
    paths = (replace(path, folder=f"{{{{Param.{_folder_of(path)}}}}}").word for path in job.paths)
    words = ["matte", plate, "--out", mattes, "--openjd", f"--frames={FRAMES_WORD}", *clip]
    words += [*paths, *job.words]
    step: Template = {
        "name": "Matte",
        "stepEnvironments": [_server(job)],
        "parameterSpace": _chunks("{{Param.Frames}}", "NONCONTIGUOUS"),
        "script": {"actions": {"onRun": _task(job, "{{Param.Gvm}}", words)}},
    }
    if job.plate_command:
        step["dependencies"] = [{"dependsOn": "Plate"}]
    if needed := _host(job.needs):
        step["hostRequirements"] = needed
    return step


def _host(needs: HostNeeds) -> Template:
    """Return what a host must have; nothing where any will do."""
    wanted = {
        "amount.worker.vcpu": needs.cores,
        "amount.worker.memory": needs.memory_mib,
        "amount.worker.gpu": 0 if needs.gpu_mib is None else 1,
        "amount.worker.gpu.memory": needs.gpu_mib or 0,
    }
    host: Template = {}
    if amounts := [{"name": name, "min": least} for name, least in wanted.items() if least]:
        host["amounts"] = amounts
    if needs.os_family:
        host["attributes"] = [{"name": "attr.worker.os.family", "anyOf": [needs.os_family]}]
    return host


def _server(job: FarmJob) -> Template:
    def action(word: str, seconds: int) -> Template:
        return {
            "command": "{{Param.Gvm}}",
            "args": ["farm", "server", word],
            "timeout": seconds,
            "cancelation": _told(NOTICE_SECONDS),
        }

    server: Template = {
        "name": "GvmServer",
        "description": "One warm server for all tasks of a worker session.",
        "script": {
            "actions": {
                "onEnter": action("start", START_SECONDS),
                "onExit": action("stop", STOP_SECONDS),
            }
        },
    }
    return {**server, "variables": dict(job.environment)} if job.environment else server


def _chunks(frames: str, constraint: str) -> Template:
    return {
        "taskParameterDefinitions": [
            {
                "name": "Frame",
                "type": "CHUNK[INT]",
                "range": frames,
                "chunks": {
                    "defaultTaskCount": "{{Param.ChunkSize}}",
                    "rangeConstraint": constraint,
                },
            }
        ]
    }


def _task(job: FarmJob, command: str, words: list[str]) -> Template:
    return {
        "command": command,
        "args": words,
        "timeout": job.seconds,
        "cancelation": _told(TASK_NOTICE_SECONDS),
    }


def _told(seconds: int) -> Template:
    return {"mode": "NOTIFY_THEN_TERMINATE", "notifyPeriodInSeconds": seconds}
