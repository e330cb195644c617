"""The side process: the client for a host whose Python cannot load pyzmq.

`python -m gvm_nodes.side` reads one request as a JSON line on its standard input, and writes one
line an event. A node of another release may start it: its name and its lines are an interface
(`core.transport` has the host's end and the lines).

When the host ends without a word, its job is cancelled; a job of the priority `BATCH` goes on in
the server.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import closing
from typing import TextIO

from gvm_client.errors import GvmError
from gvm_client.protocol.messages import (
    Cancel,
    Failed,
    Matte,
    Release,
    Status,
)
from gvm_client.settings import Priority
from gvm_nodes.core.transport import (
    DirectTransport,
    SideMessage,
    Transport,
    from_line,
    to_line,
)


def serve(asked: TextIO, answers: TextIO, transport: Transport) -> None:
    """Hold one conversation: read what is asked, and write a line for each event.

    The process is left at once where the host is gone and its job goes on alone.
    """
    host = _HostEnd(asked, answers)
    try:
        said = host.asks()
        if isinstance(said, Matte):
            _serve_matte(said, host, transport)
        elif isinstance(said, Cancel):
            transport.cancel(said.job)
        elif isinstance(said, Release):
            transport.release()
        elif isinstance(said, Status) and (status := transport.status()) is not None:
            host.tell(status)
    except GvmError as error:
        failed = Failed(
            code=error.code,
            message=error.message,
            remedy=error.remedy,
            frame=error.frame,
            path=error.path,
        )
        host.tell(failed)


class _HostEnd:
    """The host, as the side process has it: at the other end of two pipes.

    Attributes:
        cancels: it has said that it wants the job no more.
        is_gone: it will say and hear nothing more.
    """

    def __init__(self, asked: TextIO, answers: TextIO) -> None:
        self._asked, self._answers = asked, answers
        self.cancels = threading.Event()
        self.is_gone = threading.Event()

    def asks(self) -> object:
        """Return what it asks for; None where it is gone.

        Raises:
            RemoteProtocolError: it is no message.
        """
        line = self._asked.readline()
        return from_line(line) if line else None

    def listen(self) -> None:
        """Hear from now on, on another thread, whether it cancels or is gone."""
        threading.Thread(target=self._listen, daemon=True).start()

    def tell(self, said: SideMessage) -> None:
        """Say something, if it is there to hear it."""
        try:
            self._answers.write(to_line(said))
            self._answers.flush()
        except OSError:
            self.is_gone.set()

    def _listen(self) -> None:
        (self.cancels if self._asked.readline() else self.is_gone).set()


def _serve_matte(request: Matte, host: _HostEnd, transport: Transport) -> None:
    host.listen()
    with closing(transport.matte(request)) as events:  # closing it early cancels the job
        for event in events:  # the first is the server's: from then on the job is there
            if host.cancels.is_set():
                return
            if host.is_gone.is_set():
                if request.priority is Priority.BATCH:
                    os._exit(0)  # any other way out closes the events
                return
            host.tell(event)


if __name__ == "__main__":
    answers = sys.stdout
    sys.stdout = sys.stderr  # what anything else prints is no message
    serve(sys.stdin, answers, DirectTransport())
