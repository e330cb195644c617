"""Alphas of recipes, made while a script waits: where it works, and one clip after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from gvm_client.settings import Priority
from gvm_nodes.alphas import Recipe
from gvm_nodes.connect import open_line
from gvm_nodes.line import Line
from gvm_nodes.work import Update, Work

Say = Callable[[str], None]

_T = TypeVar("_T")


class Bench(Protocol):
    """Where a script does its work: a terminal, or a window with a Cancel button."""

    def say(self, sentence: str) -> None:
        """Show where the script stands."""

    def make(self, recipe: Recipe, frames: str, priority: Priority) -> None:
        """Make the frames of a range text, and wait for them.

        Raises:
            GvmError: it cannot; a `JobCancelled` where the artist does not want it any more.
        """

    def pause(self, seconds: float) -> None:
        """Wait before the next look at a render.

        Raises:
            JobCancelled: the artist does not want it any more.
        """


class Terminal:
    """A bench without a window: every sentence is a line, and Ctrl-C is the Cancel."""

    def __init__(self, say: Say, line: Callable[[], Line] = open_line) -> None:
        self._say, self._line = say, line

    def say(self, sentence: str) -> None:
        """Write a line; as `Bench.say`."""
        self._say(sentence)

    def make(self, recipe: Recipe, frames: str, priority: Priority) -> None:
        """Make frames on this thread and write how it goes; as `Bench.make`."""
        self._say(f"{recipe.plate}, frames {frames or 'all'}, to {recipe.alphas}")
        last = Work(recipe.request(frames, priority), self._tell, line=self._line).run()
        if last.error is not None:
            raise last.error

    def pause(self, seconds: float) -> None:
        """Sleep; as `Bench.pause`."""
        time.sleep(seconds)

    def _tell(self, update: Update) -> None:
        if update.error is None:
            self._say(update.sentence)


def numbered(bench: Bench, clips: Sequence[tuple[Recipe, _T]]) -> Iterator[tuple[Recipe, _T]]:
    """Yield clips one after the other; before each, say which of how many it is."""
    for number, (recipe, more) in enumerate(clips, 1):
        bench.say(f"Clip {number} of {len(clips)}, {recipe.plate.rpartition('/')[2]}.")
        yield recipe, more
