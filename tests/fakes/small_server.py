"""A server process with no model: `python -m tests.fakes.small_server [fail | die [MARKER]]`.

`fail` writes to its log and leaves at once. `die` kills itself as soon as a job is accepted; with a
MARKER just once: it leaves that file behind, and does not die where it exists.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from gvm_client.folders import LOG_NAME, runtime_dir
from gvm_client.protocol.messages import Matte
from gvm_client.protocol.wire import Envelope
from gvm_server.service.endpoint import Endpoint
from tests.support.serving import SmallServer


class DyingServer(SmallServer):
    """Kills its process between the first job's `accepted` and its first frame."""

    def __init__(self, endpoint: Endpoint, marker: Path | None) -> None:
        super().__init__(endpoint)
        self._marker = marker
        self._dying = False

    def on_work(self, peer: bytes, envelope: Envelope) -> None:
        """Take the first job as one that falls silent."""
        spared = self._marker is not None and self._marker.exists()
        if isinstance(envelope.message, Matte) and not spared:
            if self._marker is not None:
                self._marker.touch()
            self._dying = True
            silent = Matte(
                job=envelope.message.job,
                plate=envelope.message.plate,
                output=envelope.message.output,
                frames="silent",
            )
            envelope = Envelope(version=1, request=envelope.request, message=silent)
        super().on_work(peer, envelope)

    def on_tick(self) -> None:
        """Die once the first job is accepted."""
        super().on_tick()
        if self._dying:
            os.kill(os.getpid(), signal.SIGKILL)


def main(words: list[str]) -> int:
    """Serve until stopped."""
    if words[:1] == ["fail"]:
        sys.stderr.write("starting\nno such device: cuda:7\n")
        return 3
    folder = runtime_dir()
    endpoint = Endpoint(folder, log=str(folder / LOG_NAME))
    server = SmallServer(endpoint)
    if words[:1] == ["die"]:
        server = DyingServer(endpoint, Path(words[1]) if words[1:] else None)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: endpoint.stop())
    endpoint.run(server)
    endpoint.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
