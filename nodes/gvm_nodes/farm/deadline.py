"""A job as the two files that Deadline 10's `deadlinecommand` submits, for its CommandLine plugin.

A task there is told its first and last frame only, so frames with gaps go one a task.
"""

from __future__ import annotations

from gvm_client.errors import SettingsError
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
    if job.limits:
        lines["LimitGroups"] = ",".join(job.limits)
    for number, (name, value) in enumerate(job.environment):
        lines[f"EnvironmentKeyValue{number}"] = f"{name}={value}"
    return _lines(lines)


def plugin_info(job: FarmJob) -> str:
    """Return the plugin info file: the worker's command, no shell around it.

    Raises:
        SettingsError: a word holds what the plugin would read as its own.
    """
    executable, *words = job.task("<STARTFRAME>-<ENDFRAME>")
    for word in words:
        if _QUOTE in word or '"' in word:
            raise SettingsError(
                f"{word!r} cannot be quoted for Deadline's CommandLine plugin.",
                remedy="Choose a name without quotation marks.",
            )
    arguments = " ".join(f"{_QUOTE}{word}{_QUOTE}" if " " in word else word for word in words)
    return _lines(
        {
            "Executable": executable,
            "Arguments": arguments,
            "Shell": "default",
            "ShellExecute": "False",
            "SingleFramesOnly": "False",
        }
    )


def _lines(values: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in values.items())
