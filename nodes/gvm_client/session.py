"""A matte that survives the server's death: it starts another and asks again.

Asking again is harmless: the job keeps its name, and what was finished is not made twice.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass

from gvm_client.client import Client
from gvm_client.connection import ConnectionFile, read_connection
from gvm_client.errors import ServerLost
from gvm_client.folders import runtime_dir
from gvm_client.launcher import ensure_server
from gvm_client.own_server import OwnServer
from gvm_client.protocol.messages import GiveFrames, JobEvent, Matte, NeedFrames

MAX_RECOVERIES = 3  # a job that kills the server each time must not do so for ever

Give = Callable[[NeedFrames], GiveFrames]


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovered:
    """The server was lost; another one is started and the job is asked for again.

    Or an older server that had no job was replaced by a newer one, before the job was asked for.

    Not a message: it exists only on the client's side, between two rounds of a job's events.
    """

    job: str
    attempt: int
    """1 for the first recovery; 0 where an older server was replaced."""
    message: str
    """What happened and what is done about it, in whole sentences."""


def resilient_matte(
    request: Matte,
    *,
    give: Give | None = None,
    start: bool = True,
    own: OwnServer | None = None,
) -> Generator[JobEvent | Recovered, None, None]:
    """Ask for a matte and yield its events, as `Client.matte`, through the server's deaths.

    Args:
        request: what to make.
        give: maps the pixels that a pushed plate's `NeedFrames` asks for.
        start: whether a server may be started; else one must run.
        own: the server of this command alone; None takes the one that all share.

    Raises:
        ServerLost: the server was lost more than `MAX_RECOVERIES` times.
        GvmError: as `ensure_server` and `Client.matte`.
    """
    replaced: list[str] = []

    def connect() -> ConnectionFile:
        return own.connect() if own is not None else _connect(start=start, say=replaced.append)

    connection = connect()
    for message in replaced:
        yield Recovered(job=request.job, attempt=0, message=message)
    for attempt in range(1, MAX_RECOVERIES + 2):
        try:
            yield from _matte_once(request, connection, give)
        except ServerLost as lost:
            if attempt > MAX_RECOVERIES or not start:
                raise
            message = f"{lost.message} The job is asked for again."
        else:
            return
        # Said first: starting a server takes longer than an artist should wonder.
        yield Recovered(job=request.job, attempt=attempt, message=message)
        connection = connect()


def _connect(*, start: bool, say: Callable[[str], None]) -> ConnectionFile:
    return ensure_server(say=say) if start else read_connection(runtime_dir())


def _matte_once(
    request: Matte, connection: ConnectionFile, give: Give | None
) -> Generator[JobEvent, None, None]:
    # Closed here, not when Python finds the time: that is what cancels an abandoned job.
    with Client(connection) as client, closing(client.matte(request)) as events:
        for event in events:
            yield event
            if give is not None and isinstance(event, NeedFrames):
                client.answer(give(event))
