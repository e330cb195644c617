"""`gvm farm submit-template` and `validate`: one clip's job, written for farms or looked over."""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from pathlib import Path

from gvm_client.errors import ErrorCode, InputError, OutputError, SettingsError
from gvm_client.frames import abbreviated_frames
from gvm_client.process import Exit
from gvm_client.settings import Depth, Missing
from gvm_client.text import ARE, counted
from gvm_nodes.farm import afanasy, cgru, deadline, deadline_cloud, opencue, openjd
from gvm_nodes.farm.job import FarmJob
from gvm_server.cli.farm.carried import carried_files
from gvm_server.cli.farm.clip import Clip, asked_frames, find_clip, needed_frames
from gvm_server.cli.farm.guides import check_guides, find_guides
from gvm_server.cli.farm.plan import plan_job
from gvm_server.cli.farm.regions import check_regions
from gvm_server.cli.farm.task_options import farm_request
from gvm_server.cli.matte.request import absolute, content_of
from gvm_server.cli.terminal import size_in_words
from gvm_server.media.outputs.parts import planes_of

TEMPLATE_SUFFIXES = (".yaml", ".yml", ".json")
# What a job is written to; each is an option.
TARGETS = ("template", "deadline_cloud", "deadline", "opencue", "afanasy")
_CGRU = Path(cgru.__file__).parent

_BYTES = {Depth.HALF: 2, Depth.FLOAT: 4}


def submit_template(parsed: argparse.Namespace) -> int:
    """Write the job for the farms that were asked for.

    Raises:
        GvmError: the plate or a setting is wrong, or a file cannot be written.
    """
    _check_targets(parsed)
    job = plan_job(parsed)
    for note in job.notes:
        print(note, file=sys.stderr)  # the template alone is what --dry-run prints
    if parsed.dry_run:
        print(deadline_cloud.as_text(openjd.template(job)), end="")
        return Exit.DONE
    files = _files(parsed, job)  # all texts first: where one is refused, none is written
    for path, text in files.items():
        _write(path, text)
    _say_how_to_run(parsed, job)
    return Exit.DONE


def _files(parsed: argparse.Namespace, job: FarmJob) -> dict[Path, str]:
    """Return the text of each file to be written."""
    files: dict[Path, str] = {}
    if parsed.template:
        files[parsed.template] = deadline_cloud.as_text(openjd.template(job))
    if parsed.deadline_cloud:
        bundle = deadline_cloud.bundle(job, carried_files(parsed, job))
        files |= {parsed.deadline_cloud / name: text for name, text in bundle.items()}
    if parsed.deadline:
        files[parsed.deadline / "job_info.job"] = deadline.job_info(job)
        files[parsed.deadline / "plugin_info.job"] = deadline.plugin_info(job)
    if parsed.opencue:
        files[parsed.opencue] = opencue.outline(job)
    if parsed.afanasy:
        files[parsed.afanasy] = afanasy.job_file(job)
        for name in ("parser", "service"):
            text = (_CGRU / f"{name}.py").read_text(encoding="utf-8")
            files[parsed.afanasy.parent / f"{name}s" / f"{afanasy.SERVICE}.py"] = text
    return files


def _say_how_to_run(parsed: argparse.Namespace, job: FarmJob) -> None:
    def command(*words: object) -> str:
        return shlex.join(map(str, words))

    if parsed.template:
        values = openjd.parameter_values(job).items()
        words = [word for name, value in values for word in ("-p", f"{name}={value}")]
        print(f"Run it here: {command('openjd', 'run', parsed.template, *words)}")
    if parsed.deadline_cloud:
        print(f"Submit it: {command('deadline', 'bundle', 'submit', parsed.deadline_cloud)}")
    if parsed.afanasy:
        folder = parsed.afanasy.parent
        print(
            f"Copy {folder / 'parsers'} and {folder / 'services'} into afanasy/python on each host"
            f" once, then submit it: {command('afcmd', 'json', 'send', parsed.afanasy)}"
        )


def _check_targets(parsed: argparse.Namespace) -> None:
    named = [name for name in TARGETS if getattr(parsed, name)]
    options = ", ".join(f"--{name.replace('_', '-')}" for name in named)
    if parsed.template and parsed.template.suffix not in TEMPLATE_SUFFIXES:
        raise SettingsError(
            f"{parsed.template} is no template's name.",
            remedy=f"End it with {' or '.join(TEMPLATE_SUFFIXES)}.",
        )
    if parsed.dry_run and named:
        raise SettingsError(f"--dry-run writes nothing, so {options} does not go with it.")
    if not parsed.dry_run and not named:
        raise SettingsError(
            "Nothing says what to write.",
            remedy="Give --template, --deadline-cloud, --deadline, --opencue or --afanasy, or"
            " --dry-run.",
        )
    if parsed.plate_step and parsed.deadline:
        raise SettingsError(
            "--deadline holds the mattes alone.",
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


def validate(parsed: argparse.Namespace) -> int:
    """Say which plate frames are missing, and whether the alphas have room.

    Raises:
        InputError: frames that the job needs are missing, and nothing may stand in for them.
        OutputError: the disk has less room than the alphas may need.
    """
    request = farm_request(parsed)
    clip = find_clip(parsed)
    frames = asked_frames(request, clip)
    needed = needed_frames(request, clip, frames)
    asked = f"{counted(len(frames), 'frame', ARE)}"
    print(f"{clip.path}: the clip is {clip.first}-{clip.last}; {asked} asked for.")
    _check_plate(clip, needed, Missing(parsed.missing))
    assert clip.geometry is not None  # noqa: S101 (the plate was looked at)
    for says in (*check_regions(request, clip), *check_guides(request, clip.geometry, frames)):
        print(says)
    for name in (guide.name for guide in find_guides(request)):
        print(f"The {name} matte is there.")
    _check_room(clip, len(frames), parsed)
    return Exit.DONE


def _check_plate(clip: Clip, needed: tuple[int, ...], missing: Missing) -> None:
    gone = clip.missing.intersection(needed)
    if not gone:
        print(f"The plate is there: {counted(len(needed), 'frame')} needed.")
        return
    sentence = f"Missing of {clip.path}: {abbreviated_frames(gone)}."
    if missing is Missing.FAIL:
        raise InputError(
            sentence,
            remedy="Render them, or choose what stands in for them with --missing.",
            code=ErrorCode.PLATE_MISSING,
            frame=min(gone),
            path=str(clip.path),
        )
    print(f"{sentence} `{missing.value}` stands in for them.")


def _check_room(clip: Clip, count: int, parsed: argparse.Namespace) -> None:
    """Compare with the alphas' size without compression, which they stay below."""
    if clip.size is None:
        return
    width, height = clip.size
    planes = planes_of(content_of(parsed))
    need = count * planes * width * height * _BYTES[Depth(parsed.depth)]
    folder = Path(absolute(parsed.out))
    while not folder.is_dir():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    sentence = f"The alphas take at most {size_in_words(need)}; {size_in_words(free)} are free"
    if need > free:
        raise OutputError(
            f"{sentence} at {folder}.",
            remedy="Free some space, or name another --out.",
            code=ErrorCode.DISK_FULL,
            path=str(folder),
        )
    print(f"{sentence}.")
