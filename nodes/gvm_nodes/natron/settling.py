"""Groups that came with a project, a copy or the artist's hand: each is made whole and one's own.

Laws:
1. It contacts nobody, and changes nothing of a group that is as it should be.
2. Of groups with one identity the first in the project keeps it, with its job and its mattes.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from gvm_client.errors import GvmError
from gvm_nodes import asking
from gvm_nodes.desk import Desk
from gvm_nodes.natron import shown
from gvm_nodes.natron.api import App
from gvm_nodes.natron.group import ours, set_id
from gvm_nodes.natron.knobs import NEW, SHOWN, text
from gvm_nodes.natron.node import NatronHost, NatronNode

WAITS = "A render was under way when the project was saved; press Render Range to see it."


def settle(desk: Desk, host: NatronHost, app: App) -> None:
    """Put the groups of a project in order; on the main thread."""
    taken: set[str] = set()
    for group in ours(app):
        node = host.node(app, group)
        if node.identity in taken:
            set_id(group)
            node.job = ""
            node.say(NEW)
        elif node.job and not desk.is_running(node.identity):
            node.say(WAITS)
        taken.add(node.identity)
        with suppress(GvmError):  # a node inside is missing: said when the artist renders
            follow(node)
            open_if_needed(node)


def open_if_needed(node: NatronNode) -> None:
    """Have the Read inside learn its layers, where it was set before a matte stood and one does.

    Natron does nothing about what is set while a project is loaded.

    Raises:
        InputError: the Read inside was deleted.
    """
    wanted = shown.Shown.from_text(text(node.group, SHOWN))
    if wanted is None or shown.is_open(node.group) or not Path(wanted.file).parent.is_dir():
        return
    frame = shown.standing(wanted, range(wanted.first, wanted.last + 1))
    if frame is not None:
        shown.read_anew(node.group, wanted, frame)


def follow(node: NatronNode) -> None:
    """Let the Read inside stand where its plate stands, and show what it should.

    Mattes that were made stay, also when the parameters ask for others now. As long as none were,
    the Read shows what will be made, so that a render without the artist finds it.

    Raises:
        InputError: the Read inside was deleted.
    """
    wanted = shown.Shown.from_text(text(node.group, SHOWN))
    with suppress(GvmError):  # no plate, or no place for mattes yet
        pattern = asking.matte_pattern(node)
        if wanted is None or not node.made or wanted.file == pattern:
            wanted = shown.Shown.beside(node.plate(), pattern)
    if wanted is not None:
        shown.apply(node.group, wanted)
    else:
        shown.missing(node.group)
