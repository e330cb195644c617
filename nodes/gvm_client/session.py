"""A matte that survives the server's death: it starts another and asks again.

Asking again is harmless: the job keeps its name, and what was finished is not made twice.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass

from gvm_client.client import Client
from gvm_client.connection import ConnectionFile
from gvm_client.errors import ServerLost
from gvm_client.launcher import ensure_server
from gvm_client.protocol.messages import GiveFrames, JobEvent, Matte, NeedFrames

MAX_RECOVERIES = 3  # a job that kills the server each time must not do so for ever

Give = Callable[[NeedFrames], GiveFrames]


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovered:
    """The server was lost and another one runs; the job is asked for again.

    Not a message: it exists only on the client's side, between two rounds of a job's events.
    """

    job: str
    attempt: int
    """1 for the first recovery."""
    reason: str
    """What happened, in one sentence."""


def resilient_matte(
    request: Matte,
    *,
    give: Give | None = None,
    connect: Callable[[], ConnectionFile] = ensure_server,
) -> Generator[JobEvent | Recovered, None, None]:
    """Ask for a matte and yield its events, as `Client.matte`, through the server's deaths.

    Args:
        request: what to make.
        give: maps the pixels that a pushed plate's `NeedFrames` asks for.
        connect: finds or starts the server.

    Raises:
        ServerLost: the server was lost more than `MAX_RECOVERIES` times.
        GvmError: as `connect` and `Client.matte`.
    """
    connection = connect()
    for attempt in range(1, MAX_RECOVERIES + 2):
        try:
            yield from _matte_once(request, connection, give)
        except ServerLost as lost:
            if attempt > MAX_RECOVERIES:
                raise
            reason = lost.message
        else:
            return
        connection = connect()
        yield Recovered(job=request.job, attempt=attempt, reason=reason)


def _matte_once(
    request: Matte, connection: ConnectionFile, give: Give | None
) -> Generator[JobEvent, None, None]:
    # Closed here, not when Python finds the time: that is what cancels an abandoned job.
    with Client(connection) as client, closing(client.matte(request)) as events:
        for event in events:
            yield event
            if give is not None and isinstance(event, NeedFrames):
                client.answer(give(event))
