"""A job as the two files that Deadline 10's `deadlinecommand` submits, for its CommandLine plugin.

A task there is told its first and last frame only, so frames with gaps go one a task.
"""

from __future__ import annotations

from gvm_nodes.farm.job import FarmJob

_QUOTE = "<QUOTE>"  # the plugin's own word for the character


def job_info(job: FarmJob) -> str:
    """Return the job info file."""
    lines = {
        "Plugin": "CommandLine",
        "Name": job.name,
        "Frames": job.range.replace(":", "x"),
        "ChunkSize": str(job.chunk if job.whole else 1),
        "TaskTimeoutMinutes": str(job.minutes),
        "OnTaskTimeout": "Error",
        "OutputDirectory0": job.matte_folder,
    }
    return _lines(lines)


def plugin_info(job: FarmJob) -> str:
    """Return the plugin info file: the worker's command, no shell around it."""
    mattes = "/".join(filter(None, [job.matte_folder, job.matte_name]))
    words = [
        "matte",
        f"{job.plate_folder}/{job.plate_name}",
        "--out",
        mattes,
        "--frames=<STARTFRAME>-<ENDFRAME>",
        f"--first={job.first}",
        f"--last={job.last}",
        *(guide.word for guide in job.guides),
        *job.words,
    ]
    arguments = " ".join(f"{_QUOTE}{word}{_QUOTE}" if " " in word else word for word in words)
    return _lines(
        {
            "Executable": job.gvm,
            "Arguments": arguments,
            "Shell": "default",
            "ShellExecute": "False",
            "SingleFramesOnly": "False",
        }
    )


def _lines(values: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in values.items())
