"""A job as an Open Job Description template (specification 2023-09, extension TASK_CHUNKING).

A chunk's edges are the farm's choice; they are never window edges, so no choice changes a matte.
Every action has a time limit, and is told before it is ended. The template names no path: where
plate, guides and mattes are is a parameter, which a farm may map. The matte step's server belongs
to one worker session: its environment starts and ends it.
"""

from __future__ import annotations

from typing import Any

from gvm_client.declaration import option_of
from gvm_nodes.farm.job import FarmGuide, FarmJob

Template = dict[str, Any]  # JSON's own words

START_SECONDS = 600  # a start that hangs must not hold a host for ever
STOP_SECONDS = 180  # a long window is given up between its steps; then the server is killed
TASK_NOTICE_SECONDS = 120
NOTICE_SECONDS = 30

_FRAME = "{{Task.Param.Frame}}"


def template(job: FarmJob) -> Template:
    """Return the job template, to be written as JSON or YAML."""
    return {
        "specificationVersion": "jobtemplate-2023-09",
        "extensions": ["TASK_CHUNKING"],
        "name": job.name,
        "parameterDefinitions": _parameters(job),
        "steps": [*_plate_steps(job), _matte_step(job)],
    }


def parameter_values(job: FarmJob) -> dict[str, str]:
    """Return the values of the parameters that have no default: the folders."""
    guides = {_folder_of(guide): guide.folder for guide in job.guides}
    return {"PlateFolder": job.plate_folder, "MatteFolder": job.matte_folder, **guides}


def _parameters(job: FarmJob) -> list[Template]:
    flow = "INOUT" if job.plate_command else "IN"
    return [
        _folder("PlateFolder", flow, "The plate's folder."),
        _folder("MatteFolder", "OUT", "The folder of the alphas."),
        *(
            _folder(_folder_of(guide), "IN", f"The folder of the {guide.name} matte.")
            for guide in job.guides
        ),
        {
            "name": "Frames",
            "type": "STRING",
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
            "default": job.gvm,
            "description": "The gvm command on the farm's hosts.",
        },
    ]


def _folder_of(guide: FarmGuide) -> str:
    """Return the parameter that is a guide's folder."""
    return f"{guide.name.title()}Folder"


def _folder(name: str, flow: str, about: str) -> Template:
    return {
        "name": name,
        "type": "PATH",
        "objectType": "DIRECTORY",
        "dataFlow": flow,
        "description": about,
    }


def _plate_steps(job: FarmJob) -> list[Template]:
    """Return the step that renders the plate, if there is one; no GPU is asked for."""
    if not job.plate_command:
        return []
    command, *words = job.plate_command
    step: Template = {
        "name": "Plate",
        "script": {"actions": {"onRun": _task(job, command, words)}},
    }
    if any(_FRAME in word for word in job.plate_command):
        frames = f"{job.plate_frames[0]}-{job.plate_frames[-1]}"
        step["parameterSpace"] = _chunks(frames, "CONTIGUOUS")
    return [step]


def _matte_step(job: FarmJob) -> Template:
    plate = "{{Param.PlateFolder}}/" + job.plate_name
    mattes = "/".join(["{{Param.MatteFolder}}", *([job.matte_name] if job.matte_name else [])])
    clip = [f"--first={job.first}", f"--last={job.last}"]
    guides = (
        f"{option_of(guide.name)}={{{{Param.{_folder_of(guide)}}}}}/{guide.file}"
        for guide in job.guides
    )
    words = ["matte", plate, "--out", mattes, "--openjd", f"--frames={_FRAME}", *clip]
    words += [*guides, *job.words]
    step: Template = {
        "name": "Matte",
        "stepEnvironments": [_server()],
        "parameterSpace": _chunks("{{Param.Frames}}", "NONCONTIGUOUS"),
        "script": {"actions": {"onRun": _task(job, "{{Param.Gvm}}", words)}},
    }
    if job.plate_command:
        step["dependencies"] = [{"dependsOn": "Plate"}]
    if job.gpu_mib is not None:
        step["hostRequirements"] = {
            "amounts": [
                {"name": "amount.worker.gpu", "min": 1},
                {"name": "amount.worker.gpu.memory", "min": job.gpu_mib},
            ]
        }
    return step


def _server() -> Template:
    def action(word: str, seconds: int) -> Template:
        return {
            "command": "{{Param.Gvm}}",
            "args": ["farm", "server", word],
            "timeout": seconds,
            "cancelation": _told(NOTICE_SECONDS),
        }

    return {
        "name": "GvmServer",
        "description": "One warm server for all tasks of a worker session.",
        "script": {
            "actions": {
                "onEnter": action("start", START_SECONDS),
                "onExit": action("stop", STOP_SECONDS),
            }
        },
    }


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
        "timeout": 60 * job.minutes,
        "cancelation": _told(TASK_NOTICE_SECONDS),
    }


def _told(seconds: int) -> Template:
    return {"mode": "NOTIFY_THEN_TERMINATE", "notifyPeriodInSeconds": seconds}
