"""The rules of the protocol: which message may follow which, for one job, and how a job ends.

- Everything that decides whether a message is legal stands in `JOB_TRANSITIONS`.
- Client and server walk the same table; whoever breaks it gets an error and nothing changes.
- A job ends once: after `done`, `failed` or `cancelled` only asking again begins anew.

Two moves are legal everywhere, because two messages may cross on their way: a `cancel` of a job
that has just ended, and a `matte` that asks for a known job again. Whoever asks again is told from
there on, beginning with `accepted`. A `progress` never changes a state: it is the heartbeat, and a
job that is only looked at, or that waits for its turn, has one too.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from gvm_client.errors import ErrorCode, JobCancelled, JobFailed, LocalProtocolError, ProtocolError
from gvm_client.protocol.messages import (
    Accepted,
    Cancel,
    Cancelled,
    Done,
    Failed,
    FrameReady,
    GiveFrames,
    JobEvent,
    Matte,
    NeedFrames,
    Ping,
    Progress,
    Release,
    Status,
    Stop,
)

# What a client may say on each socket: a cancel must not queue behind work.
WorkRequest = Matte | GiveFrames
ControlRequest = Ping | Status | Cancel | Stop | Release


class JobState(str, Enum):
    """Where a job stands."""

    ASKED = "asked"
    """The request is on its way, or its input is being looked at."""
    ACCEPTED = "accepted"
    """Its input is good; it waits for its turn or for its first frame."""
    RUNNING = "running"
    """Frames are asked for or have come."""
    DONE = "done"
    """Every frame is there."""
    FAILED = "failed"
    """It ended with an error; what was finished before stays."""
    CANCELLED = "cancelled"
    """It was ended on request; what was finished before stays."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more comes."""
        return self in _FINAL


_FINAL = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)

JobMessage = Matte | GiveFrames | Cancel | JobEvent

_ALWAYS: Mapping[type[JobMessage], JobState | None] = {Matte: JobState.ASKED, Cancel: None}
_ENDS: Mapping[type[JobMessage], JobState | None] = {
    Failed: JobState.FAILED,
    Cancelled: JobState.CANCELLED,
}
_WORK: Mapping[type[JobMessage], JobState | None] = {
    Progress: None,
    NeedFrames: JobState.RUNNING,
    FrameReady: JobState.RUNNING,
    Done: JobState.DONE,
}

# The messages that are legal in a state, and the state that each leads to; None stays.
JOB_TRANSITIONS: Mapping[JobState, Mapping[type[JobMessage], JobState | None]] = MappingProxyType(
    {
        JobState.ASKED: {**_ALWAYS, Progress: None, Accepted: JobState.ACCEPTED, **_ENDS},
        JobState.ACCEPTED: {**_ALWAYS, **_WORK, **_ENDS},
        JobState.RUNNING: {**_ALWAYS, GiveFrames: None, **_WORK, **_ENDS},
        # Frames may still be on their way to a job that has ended.
        JobState.DONE: {**_ALWAYS, GiveFrames: None},
        JobState.FAILED: {**_ALWAYS, GiveFrames: None},
        JobState.CANCELLED: {**_ALWAYS, GiveFrames: None},
    }
)


def next_state(
    state: JobState, message: JobMessage, *, blame: type[ProtocolError] = LocalProtocolError
) -> JobState:
    """Return the state that a message leads to.

    Args:
        state: where the job stands.
        message: what is said.
        blame: whose doing an illegal message is; `RemoteProtocolError` for one that was received.

    Raises:
        ProtocolError: of class `blame`, code ILLEGAL_MOVE; the message is illegal in this state.
    """
    moves = JOB_TRANSITIONS[state]
    if type(message) not in moves:
        raise blame(
            f"{type(message).__name__} is not legal in a job that is {state.value}.",
            code=ErrorCode.ILLEGAL_MOVE,
        )
    return moves[type(message)] or state


def error_of(event: Failed | Cancelled) -> JobFailed | JobCancelled:
    """Return the error that says what the server said."""
    if isinstance(event, Cancelled):
        return JobCancelled(f"The job was cancelled. {event.reason}".strip())
    return JobFailed(
        event.message, remedy=event.remedy, code=event.code, frame=event.frame, path=event.path
    )
