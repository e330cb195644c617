"""The jobs of this Nuke session: one at a time for each node, found by the node's own name.

Laws:
1. The thread that follows a job touches no node: it hands updates to the main thread.
2. A node that was renamed is found, one that was deleted is not missed; its job goes on.
3. Without a GUI a job runs to its end on the caller's thread, and its error is raised.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial

import nuke

from gvm_client.errors import ErrorCode, GvmError, LocalProtocolError
from gvm_client.protocol.messages import Matte
from gvm_nodes.line import open_line
from gvm_nodes.nuke import shown
from gvm_nodes.nuke.group import find, node_id
from gvm_nodes.work import Phase, Update, Work

_works: dict[str, Work] = {}  # by the node's own name


def start(node: nuke.Group, request: Matte) -> None:
    """Ask for a job and follow it.

    Raises:
        GvmError: the node has a job already; or, without a GUI, the job ended badly.
    """
    identity = node_id(node)
    if is_running(identity):
        raise LocalProtocolError(
            f"{node.name()} is rendering already.",
            remedy="Wait for it, or press Cancel first.",
            code=ErrorCode.ILLEGAL_MOVE,
        )
    work = Work(request, partial(_told, identity, request))
    _works[identity] = work
    node["gvm_job"].setValue(request.job)
    shown.status(node, "Asking the server.")
    if nuke.GUI:
        work.start()
        return
    result = work.run()
    if result.error is not None:
        raise result.error


def cancel(node: nuke.Group) -> bool:
    """End the node's job, also one of an earlier session; return whether it has one."""
    identity, job = node_id(node), str(node["gvm_job"].value())
    if is_running(identity):
        _works[identity].cancel()
        return True
    if job:
        node["gvm_job"].setValue("")
        threading.Thread(target=_cancel, args=(job,), name="gvm-cancel", daemon=True).start()
    return bool(job)


def is_running(identity: str) -> bool:
    """Whether this session follows a job of the node with this name."""
    return identity in _works and _works[identity].is_running


def release(node: nuke.Group) -> None:
    """Have the server give the GPU's memory back, from another thread."""
    identity = node_id(node)
    threading.Thread(target=_release, args=(identity,), name="gvm-release", daemon=True).start()


def _told(identity: str, request: Matte, update: Update) -> None:
    if nuke.GUI:
        nuke.executeInMainThread(_show, (identity, request, update))
    else:
        _show(identity, request, update)


def _show(identity: str, request: Matte, update: Update) -> None:
    node = find(identity)
    if node is None:
        return
    shown.status(node, update.sentence, failed=update.phase is Phase.FAILED)
    if update.ready or update.phase is Phase.DONE:
        shown.mattes(node, request)
    if update.phase is not Phase.WORKING:
        node["gvm_job"].setValue("")


def _cancel(job: str) -> None:
    with suppress(GvmError):  # no server, no job
        open_line().cancel(job)


def _release(identity: str) -> None:
    sentence = "The GPU's memory was given back."
    try:
        open_line().release()
    except GvmError as error:
        sentence = str(error)
    nuke.executeInMainThread(_say, (identity, sentence))


def _say(identity: str, sentence: str) -> None:
    node = find(identity)
    if node is not None:
        shown.status(node, sentence)
