"""A job as an outline script for OpenCue's `pyoutline`.

The rules are cuebot's (`cuebot/src/main/java/com/imageworks/spcue`, release 1.37): pyoutline passes
everything on, and what cuebot does not take is refused only there.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from math import ceil

from gvm_client.errors import SettingsError
from gvm_client.frames import format_frames
from gvm_nodes.farm.job import FarmJob

LEAST_NAME = 3  # service/JobSpec.java: NAME_REGEX
MOST_TASKS = 100_000  # the same: MAX_FRAMES, which counts chunks, of all layers together
MAX_GPU_MIB = 100 * 1024  # resources/opencue.properties: mem_gpu_reserved_max, 104857600 KiB

_NAME = re.compile(rf"[A-Za-z0-9_.]{{{LEAST_NAME},}}")
_TAG = re.compile(rf"[A-Za-z0-9_.-]{{{LEAST_NAME},}}")
_OTHER = re.compile(r"[^A-Za-z0-9_.]+")
_FRAMES = "#FRAMESPEC#"  # dispatcher/DispatchSupportService.java: a chunk's frames, in our syntax

_SCRIPT = '''\
"""Mattes by gvm farm submit-template: run it with the Python that has OpenCue's pyoutline."""

import outline
import outline.cuerun
import outline.modules.shell

job = outline.Outline({job})
{plate}
matte = outline.modules.shell.Shell({matte})
matte.add_output("mattes", {mattes})
job.add_layer(matte)
{depends}
outline.cuerun.launch(job, use_pycuerun=False)
'''


def conformed(name: str) -> str:
    """Return a name as cuebot takes it: three or more small letters, digits, `_` and `.`."""
    plain = re.sub("_{2,}", "_", _OTHER.sub("_", name.lower())).strip("_.")
    return plain if len(plain) >= LEAST_NAME else f"gvm_{plain}".rstrip("_")


def outline(job: FarmJob) -> str:
    """Return the script; cuebot puts a chunk's frames, in `gvm`'s own syntax, into the command.

    Raises:
        SettingsError: cuebot would refuse the job, or could not run it.
    """
    _check(job)
    plate = depends = ""
    if job.plate_command:
        plate = (
            f"plate = outline.modules.shell.Shell({_words(_plate(job))})\njob.add_layer(plate)\n"
        )
        depends = "matte.depend_all(plate)\n"
    names = {"show": job.show, "shot": conformed(job.shot) if job.shot else ""}
    about = {"name": conformed(job.name), **{key: text for key, text in names.items() if text}}
    return _SCRIPT.format(
        job=_words(about),
        plate=plate,
        matte=_words(_matte(job)),
        mattes=json.dumps(job.matte_folder),
        depends=depends,
    )


def _matte(job: FarmJob) -> dict[str, object]:
    needs = job.needs
    layer: dict[str, object] = {
        "name": "matte",
        "command": [shlex.join(job.task(_FRAMES))],
        "range": format_frames(job.frames),
        "chunk": job.chunk,
        "timeout": job.seconds,
        "threadable": True,
        **_shared(job),
    }
    if needs.memory_mib:
        layer["memory"] = f"{needs.memory_mib}m"
    if needs.gpu_mib is not None:
        layer["gpus"] = 1
        layer["gpu_memory"] = f"{needs.gpu_mib}m"
    return layer


def _plate(job: FarmJob) -> dict[str, object]:
    """Return the layer that renders the plate; no GPU and no memory of the model is asked for."""
    return {
        "name": "plate",
        "command": [shlex.join(job.plate_task(_FRAMES))],
        "range": format_frames(job.plate_tasks),
        "chunk": job.chunk,
        "timeout": job.seconds,
        **_shared(job),
    }


def _shared(job: FarmJob) -> dict[str, object]:
    """Return what both layers have of the user's words."""
    lists: dict[str, object] = {"tags": list(job.tags), "limits": list(job.limits)}
    shared = {name: words for name, words in lists.items() if words}
    if job.needs.cores:
        shared["cores"] = float(job.needs.cores)
    if job.environment:
        shared["env"] = dict(job.environment)
    return shared


def _words(arguments: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())


def _check(job: FarmJob) -> None:
    if job.show and not _NAME.fullmatch(job.show):
        raise SettingsError(
            f"--show is {job.show!r}; OpenCue knows shows of {LEAST_NAME} or more letters, digits,"
            " `_` and `.`.",
            remedy="Write it as `cueadmin -ls` lists it.",
        )
    for tag in job.tags:
        if not _TAG.fullmatch(tag):
            raise SettingsError(
                f"--tag is {tag!r}; OpenCue takes {LEAST_NAME} or more letters, digits, `_`, `.`"
                " and `-`.",
                remedy="Write it as the hosts have it.",
            )
    if not job.gvm.startswith("/") and not re.match(r"[A-Za-z]:[\\/]|\\\\", job.gvm):
        raise SettingsError(
            f"--gvm is {job.gvm!r}; OpenCue's RQD looks for commands in the system's folders only.",
            remedy="Give the absolute path that it has on the farm's hosts.",
        )
    least = min((*job.frames, *job.plate_frames))
    if least < 0:  # DispatchSupportService.java takes what stands before the first `-` of a name
        raise SettingsError(
            f"Frame {least} is negative; OpenCue cannot name it.",
            remedy="Submit frames from 0 on.",
        )
    count = ceil(len(job.frames) / job.chunk)
    if job.plate_command:
        count += ceil(len(job.plate_tasks) / job.chunk)
    if count > MOST_TASKS:
        raise SettingsError(
            f"The job has {count:,} tasks; OpenCue takes {MOST_TASKS:,}.",
            remedy="Give a larger --chunk.",
        )
    if (job.needs.gpu_mib or 0) > MAX_GPU_MIB:
        raise SettingsError(
            f"The job needs {job.needs.gpu_mib} MiB of GPU memory; OpenCue takes {MAX_GPU_MIB}.",
            remedy="Take a smaller --frames-per-window or --max-resolution.",
        )
