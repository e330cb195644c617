"""What a node saves with its document: its identity, its job, and how its mattes were made.

A job's name is a hash of the node and the request, so that asking again finds a job that still
runs. `matte_digest` is a hash of what changes a matte: it leaves out which frames are asked for, in
which order, and how urgently.

Which frames were made of which request is one line of text, kept frame by frame: a job of some
frames changes nothing that is known of the others. "" and a text that cannot be read mean that
nothing was made. Only `is_plate_newer` and `mattes_below` look at files.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gvm_client.errors import SettingsError
from gvm_client.frames import format_frames, parse_frames
from gvm_client.protocol.fields import pack_fields
from gvm_client.protocol.messages import FileOutput, FilePlate, JobContext, Matte
from gvm_client.request import UNNAMED
from gvm_client.settings import Priority
from gvm_nodes.core.clips import frame_path, modified_time, percent_pattern

_IDENTITY_LENGTH = 6  # hexadecimal digits
_DIGEST_LENGTH = 32  # hexadecimal digits: a job's name
_PRIORITIES = "|".join(priority.value for priority in Priority)
_TICKET = re.compile(rf"([0-9a-f]{{{_DIGEST_LENGTH}}}) ({_PRIORITIES}) (\S+)")

OUT_OF_DATE = "Out of date: the plate or a knob has changed since these mattes were made."
UP_TO_DATE = "The mattes fit the plate and the knobs."


def new_identity() -> str:
    """Return a short name for a new node: it stands in paths, and is told apart in one document."""
    return uuid.uuid4().hex[:_IDENTITY_LENGTH]


def with_job_name(request: Matte, node: str) -> Matte:
    """Return the request under the name that this node's job of it has."""
    return replace(request, job=_request_hash(node, replace(request, job=UNNAMED, playhead=None)))


def ticket(request: Matte) -> str:
    """Return what a node keeps of a job that it waits for: its name, and what it was asked for."""
    return f"{request.job} {request.priority.value} {request.frames}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """A job that a node waited for when its document was saved."""

    job: str
    priority: Priority
    frames: str
    """A range text."""


def read_ticket(text: str) -> Ticket | None:
    """Return what `ticket` wrote; None for anything else."""
    found = _TICKET.fullmatch(text)
    if found is None:
        return None
    return Ticket(job=found[1], priority=Priority(found[2]), frames=found[3])


def matte_digest(request: Matte) -> str:
    """Return a short text that is equal for equal mattes of equal plates."""
    there = request.context
    return _request_hash(
        "",
        replace(
            request,
            job=UNNAMED,
            frames="",
            max_frames=0,
            playhead=None,
            priority=Priority.RANGE,
            # Where they lie on this machine changes a matte; modes and demands do not.
            context=JobContext(
                ocio=there.ocio, ocio_variables=there.ocio_variables, weights=there.weights
            ),
        ),
    )


def _request_hash(salt: str, request: Matte) -> str:
    text = json.dumps([salt, pack_fields(request, "matte")], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]


@dataclass(frozen=True, kw_only=True, slots=True)
class _MadeMattes:
    """Where mattes lie, and which frames were made of each request, by the request's digest."""

    out: str
    frames: Mapping[str, frozenset[int]]


def record_made(text: str, job: Matte, frames: Iterable[int]) -> str:
    """Return the text with some frames made of a job's request."""
    out, key, new = _output_path(job), matte_digest(job), frozenset(frames)
    before = _read_made(text)
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
    made = _read_made(text)
    if made is None:
        return False
    return made.out != _output_path(wanted) or bool(made.frames.keys() - {matte_digest(wanted)})


def is_plate_newer(text: str, wanted: Matte) -> bool:
    """Whether a frame of the plate, or of a guide, is newer than its matte; looks at all files."""
    made, plate = _read_made(text), wanted.plate
    assert isinstance(plate, FilePlate)  # noqa: S101 - a node asks for nothing else
    if made is None:
        return False
    sources = [plate.path, *map(percent_pattern, filter(None, wanted.guides.paths.values()))]
    return any(
        0.0 < modified_time(frame_path(made.out, frame)) < newest
        for frames in made.frames.values()
        for frame in frames
        for newest in (max(modified_time(frame_path(path, frame)) for path in sources),)
    )


def mattes_below(text: str, folder: str, other: str = "") -> bool:
    """Whether the folder of the mattes stands below a folder, or, moved with it, below another."""
    made = _read_made(text)
    if made is None or not made.out.startswith(f"{folder}/"):
        return False
    return Path((other or folder) + made.out.removeprefix(folder)).parent.is_dir()


def _output_path(job: Matte) -> str:
    assert isinstance(job.output, FileOutput)  # noqa: S101 - a node asks for nothing else
    return job.output.path


def _read_made(text: str) -> _MadeMattes | None:
    try:
        fields = json.loads(text)
        frames = {key: frozenset(parse_frames(held)) for key, held in fields["frames"].items()}
        return _MadeMattes(out=str(fields["out"]), frames=frames)
    except (ValueError, TypeError, KeyError, AttributeError, SettingsError):
        return None  # nothing was made, or it cannot be told
