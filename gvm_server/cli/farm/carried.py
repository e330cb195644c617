"""The files that a farm's tasks read, for a farm that carries them to its hosts.

- Of a sequence only what the asked frames need: their windows' frames, and where one is missing,
  what stands in for it there as it does here.
- The canvas is all frames' (`media/geometry.py`): where those alone would have another, the frames
  that make it so are carried too, so that the mattes are the same.
"""

from __future__ import annotations

import argparse
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from gvm_client.errors import InputError
from gvm_nodes.farm.deadline_cloud import CarriedFiles
from gvm_nodes.farm.job import FarmJob, FarmPath, joined
from gvm_server.cli.farm.clip import plate_options
from gvm_server.matting.engines.gvm.weights_folder import MANIFEST, is_weights_file
from gvm_server.media.file_access import Roots
from gvm_server.media.geometry import Box
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.find import SequencePath, resolve_plate
from gvm_server.media.plates.sequence import ImageFiles, ImagePlate, scan_sequence

# How far a box reaches, on each of its sides.
_REACHES: tuple[Callable[[Box], int], ...] = (
    lambda box: -box.x,
    lambda box: -box.y,
    lambda box: box.x + box.width,
    lambda box: box.y + box.height,
)


def carried_files(parsed: argparse.Namespace, job: FarmJob) -> CarriedFiles:
    """Return the files that the job's tasks read; all are there.

    Raises:
        InputError: one is not there.
    """
    files: list[Path] = []
    if not job.plate_command:
        files += plate_files(plate_options(parsed), job.plate_frames)
    for path in job.paths:
        files += _files_of(path, job.frames)
    named = [one for one in job.plate_inputs if not one.is_command]
    files += [Path(one.path) for one in named if not one.is_folder]
    return CarriedFiles(
        files=tuple(sorted({str(file) for file in files})),
        folders=tuple(one.path for one in named if one.is_folder),
    )


def plate_files(options: PlateOptions, needed: Sequence[int]) -> list[Path]:
    """Return a plate's files for these frames, in which its canvas is what it is with all files.

    Args:
        options: how it is read.
        needed: the frames, at least one.

    Raises:
        InputError: it is not there, or unreadable.
    """
    place = resolve_plate(options.path)
    if not isinstance(place, SequencePath):
        return [Path(str(place))]
    files = scan_sequence(place)
    carried = _with_stand_ins(files.frames, needed)
    carried |= _for_the_canvas(files, options, carried)
    return [files.path(frame) for frame in sorted(carried)]


def _with_stand_ins(there: Iterable[int], needed: Iterable[int]) -> set[int]:
    """Return the frames that are there, or the nearest earlier one, else the first."""
    ascending = sorted(there)
    places = (max(bisect_right(ascending, frame) - 1, 0) for frame in needed)
    return {ascending[place] for place in places}


def _for_the_canvas(files: ImageFiles, options: PlateOptions, carried: set[int]) -> set[int]:
    """Return the frames without which the clip's canvas would be another."""
    with closing(ImagePlate(files, options, roots=Roots())) as plate:
        whole = plate.geometry()
        part = replace(files, frames=frozenset(carried))
        alone = ImagePlate(part, options, roots=Roots()).geometry()
        if (alone.display, alone.canvas, alone.pixel_aspect) == (
            whole.display,
            whole.canvas,
            whole.pixel_aspect,
        ):
            return set()
        in_clip = (frame for frame in files.frames if plate.first <= frame <= plate.last)
        frames = sorted(set(in_clip) - set(whole.left_out))
        boxes = {frame: plate.header(frame).data for frame in frames}
    return {frames[0], *(max(frames, key=lambda one: reach(boxes[one])) for reach in _REACHES)}


def _files_of(path: FarmPath, frames: Sequence[int]) -> Iterator[Path]:
    """Yield the files of a guide, of the weights or of an adapter."""
    whole = Path(joined(path.folder, path.file))
    if path.name == "weights":
        yield from _below(whole, lambda name: is_weights_file(name) or name == MANIFEST)
        return
    if whole.is_dir():
        yield from _below(whole, lambda _: True)
        return
    place = resolve_plate(str(whole)) if path.name != "lora" else whole
    if isinstance(place, SequencePath):
        files = scan_sequence(place)
        yield from map(files.path, sorted(_with_stand_ins(files.frames, frames)))
    else:
        yield Path(str(place))


def _below(folder: Path, wanted: Callable[[str], bool]) -> list[Path]:
    found = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    kept = [file for file in found if wanted(file.relative_to(folder).as_posix())]
    if not kept:
        raise InputError(
            f"There is nothing to be carried in {folder}.",
            remedy="Name the folder that holds the files.",
            path=str(folder),
        )
    return kept
