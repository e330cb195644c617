"""A side process whose server is not there: `python -m tests.fakes.side_python NOTES`.

It takes one job, of which a frame is ready every now and then, and writes into the file NOTES what
becomes of it: `closed` where the line was closed, which cancels the job.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from pathlib import Path

from gvm_client.protocol.messages import Done, FrameReady, JobEvent, Matte
from gvm_nodes.side import serve
from tests.fakes.transport import BEAT_SECONDS, FakeTransport


class NotingLine(FakeTransport):
    """A line that notes how it is left; a job of one frame ends, any other never does."""

    def __init__(self, notes: Path) -> None:
        super().__init__()
        self._notes = notes

    def matte(self, request: Matte) -> Generator[JobEvent, None, None]:
        """Go on until it is closed."""
        self._note("began")
        try:
            yield FrameReady(job=request.job, frame=1001, cached=False, path="/m")
            while request.frames != "1001":
                time.sleep(BEAT_SECONDS)
                yield self._progress(request, 1)
            yield Done(
                job=request.job,
                windows_run=1,
                windows_cached=0,
                frames_written=1,
                frames_kept=0,
                seconds=1,
            )
        except GeneratorExit:
            self._note("closed")
            raise

    def cancel(self, job: str) -> None:
        """Note it."""
        self._note(f"cancel {job}")

    def _note(self, word: str) -> None:
        with self._notes.open("a", encoding="utf-8") as notes:
            notes.write(f"{word}\n")


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout, NotingLine(Path(sys.argv[1])))
