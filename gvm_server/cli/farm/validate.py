"""`gvm farm validate`: what would stop a job, said before it is submitted."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from gvm_client.errors import ErrorCode, InputError, OutputError
from gvm_client.frames import abbreviated_frames
from gvm_client.process import Exit
from gvm_client.settings import Depth, Missing
from gvm_client.text import ARE, counted
from gvm_server.cli.farm.clip import Clip, asked_frames, find_clip, needed_frames
from gvm_server.cli.farm.words import farm_request
from gvm_server.cli.matte.request import absolute
from gvm_server.cli.words import size_in_words

_BYTES = {Depth.HALF: 2, Depth.FLOAT: 4}


def run(parsed: argparse.Namespace) -> int:
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
