"""Whether the mattes that a node shows are those that its knobs and its plate would make today.

A node keeps, as one line of text, which frames were made of which request. Every function takes
that text; "" and a text that cannot be read mean that nothing was made.

Laws:
1. It is known frame by frame: a job of some frames says nothing of the others.
2. Only `is_plate_newer` and `stand_below` look at files. Nothing here contacts anybody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gvm_client.errors import SettingsError
from gvm_client.frames import format_frames, parse_frames
from gvm_client.protocol.messages import FileOutput, FilePlate, Matte
from gvm_nodes.naming import digest
from gvm_nodes.outputs import frame_path, modified

OUT_OF_DATE = "Out of date: the plate or a knob has changed since these mattes were made."
UP_TO_DATE = "The mattes fit the plate and the knobs."


@dataclass(frozen=True, kw_only=True, slots=True)
class _Made:
    """Where mattes lie, and which frames were made of each request, by the request's digest."""

    out: str
    frames: Mapping[str, frozenset[int]]


def record(text: str, job: Matte, frames: Iterable[int]) -> str:
    """Return the text with some frames made of a job's request."""
    out, key, new = _out(job), digest(job), frozenset(frames)
    before = _read(text)
    kept = before.frames if before is not None and before.out == out else {}
    table = {one: held - new for one, held in kept.items()}
    table[key] = table.get(key, frozenset()) | new
    ranges = {one: format_frames(held) for one, held in table.items() if held}
    return json.dumps({"out": out, "frames": ranges})


def is_out_of_date(text: str, wanted: Matte) -> bool:
    """Whether a matte is shown that today's knobs would not make.

    Args:
        text: what the node keeps.
        wanted: what the node would ask for now.
    """
    made = _read(text)
    if made is None:
        return False
    return made.out != _out(wanted) or bool(made.frames.keys() - {digest(wanted)})


def is_plate_newer(text: str, wanted: Matte) -> bool:
    """Whether a frame of the plate is newer than its matte; looks at the files of every matte."""
    made, plate = _read(text), wanted.plate
    assert isinstance(plate, FilePlate)  # noqa: S101 - a node asks for nothing else
    if made is None:
        return False
    return any(
        0.0 < modified(frame_path(made.out, frame)) < modified(frame_path(plate.path, frame))
        for frames in made.frames.values()
        for frame in frames
    )


def stand_below(text: str, folder: str, other: str = "") -> bool:
    """Whether the folder of the mattes stands below a folder, or, moved with it, below another."""
    made = _read(text)
    if made is None or not made.out.startswith(f"{folder}/"):
        return False
    return Path((other or folder) + made.out.removeprefix(folder)).parent.is_dir()


def _out(job: Matte) -> str:
    assert isinstance(job.output, FileOutput)  # noqa: S101 - a node asks for nothing else
    return job.output.path


def _read(text: str) -> _Made | None:
    try:
        fields = json.loads(text)
        frames = {key: frozenset(parse_frames(held)) for key, held in fields["frames"].items()}
        return _Made(out=str(fields["out"]), frames=frames)
    except (ValueError, TypeError, KeyError, AttributeError, SettingsError):
        return None  # nothing was made, or it cannot be told
