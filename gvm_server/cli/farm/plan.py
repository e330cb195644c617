"""From the options of `gvm farm submit-template` to the job, before it is written for a farm.

A plate that is there is looked at; one that the farm renders first is taken at the user's word.
"""

from __future__ import annotations

import argparse
import getpass
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from math import ceil
from pathlib import Path

from gvm_client.errors import SettingsError
from gvm_client.protocol.messages import Matte
from gvm_nodes.farm.job import FRAMES_WORD, FarmJob, FarmPath, HostNeeds, PlateInput
from gvm_server.cli.farm.clip import Clip, asked_frames, expect_clip, find_clip, needed_frames
from gvm_server.cli.farm.guides import check_guides, find_guides
from gvm_server.cli.farm.host_memory import Seen, host_bytes
from gvm_server.cli.farm.regions import check_regions, seen_by_the_model
from gvm_server.cli.farm.task_options import farm_request, worker_words
from gvm_server.cli.matte.original import clip_name
from gvm_server.cli.matte.request import absolute
from gvm_server.matting.engines.registry import entry_of
from gvm_server.media.file_access import Roots
from gvm_server.media.outputs.alpha_files import AlphaFiles
from gvm_server.media.plates.find import parse_pattern
from gvm_server.settings import ServerSettings

MIB = 1 << 20
ANY = "any"  # of --os
_FRAMES = re.compile(r"\{\{\s*Task\.Param\.Frame\s*\}\}")  # as Open Job Description writes it, too
_QUOTED = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*\"""")
_LOST = re.compile(r"(?:\b[A-Za-z]:|\\)?\\\w+")  # a shell takes the letter behind it as it is
_SIZES = {"": MIB, "M": MIB, "G": MIB << 10}  # bytes, by the letter behind --memory


def plan_job(parsed: argparse.Namespace) -> FarmJob:
    """Return the job that the options mean.

    Raises:
        GvmError: the plate or a setting is wrong.
    """
    request = farm_request(parsed)
    guides = find_guides(request)
    words = plate_words(parsed.plate_step)
    clip = expect_clip(parsed) if words else find_clip(parsed)
    inputs, command = find_plate_inputs(words, str(clip.path.parent))
    frames = asked_frames(request, clip)
    needed = needed_frames(request, clip, frames)
    notes = [*check_regions(request, clip)]
    if clip.geometry is not None:
        notes += check_guides(request, clip.geometry, frames)
    out = Path(absolute(parsed.out))
    names = AlphaFiles.of(str(out), plate_name=str(clip.path), roots=Roots())
    names.check_names(frames, overwrite=True)  # what every task would be refused for
    pattern = parse_pattern(out)
    return FarmJob(
        name=parsed.name or f"GVM matte {clip_name(str(clip.path))}",
        user=_user(),
        plate_folder=str(clip.path.parent),
        plate_name=clip.path.name,
        matte_folder=str(out.parent if pattern else out),
        matte_name=out.name if pattern else "",
        frames=frames,
        first=clip.first,
        last=clip.last,
        chunk=parsed.chunk,
        minutes=parsed.timeout,
        gvm=parsed.gvm or this_gvm(),
        words=worker_words(parsed, request, clip.colourspace),
        paths=(*guides, *model_paths(request)),
        needs=_needs(parsed, request, clip),
        environment=tuple(dict(map(_variable, parsed.env)).items()),
        tags=tuple(dict.fromkeys(parsed.tag)),
        limits=tuple(dict.fromkeys(parsed.limit)),
        show=parsed.show,
        shot=parsed.shot,
        plate_command=command,
        plate_frames=needed,
        plate_inputs=inputs,
        notes=tuple(notes),
    )


def this_gvm() -> str:
    """Return the absolute path of this command: farms' workers have a search path of their own."""
    beside = Path(sys.executable).with_name("gvm")
    found = str(beside) if beside.exists() else shutil.which("gvm")
    if not found:
        raise SettingsError(
            f"There is no `gvm` beside {sys.executable} and none in the search path.",
            remedy="Name the command on the farm's hosts with --gvm.",
        )
    return absolute(found)


def model_paths(request: Matte) -> Iterator[FarmPath]:
    """Yield where the named weights and the adapter are; an adapter may be one file."""
    if request.model.weights:
        yield FarmPath(name="weights", folder=request.model.weights)
    if request.model.lora:
        lora = Path(request.model.lora)
        is_file = lora.is_file()
        folder, file = (str(lora.parent), lora.name) if is_file else (str(lora), "")
        yield FarmPath(name="lora", folder=folder, file=file)


