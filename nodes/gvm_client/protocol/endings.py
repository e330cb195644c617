"""How a job ended badly, as an error that can be raised."""

from __future__ import annotations

from gvm_client.errors import JobCancelled, JobFailed
from gvm_client.protocol.messages import Cancelled, Failed


def error_of(event: Failed | Cancelled) -> JobFailed | JobCancelled:
    """Return the error that says what the server said."""
    if isinstance(event, Cancelled):
        return JobCancelled(f"The job was cancelled. {event.reason}".strip())
    return JobFailed(
        event.message, remedy=event.remedy, code=event.code, frame=event.frame, path=event.path
    )
