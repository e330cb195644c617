"""What Natron calls: when a group changes, and before a Write renders a frame.

Laws:
1. Only a render makes mattes. It makes `AHEAD` frames at a time, whatever range it was given, so
   that it needs no range: NatronRenderer's own never reaches a callback.
2. An error leaves a render's callback, which ends the render; a change of the group shows nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from gvm_client.errors import GvmError
from gvm_client.settings import Priority
from gvm_nodes.make import Make
from gvm_nodes.natron.group import PLUGIN_ID, recipe_of, refresh

AHEAD = 16


def changed(group: Any) -> None:  # noqa: ANN401 - Natron's objects have no types
    """Follow a change of the group or of its input; an unfinished one is left for the render."""
    with suppress(GvmError):
        refresh(group)


class Mattes:
    """The mattes of one Natron; it remembers what a render has made already."""

    def __init__(self, make: Make) -> None:
        self._make = make
        self._made: dict[str, set[int]] = {}

    def before_render(self) -> None:
        """Forget what earlier renders made: plates may have changed since."""
        self._made.clear()

    def before_frame(self, frame: int, app: Any) -> None:  # noqa: ANN401
        """Make the alphas of a frame, and of those that come after it, for every group.

        Raises:
            GvmError: a matte failed, or a group has no plate.
        """
        for group in _groups(app):
            recipe = recipe_of(group)
            made = self._made.setdefault(recipe.to_text(), set())
            if frame in made:
                continue
            refresh(group)
            last = max(frame, min(frame + AHEAD - 1, _last(group)))
            self._make(recipe, f"{frame}-{last}", Priority.BATCH)
            made.update(range(frame, last + 1))


def _groups(app: Any) -> Iterator[Any]:  # noqa: ANN401
    """Yield the groups that are switched on."""
    for node in app.getChildren():
        if node.getPluginID() == PLUGIN_ID and not node.getParam("disableNode").get():
            yield node


def _last(group: Any) -> int:  # noqa: ANN401
    return int(group.getInput(0).getParam("lastFrame").get())
