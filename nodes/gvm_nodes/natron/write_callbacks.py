"""The Writes below a group, and the callbacks by which Natron calls us when they render.

A callback is a text in the project, which a colleague without GVM opens too. NatronRenderer waits
for ever for a frame whose callback it cannot find, so the text looks for our module itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from gvm_client.errors import ErrorCode, InputError
from gvm_nodes.natron.group import MODULE, is_ours, ours
from gvm_nodes.natron.parameters import IDENTITY, kept_text
from gvm_nodes.natron.program import INPUT, App, Effect, quietly

_NOT_INSTALLED = 'print("GVM is not installed here: mattes are rendered as they stand.")'


def _callback(function: str, arguments: str, otherwise: str = "None") -> str:
    """Return an expression that is our function, or one of the same arguments where we are not."""
    look = f'"try:\\n import {MODULE} as _gvm\\nexcept Exception:\\n _gvm = None"'
    return f'(exec({look}) or getattr(_gvm, "{function}", lambda {arguments}: {otherwise}))'


CALLBACKS: Mapping[str, str] = MappingProxyType(
    {
        "beforeRender": _callback("before_render", "thisNode, app", _NOT_INSTALLED),
        "beforeFrameRender": _callback("before_frame", "frame, thisNode, app"),
        "afterRender": _callback("after_render", "aborted, thisNode, app"),
    }
)
"""What a Write says, by its parameters' names."""


def set_up_writes(app: App, group: Effect) -> str:
    """Have the Writes below a group make its mattes, and return a sentence about them.

    Raises:
        InputError: none is below it, or one calls somebody else's function.
    """
    identity = kept_text(group, IDENTITY)
    found = [
        write
        for write in project_writes(app)
        if any(kept_text(one, IDENTITY) == identity for one in groups_above(write, app))
    ]
    if not found:
        raise InputError(
            f"No Write is below {group.getScriptName()}.",
            remedy="Connect one, then press this again.",
            code=ErrorCode.BAD_REQUEST,
        )
    for write in found:
        _refuse_foreign_callbacks(write)
    with quietly():
        for write in found:
            for name, call in CALLBACKS.items():
                write.getParam(name).set(call)
    names = ", ".join(str(write.getScriptName()) for write in found)
    return f"{names}: mattes are made when it renders."


def remove_callbacks(write: Effect) -> None:
    """Have a Write call nobody of ours."""
    with quietly():
        for name in CALLBACKS:
            if MODULE in str(write.getParam(name).get()):
                write.getParam(name).set("")


def project_writes(container: App | Effect) -> Iterator[Effect]:
    """Yield every Write of a project or a node, in Groups too, in their order."""
    for node in container.getChildren():
        if node.isWriterNode():
            yield node
        elif not is_ours(node):
            yield from project_writes(node)


def _refuse_foreign_callbacks(write: Effect) -> None:
    for name, call in CALLBACKS.items():
        now = str(write.getParam(name).get())
        if now and MODULE not in now:
            raise InputError(
                f"{write.getScriptName()} calls {now} already, as its {name}.",
                remedy=f"Call {MODULE}.{_function(call)} within it, or empty it and press again.",
                code=ErrorCode.BAD_REQUEST,
            )


def _function(call: str) -> str:
    return call.partition('getattr(_gvm, "')[2].partition('"')[0]


def groups_above(write: Effect, app: App) -> Iterator[Effect]:
    """Yield the groups of ours that a Write may read; any thread may ask.

    Within a Group what comes in from outside cannot be followed: there it is all of the project.
    """
    found: dict[str, Effect] = {}
    waiting = [write]
    while waiting:
        node = waiting.pop()
        if node.getPluginID() == INPUT:
            yield from ours(app)
            return
        for index in range(node.getMaxInputCount()):
            each = node.getInput(index)
            if each is not None and found.setdefault(each.getScriptName(), each) is each:
                waiting.append(each)
    for node in found.values():
        if is_ours(node):
            yield node
        else:
            yield from ours(node)
