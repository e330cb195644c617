"""Replies that fit their messages: errors, and a status of many jobs."""

from __future__ import annotations

from collections.abc import Iterable

from gvm_client.errors import GvmError
from gvm_client.limits import MAX_JOBS, MAX_MESSAGE_BYTES
from gvm_client.protocol.messages import Failed, JobSummary

_JOB_BYTES = 512  # of a job in a status, besides its texts
MAX_SENTENCE = 2000  # characters; at most 4 bytes each, so below the protocol's bound of a text


def sendable(text: str, bound: int = MAX_SENTENCE) -> str:
    """Return a text that fits a message: file names may hold bytes that are not UTF-8."""
    return text[:bound].encode(errors="backslashreplace").decode()


def page(jobs: Iterable[JobSummary]) -> tuple[JobSummary, ...]:
    """Return as many jobs as one status has room for, the first ones."""
    room, shown = MAX_MESSAGE_BYTES * 3 // 4, list[JobSummary]()
    for job in jobs:
        texts = (job.job, job.plate, job.output, job.note)
        room -= _JOB_BYTES + sum(len(text.encode()) for text in texts)
        if room < 0 or len(shown) == MAX_JOBS:
            break
        shown.append(job)
    return tuple(shown)


def failed_by(error: GvmError, *, job: str = "") -> Failed:
    """Return the reply that tells a client of an error."""
    return Failed(
        code=error.code,
        message=sendable(error.message),
        remedy=sendable(error.remedy),
        job=job,
        frame=error.frame,
        path=sendable(error.path),
    )