def plate_words(step: str) -> list[str]:
    """Return the words of a plate's command, in which `FRAMES_WORD` alone is a farm's to fill in.

    Raises:
        SettingsError: they are no words, a backslash would be lost, or `{{` begins another name,
            which one farm refuses when it is submitted, and the next gives to the command as it is.
    """
    try:
        words = shlex.split(_FRAMES.sub(FRAMES_WORD, step))
    except ValueError as error:
        raise SettingsError(
            f"--plate-step {step!r} cannot be taken apart: {str(error).lower()}.",
            remedy="Close each quotation mark, and write a backslash twice.",
        ) from error
    if lost := _LOST.search(_QUOTED.sub("", step)):
        raise SettingsError(
            f"--plate-step {step!r} would lose the backslash of {lost[0]!r}.",
            remedy="Put a path of Windows into quotation marks, or write it with /.",
        )
    if step and not words:
        raise SettingsError("--plate-step is empty.", remedy="Name a command, or leave it out.")
    if unknown := next((word for word in words if "{{" in word.replace(FRAMES_WORD, "")), ""):
        raise SettingsError(
            f"--plate-step has {unknown!r}; all that a farm fills in is {FRAMES_WORD}.",
            remedy=f"Write {FRAMES_WORD} where the frames belong.",
        )
    return words


def find_plate_inputs(
    words: list[str], plate_folder: str
) -> tuple[tuple[PlateInput, ...], tuple[str, ...]]:
    """Return the files and folders that a plate's command reads, and the command with them whole.

    A path, in a word or behind its last `=`, of something that is there is such a one; one from the
    working folder becomes absolute, for a task has another. The plate's folder, which is written
    to, and the folders in it are none.
    """
    inputs: dict[str, PlateInput] = {}
    command: list[str] = []
    for place, word in enumerate(words):
        option, equals, said = word.rpartition("=")
        is_path = "/" in said or (place > 0 and Path(said).suffix)
        if not is_path or not _is_there(said):
            command.append(word)
            continue
        path = absolute(said)
        end = next((end for end in ("/.", "/") if said.endswith(end)), "")  # what `cp` looks at
        command.append(f"{option}{equals}{path}{end}")
        is_folder = Path(path).is_dir()
        if not (is_folder and Path(path).is_relative_to(plate_folder)):
            inputs[path] = PlateInput(path=path, is_folder=is_folder, is_command=place == 0)
    return tuple(inputs.values()), tuple(command)


def _is_there(said: str) -> bool:
    """Return whether a path is there; a program's text is a word too, and longer than any path."""
    try:
        return Path(said).exists()
    except (OSError, ValueError):
        return False


def _needs(parsed: argparse.Namespace, request: Matte, clip: Clip) -> HostNeeds:
    """Return what a host must have: what was said, else what is predicted."""
    gpu, weights = entry_of(request.engine).gpu_bytes, _weights(request)
    if gpu is not None and clip.size is None:
        raise SettingsError(
            "The plate is not rendered yet, so its size must be said: it decides the GPU's memory.",
            remedy="Give --plate-size, such as 1920x1080.",
        )
    views = seen_by_the_model(request, clip) if clip.geometry is not None else ()
    seen = Seen.of(request, clip.size, views) if clip.size is not None else None
    memory = 0
    if parsed.memory:
        memory = parse_memory(parsed.memory)
    elif seen is not None:
        memory = host_bytes(request, seen, weights)
    on_gpu = seen.model_bytes(gpu, request.window, weights) if gpu and seen else None
    return HostNeeds(
        gpu_mib=None if on_gpu is None else ceil(on_gpu / MIB),
        memory_mib=ceil(memory / MIB),
        cores=parsed.cores,
        os_family="" if parsed.os == ANY else parsed.os,
    )


def _weights(request: Matte) -> Path | None:
    named = Path(request.model.weights) if request.model.weights else None
    return named or ServerSettings.from_environment().weights


def parse_memory(text: str) -> int:
    """Return the bytes of a text such as 24G or 900M; a plain number counts MiB.

    Raises:
        SettingsError: it is none.
    """
    match = re.fullmatch(r"(\d{1,7})([MG]?)", text.upper())
    if match is None:
        raise SettingsError(
            f"--memory is {text!r}; it must be a size such as 24G or 900M.",
        )
    return int(match[1]) * _SIZES[match[2]]


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise SettingsError(
            f"--env is {text!r}, which sets nothing.", remedy="Write it as NAME=value."
        )
    return name, value


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no account
        return "gvm"
