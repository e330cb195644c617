"""Errors as replies."""

from __future__ import annotations

from gvm_client.errors import GvmError
from gvm_client.protocol.messages import Failed

MAX_SENTENCE = 2000  # characters; at most 4 bytes each, so below the protocol's bound of a text


def failed_by(error: GvmError, *, job: str = "") -> Failed:
    """Return the reply that tells a client of an error."""
    return Failed(
        code=error.code,
        message=_sendable(error.message),
        remedy=_sendable(error.remedy),
        job=job,
        frame=error.frame,
        path=_sendable(error.path),
    )


def _sendable(text: str) -> str:
    """Return a text that fits a message: file names may hold bytes that are not UTF-8."""
    return text[:MAX_SENTENCE].encode(errors="backslashreplace").decode()
