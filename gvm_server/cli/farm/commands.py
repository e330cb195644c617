"""`gvm farm submit-template` and `validate`: one clip's job, written for farms or looked over.

A plate that is there is looked at; one that the farm renders first is taken at the user's word.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from gvm_client.errors import ErrorCode, InputError, OutputError, SettingsError
from gvm_client.frames import abbreviated_frames, parse_frames
from gvm_client.process import Exit
from gvm_client.protocol.messages import Matte
from gvm_client.settings import Depth, Missing
from gvm_client.text import ARE, counted
from gvm_client.windows import Plan, seen_by, windows_for
from gvm_nodes.farm import deadline, opencue, openjd
from gvm_nodes.farm.job import FarmJob
from gvm_server.cli.farm.guides import check_guides, find_guides
from gvm_server.cli.farm.task_options import farm_request, worker_words
from gvm_server.cli.matte.original import clip_name
from gvm_server.cli.matte.request import absolute, context_of
from gvm_server.cli.memory_plan import parse_size
from gvm_server.cli.terminal import size_in_words
from gvm_server.matting.engines.registry import entry_of
from gvm_server.media.colour.ocio import load_config
from gvm_server.media.file_access import Roots
from gvm_server.media.geometry import ClipGeometry
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.find import parse_pattern, resolve_plate
from gvm_server.media.plates.open import open_plate
from gvm_server.settings import ServerSettings

MIB = 1 << 20
TEMPLATE_SUFFIXES = (".yaml", ".yml", ".json")

_BYTES = {Depth.HALF: 2, Depth.FLOAT: 4}


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
    guides = find_guides(request)
    command = tuple(shlex.split(parsed.plate_step))
    clip = expect_clip(parsed) if command else find_clip(parsed)
    frames = asked_frames(request, clip)
    needed = needed_frames(request, clip, frames)
    if clip.geometry is not None:
        check_guides(request, clip.geometry, frames)
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
        guides=guides,
        gpu_mib=_gpu_mib(request, clip),
        plate_command=command,
        plate_frames=needed,
    )


def _gpu_mib(request: Matte, clip: Clip) -> int | None:
    """Return the GPU memory that the engine needs; None where it needs none."""
    predict = entry_of(request.engine).gpu_bytes
    if predict is None:
        return None
    if clip.size is None:
        raise SettingsError(
            "The plate is not rendered yet, so its size must be said: it decides the GPU's memory.",
            remedy="Give --plate-size, such as 1920x1080.",
        )
    weights = Path(request.model.weights) if request.model.weights else None
    named = weights or ServerSettings.from_environment().weights
    return ceil(predict(clip.size, request.window, named) / MIB)


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Clip:
    """A plate on disk, or one that will be rendered.

    Attributes:
        path: absolute; a pattern, an image or a movie.
        first: the clip's first frame.
        last: the clip's last frame.
        size: width and height in pixels; None where nobody said.
        missing: frames of the clip that are not there.
        geometry: where its pictures lie; None where they are not there to be looked at.
        colourspace: what the plate is read as; "" where it is not there to be looked at.
    """

    path: Path
    first: int
    last: int
    size: tuple[int, int] | None
    missing: frozenset[int] = frozenset()
    geometry: ClipGeometry | None = None
    colourspace: str = ""


def find_clip(parsed: argparse.Namespace) -> Clip:
    """Look at a plate that is there.

    Raises:
        GvmError: it is not there, is unreadable, or its extent is wrong.
    """
    path = Path(str(resolve_plate(absolute(parsed.plate))))
    context = context_of(parsed)
    options = PlateOptions(
        path=str(path),
        first=parsed.first,
        last=parsed.last,
        layer=parsed.layer,
        colourspace=parsed.input_colorspace,
        configuration=load_config(context.ocio, context.variables),
    )
    plate = open_plate(options, roots=Roots())
    try:
        missing = frozenset(plate.missing())
        geometry = plate.geometry()
        size = geometry.canvas.width, geometry.canvas.height
        return Clip(
            path=path,
            first=plate.first,
            last=plate.last,
            size=size,
            missing=missing,
            geometry=geometry,
            colourspace=plate.colour.name,
        )
    finally:
        plate.close()


def expect_clip(parsed: argparse.Namespace) -> Clip:
    """Return a plate that a step of the job will render.

    Raises:
        SettingsError: its extent or its pattern is not said.
    """
    path = Path(absolute(parsed.plate))
    if parse_pattern(path) is None:
        raise SettingsError(
            f"{path} has no frame number; --plate-step renders a sequence.",
            remedy="Name the plate as plate.%04d.exr.",
        )
    if parsed.first is None or parsed.last is None:
        raise SettingsError(
            "The plate is not rendered yet, so its extent must be said.",
            remedy="Give --first and --last.",
        )
    size = parse_size(parsed.plate_size) if parsed.plate_size else None
    return Clip(path=path, first=parsed.first, last=parsed.last, size=size)


def asked_frames(request: Matte, clip: Clip) -> tuple[int, ...]:
    """Return the frames to make, ascending.

    Raises:
        SettingsError: the range is none.
    """
    every = range(clip.first, clip.last + 1)
    frames = parse_frames(request.frames) if request.frames else tuple(every)
    return tuple(sorted(frames[: request.max_frames or None]))


def needed_frames(request: Matte, clip: Clip, frames: tuple[int, ...]) -> tuple[int, ...]:
    """Return the plate frames that the windows of these frames see, ascending.

    Raises:
        InputError: a frame lies outside the clip.
        SettingsError: a cut does.
    """
    plan = Plan.of(
        request.window,
        first=clip.first,
        last=clip.last,
        cuts=request.plate.cuts,
        reach=request.engine.reach,
    )
    windows = windows_for(plan, frames)
    return tuple(sorted({seen for window in windows for seen in seen_by(plan, window).frames}))


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
    for says in check_guides(request, clip.geometry, frames):
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
    need = count * width * height * _BYTES[Depth(parsed.depth)]
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
