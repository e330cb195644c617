"""The bar that `gvm matte` shows on a terminal; rich is loaded for it alone."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import (
    Progress as Bar,
)
from rich.text import Text

from gvm_client.protocol.messages import Accepted, FrameReady, Progress
from gvm_client.text import one_line, printable
from gvm_server.cli.matte.display import Shown, headlines
from gvm_server.cli.terminal import on_terminal


class RichBar:
    """A bar with frames done, frames per second and time left, on a terminal."""

    def __init__(self) -> None:
        self._console = Console(file=on_terminal(sys.stderr))
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _FramesPerSecond(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=self._console,
        )
        self._task = self._bar.add_task("matte", total=None, note="")

    def __enter__(self) -> RichBar:  # noqa: PYI034
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, event: Shown) -> None:
        """Move the bar, and say above it what the artist should know."""
        for line in headlines(event):
            self.say(line)
        if isinstance(event, Accepted):
            self._bar.update(self._task, total=event.frames_total, completed=0)
        elif isinstance(event, FrameReady):
            self._bar.update(self._task, advance=1, note="")
        elif isinstance(event, Progress):
            self._bar.update(self._task, note=one_line(event.note))

    def say(self, text: str) -> None:
        """Print above the bar."""
        self._console.print(printable(text), highlight=False, markup=False)

    def note(self, text: str) -> None:
        """Print above the bar."""
        self.say(text)


class _FramesPerSecond(ProgressColumn):
    """Frames per second, from the bar's own measurement."""

    def render(self, task: Task) -> Text:
        """Return the rate, or a dash before there is one."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.2f} frames/s" if speed else "- frames/s")
