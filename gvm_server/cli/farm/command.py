"""`gvm farm submit-template`: one clip's job, written for render farms."""

from __future__ import annotations

import argparse
import json
import shlex
from pathlib import Path

from gvm_client.errors import OutputError, SettingsError
from gvm_client.process import Exit
from gvm_client.protocol.messages import EngineName, Matte
from gvm_nodes.farm import deadline, opencue, openjd
from gvm_nodes.farm.job import FarmJob
from gvm_server.cli.farm.clip import Clip, asked_frames, expect_clip, find_clip, needed_frames
from gvm_server.cli.farm.words import farm_request, worker_words
from gvm_server.cli.matte.original import clip_name
from gvm_server.cli.matte.request import absolute
from gvm_server.media.plates.find import parse_pattern
from gvm_server.settings import ServerSettings

TEMPLATE_SUFFIXES = (".yaml", ".yml", ".json")


def submit_template(parsed: argparse.Namespace) -> int:
    """Write the job's template, and what else was asked for.

    Raises:
        GvmError: the plate or a setting is wrong, or a file cannot be written.
    """
    _check_targets(parsed)
    job = plan_job(parsed)
    text = json.dumps(openjd.template(job), indent=2) + "\n"
    if parsed.dry_run:
        print(text, end="")
        return Exit.DONE
    _write(parsed.template, text)
    if parsed.deadline:
        _write(parsed.deadline / "job_info.job", deadline.job_info(job))
        _write(parsed.deadline / "plugin_info.job", deadline.plugin_info(job))
    if parsed.opencue:
        _write(parsed.opencue, opencue.outline(job))
    values = [f"-p {name}={value}" for name, value in openjd.parameter_values(job).items()]
    words = " ".join(shlex.quote(word) for value in values for word in value.split(" ", 1))
    print(f"Run it here: openjd run {shlex.quote(str(parsed.template))} {words}")
    return Exit.DONE


def plan_job(parsed: argparse.Namespace) -> FarmJob:
    """Return the job that the options mean.

    Raises:
        GvmError: the plate or a setting is wrong.
    """
    request = farm_request(parsed)
    command = tuple(shlex.split(parsed.plate_step))
    clip = expect_clip(parsed) if command else find_clip(parsed)
    frames = asked_frames(request, clip)
    needed = needed_frames(request, clip, frames)
    out = Path(absolute(parsed.out))
    pattern = parse_pattern(out)
    return FarmJob(
        name=parsed.name or f"GVM matte {clip_name(str(clip.path))}",
        plate_folder=str(clip.path.parent),
        plate_name=clip.path.name,
        matte_folder=str(out.parent if pattern else out),
        matte_name=out.name if pattern else "",
        frames=frames,
        first=clip.first,
        last=clip.last,
        chunk=parsed.chunk,
        minutes=parsed.timeout,
        gvm=parsed.gvm,
        words=worker_words(parsed, request, clip.colourspace),
        gpu_mib=_gpu_mib(request, clip),
        plate_command=command,
        plate_frames=needed,
    )


def _gpu_mib(request: Matte, clip: Clip) -> int | None:
    """Return the GPU memory that GVM needs; the other engines need none."""
    if request.engine is not EngineName.GVM:
        return None
    if clip.size is None:
        raise SettingsError(
            "The plate is not rendered yet, so its size must be said: it decides the GPU's memory.",
            remedy="Give --plate-size, such as 1920x1080.",
        )
    from gvm_server.cli.farm.memory import gpu_mib  # noqa: PLC0415 (torch comes with it)

    weights = Path(request.model.weights) if request.model.weights else None
    return gpu_mib(clip.size, request.window, weights or ServerSettings.from_environment().weights)


def _check_targets(parsed: argparse.Namespace) -> None:
    if parsed.template and parsed.template.suffix not in TEMPLATE_SUFFIXES:
        raise SettingsError(
            f"{parsed.template} is no template's name.",
            remedy=f"End it with {' or '.join(TEMPLATE_SUFFIXES)}.",
        )
    if parsed.dry_run and (parsed.deadline or parsed.opencue):
        raise SettingsError("--dry-run writes nothing, so neither --deadline nor --opencue goes.")
    if parsed.plate_step and (parsed.deadline or parsed.opencue):
        raise SettingsError(
            "--deadline and --opencue hold the mattes alone.",
            remedy="Submit the plate's own job there, and let this one depend on it.",
        )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror}.",
            remedy="Name another place.",
            path=str(path),
        ) from error
    print(f"Written: {path}")
