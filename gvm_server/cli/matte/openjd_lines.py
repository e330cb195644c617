"""What a farm's task says while it runs: the lines that an Open Job Description session reads.

One line a message, and no message before its time: progress is of this task's frames.
"""

from __future__ import annotations

from types import TracebackType

from gvm_client.errors import GvmError
from gvm_client.protocol.messages import Accepted, FrameReady, Progress
from gvm_client.session import Recovered
from gvm_server.cli.matte.display import Shown, headlines


class OpenJdLines:
    """`openjd_progress`, `openjd_status` and `openjd_fail` on standard output."""

    def __init__(self) -> None:
        self._done = 0
        self._total = 1
        self._status = ""

    def __enter__(self) -> OpenJdLines:  # noqa: PYI034 (`Self` is not in Python 3.10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, GvmError):
            _say("openjd_fail", f"{error.message} {error.remedy}")

    def show(self, event: Shown) -> None:
        """Print how far the task is, and what it waits for where that is new."""
        if isinstance(event, (Accepted, Recovered)):
            for line in headlines(event):
                self.say(line)
        if isinstance(event, Accepted):
            self._done, self._total = 0, max(event.frames_total, 1)
        elif isinstance(event, FrameReady):
            self._done += 1
            _say("openjd_progress", f"{100 * self._done / self._total:.1f}")
        elif isinstance(event, Progress) and event.note != self._status:
            self._status = event.note
            self.say(event.note or "The model runs.")

    def say(self, text: str) -> None:
        """Print a status."""
        _say("openjd_status", text)

    def note(self, text: str) -> None:
        """Print a status."""
        self.say(text)


def _say(word: str, text: str) -> None:
    print(f"{word}: {' '.join(text.split())}", flush=True)
