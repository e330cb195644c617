"""A job as an outline script for OpenCue's `pyoutline`."""

from __future__ import annotations

import json
import shlex

from gvm_client.frames import format_frames
from gvm_nodes.farm.job import FarmJob

_SCRIPT = '''\
"""{about}: run it with the Python that has OpenCue's pyoutline."""

import outline
import outline.cuerun
import outline.modules.shell

job = outline.Outline({name})
matte = outline.modules.shell.Shell(
    "matte",
    command={command},
    range={frames},
    chunk={chunk},
)
{gpu}job.add_layer(matte)
outline.cuerun.launch(job, use_pycuerun=False)
'''


def outline(job: FarmJob) -> str:
    """Return the script; cuebot puts a chunk's frames, in `gvm`'s own syntax, into the command."""
    command = [
        job.gvm,
        "matte",
        f"{job.plate_folder}/{job.plate_name}",
        "--out",
        "/".join(filter(None, [job.matte_folder, job.matte_name])),
        "--frames=#FRAMESPEC#",
        f"--first={job.first}",
        f"--last={job.last}",
        *(guide.word for guide in job.guides),
        *job.words,
    ]
    gpu = ""
    if job.gpu_mib is not None:
        gib = -(-job.gpu_mib // 1024)
        gpu = f'matte.set_arg("gpus", 1)\nmatte.set_arg("gpu_memory", "{gib}g")\n'
    return _SCRIPT.format(
        about="Mattes by gvm farm submit-template",
        name=json.dumps(job.name),
        command=json.dumps(shlex.join(command)),
        frames=json.dumps(format_frames(job.frames)),
        chunk=job.chunk,
        gpu=gpu,
    )
