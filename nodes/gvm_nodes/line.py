"""The way from a host's Python to the server: directly, or through a side process.

Law: nothing is contacted until `matte`, `cancel` or `release` is called.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from typing import Protocol

from gvm_client.errors import ErrorCode, JobFailed, ServerNotRunning
from gvm_client.protocol.lifecycle import error_of
from gvm_client.protocol.messages import Cancelled, Failed, JobEvent, Matte, Progress, ServerStatus


class Line(Protocol):
    """What a node asks of the server."""

    def matte(self, request: Matte) -> Generator[JobEvent, None, None]:
        """Ask for a matte and yield its events up to the last; closing it early cancels the job.

        Raises:
            GvmError: the server cannot be had, or was lost again and again.
        """

    def cancel(self, job: str) -> None:
        """End a job; one that is not known has ended already.

        Raises:
            GvmError: the server does not answer.
        """

    def release(self) -> None:
        """Have a running server give the GPU's memory back; without a server nothing holds it.

        Raises:
            GvmError: the server does not answer.
        """

    def status(self) -> ServerStatus | None:
        """Return what the server is doing, or None where none runs.

        Raises:
            GvmError: the server does not answer.
        """


class DirectLine:
    """The light client in this process; needs pyzmq and msgpack."""

    def matte(self, request: Matte) -> Generator[JobEvent, None, None]:
        """Ask for a matte, through the server's deaths; as `Line.matte`."""
        from gvm_client.session import Recovered, resilient_matte  # noqa: PLC0415 - loads ZeroMQ

        done = total = 0
        for event in resilient_matte(request):
            if isinstance(event, Recovered):
                yield Progress(
                    job=request.job,
                    frames_done=done,
                    frames_total=total,
                    windows_done=0,
                    windows_total=0,
                    note=event.message,
                )
                continue
            if isinstance(event, Progress):
                done, total = event.frames_done, event.frames_total
            yield event

    def cancel(self, job: str) -> None:
        """End a job; as `Line.cancel`."""
        from gvm_client.client import Client  # noqa: PLC0415

        with suppress(ServerNotRunning):
            try:
                with Client() as client:
                    client.cancel(job)
            except JobFailed as failed:
                if failed.code is not ErrorCode.UNKNOWN_JOB:
                    raise

    def release(self) -> None:
        """Give the GPU's memory back; as `Line.release`."""
        from gvm_client.client import Client  # noqa: PLC0415

        with suppress(ServerNotRunning), Client() as client:
            client.release()

    def status(self) -> ServerStatus | None:
        """Return what the server is doing; as `Line.status`."""
        from gvm_client.client import Client  # noqa: PLC0415

        with suppress(ServerNotRunning), Client() as client:
            return client.status()
        return None


def raise_ending(event: JobEvent) -> None:
    """Raise what a job ended with, if it ended badly.

    Raises:
        JobFailed: the server says that it failed.
        JobCancelled: it was cancelled.
    """
    if isinstance(event, Failed | Cancelled):
        raise error_of(event)
