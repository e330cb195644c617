"""A job as the JSON that CGRU's Afanasy takes (`afcmd json send FILE`).

Its fields are those that `Job::jsonRead`, `BlockData::jsonRead` and `TaskData` read
(`afanasy/src/libafanasy`, CGRU 3.4.1). Every task is written out with its frames, so gaps work.
Progress is read by the parser `gvm`, and the service `gvm` names it (`cgru/`).
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import Any

from gvm_client.frames import format_frames
from gvm_nodes.farm.job import FarmJob

SERVICE = "gvm"  # and the parser's name
_TASK = "@#@"  # services/service.py: what a task's own words take the place of in the block's
_OS = {"linux": "linux", "windows": "windows", "macos": "macosx"}  # lib/python/cgruconfig.py

Block = dict[str, Any]  # JSON's own words


def job_file(job: FarmJob) -> str:
    """Return the job file."""
    blocks = [_matte(job)]
    if job.plate_command:
        blocks.insert(0, _plate(job))
        blocks[1]["depend_mask"] = "^plate$"
    about = {
        "name": job.name,
        "user_name": job.user.lower(),
        "blocks": blocks,
        "folders": {"input": job.plate_folder, "output": job.matte_folder},
        "branch": job.matte_folder,
        **({"need_os": _OS[job.needs.os_family]} if job.needs.os_family else {}),
        **({"project": job.show} if job.show else {}),
    }
    return json.dumps({"job": about}, indent=2) + "\n"


def _matte(job: FarmJob) -> Block:
    needs = job.needs
    block = _block(job, "matte", [*job.task(_TASK), "--openjd"], job.frames)
    block |= {"service": SERVICE, "parser": SERVICE}
    if needs.memory_mib:
        block["need_memory"] = needs.memory_mib
    if needs.gpu_mib is not None:
        block["need_gpu_mem_mb"] = needs.gpu_mib
    return block


def _plate(job: FarmJob) -> Block:
    """Return the block that renders the plate; one task where its command names no frames."""
    block = _block(job, "plate", job.plate_task(_TASK), job.plate_tasks)
    return {**block, "service": "generic", "parser": "generic"}


def _block(job: FarmJob, name: str, words: Sequence[str], frames: Sequence[int]) -> Block:
    command = shlex.join(words)
    chunks = [frames[start : start + job.chunk] for start in range(0, len(frames), job.chunk)]
    texts = [format_frames(chunk, step=":") for chunk in chunks]
    tasks = [{"name": text, "command": text} for text in texts]
    if _TASK not in command:
        tasks = [{"name": name, "command": ""}]  # whose words would follow the block's
    block: Block = {
        "name": name,
        "flags": 0,
        "working_directory": job.plate_folder,
        "command": command,
        "tasks": tasks,
        "frames_per_task": job.chunk,
        "task_max_run_time": job.seconds,
    }
    if job.needs.cores:
        block["need_cpu_cores"] = job.needs.cores
    if job.environment:
        block["environment"] = dict(job.environment)
    if job.limits:
        block["tickets"] = dict.fromkeys(job.limits, 1)
    if job.tags:
        block["need_properties"] = "|".join(job.tags)
    return block
