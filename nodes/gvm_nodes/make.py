"""Alphas of a recipe, made while the caller waits: for scripts and batch renders."""

from __future__ import annotations

from collections.abc import Callable

from gvm_client.settings import Priority
from gvm_nodes.alphas import Recipe
from gvm_nodes.line import Line, open_line
from gvm_nodes.work import Update, Work

Say = Callable[[str], None]
Make = Callable[[Recipe, str, Priority], None]
"""Makes the frames of a range text; raises a `GvmError` where it cannot."""


def maker(say: Say, line: Callable[[], Line] = open_line) -> Make:
    """Return what makes alphas; `say` hears how it goes, a line at a time."""

    def tell(update: Update) -> None:
        if update.error is None:
            say(update.sentence)

    def make(recipe: Recipe, frames: str, priority: Priority) -> None:
        say(f"{recipe.plate}, frames {frames or 'all'}, to {recipe.alphas}")
        last = Work(recipe.request(frames, priority), tell, line=line).run()
        if last.error is not None:
            raise last.error

    return make
