"""What a node asks for, and the names that follow from it.

Laws:
1. A job's name follows from the node and the request, so asking again finds a job that still runs.
2. The digest leaves out what does not change a matte: which frames, in which order, how urgently.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from dataclasses import dataclass, replace

from gvm_client.protocol.fields import pack_fields
from gvm_client.protocol.messages import JobContext, Matte
from gvm_client.request import UNNAMED
from gvm_client.settings import Priority

_IDENTITY_LENGTH = 6  # hexadecimal digits
_DIGEST_LENGTH = 32  # hexadecimal digits: a job's name
_PRIORITIES = "|".join(priority.value for priority in Priority)
_TICKET = re.compile(rf"([0-9a-f]{{{_DIGEST_LENGTH}}}) ({_PRIORITIES}) (\S+)")


def new_identity() -> str:
    """Return a short name for a new node: it stands in paths, and is told apart in one document."""
    return uuid.uuid4().hex[:_IDENTITY_LENGTH]


def named(request: Matte, node: str) -> Matte:
    """Return the request under the name that this node's job of it has."""
    return replace(request, job=_hash(node, replace(request, job=UNNAMED, playhead=None)))


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


def digest(request: Matte) -> str:
    """Return a short text that is equal for equal mattes of equal plates."""
    there = request.context
    return _hash(
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


def _hash(salt: str, request: Matte) -> str:
    text = json.dumps([salt, pack_fields(request, "matte")], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]
