"""The jobs of one host session: one at a time for each node, found by the node's identity.

Laws:
1. The threads that follow jobs touch no node: they hand updates to the host's main thread.
2. A node that was deleted is not missed; its job goes on.
3. In batch a job runs to its end on the caller's thread, and its error is raised.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from gvm_client.errors import ErrorCode, GvmError, LocalProtocolError
from gvm_client.protocol.lifecycle import JobState
from gvm_client.protocol.messages import Matte
from gvm_nodes.line import Line, open_line
from gvm_nodes.node import Host, Node
from gvm_nodes.work import Phase, Update, Work

GONE = "The job that was under way has ended; Render Range makes what is missing."
OTHER = "A job with other settings is under way; Cancel ends it."


class Desk:
    """Starts, follows and ends the jobs of a host's nodes.

    Args:
        host: whose nodes they are.
        line: gives the way to the server; asked off the main thread, but in batch.
    """

    def __init__(self, host: Host, line: Callable[[], Line] = open_line) -> None:
        self.host = host
        self._line = line
        self._works: dict[str, Work] = {}  # by the node's identity
        self._errands: list[threading.Thread] = []

    def start(self, node: Node, request: Matte) -> None:
        """Ask for a job and follow it.

        Raises:
            GvmError: the node has a job already; or, in batch, the job ended badly.
        """
        if self.is_running(node.identity):
            raise LocalProtocolError(
                f"{node.name} is rendering already.",
                remedy="Wait for it, or press Cancel first.",
                code=ErrorCode.ILLEGAL_MOVE,
            )
        node.job = request.job
        node.say("Asking the server.")
        work = self._follow(node.identity, request)
        if self.host.is_batch:
            result = work.run()
            if result.error is not None:
                raise result.error
        else:
            work.start()

    def cancel(self, node: Node) -> bool:
        """End the node's job, also one of an earlier session; return whether it has one."""
        identity, job = node.identity, node.job
        if self.is_running(identity):
            self._works[identity].cancel()
            return True
        if job:
            node.job = ""
            self._apart("cancel", partial(self._cancel, job))
        return bool(job)

    def resume(self, node: Node, request: Matte) -> None:
        """Find the job that the node waited for when its document was saved, and follow it.

        Starts no server and no job: where the job has ended, the node says so.
        """
        if not node.job or self.is_running(node.identity):
            return
        self._apart("resume", partial(self._look_for, node.identity, node.job, request))

    def release(self, node: Node) -> None:
        """Have the server give the GPU's memory back, from another thread."""
        self._apart("release", partial(self._release, node.identity))

    def is_running(self, identity: str) -> bool:
        """Whether this session follows a job of the node with this identity."""
        return identity in self._works and self._works[identity].is_running

    @property
    def is_busy(self) -> bool:
        """Whether a thread of this desk's may still have something to tell."""
        works = any(work.is_running for work in self._works.values())
        return works or any(errand.is_alive() for errand in self._errands)

    def wait(self, identity: str, seconds: float) -> bool:
        """Wait until a node's job has ended; return whether it has."""
        return identity not in self._works or self._works[identity].wait(seconds)

    def _follow(self, identity: str, request: Matte) -> Work:
        work = Work(request, partial(self._told, identity, request), line=self._line)
        self._works[identity] = work
        return work

    # ---- any thread ------------------------------------------------------------------------

    def _told(self, identity: str, request: Matte, update: Update) -> None:
        show = partial(self._show, identity, request, update)
        if self.host.is_batch:
            show()
        else:
            self.host.post(show)

    def _cancel(self, job: str) -> None:
        with suppress(GvmError):  # no server, no job
            self._line().cancel(job)

    def _release(self, identity: str) -> None:
        sentence = "The GPU's memory was given back."
        try:
            self._line().release()
        except GvmError as error:
            sentence = str(error)
        self.host.post(partial(self._say, identity, sentence))

    def _look_for(self, identity: str, job: str, request: Matte) -> None:
        status = None
        with suppress(GvmError):  # no server, no job
            status = self._line().status()
        known = status.jobs if status else ()
        runs = any(one.job == job and not JobState(one.state).is_final for one in known)
        self.host.post(partial(self._found, identity, job, request, runs))

    def _apart(self, what: str, call: Callable[[], None]) -> None:
        errand = threading.Thread(target=call, name=f"gvm-{what}", daemon=True)
        errand.start()
        self._errands = [each for each in self._errands if each.is_alive()] + [errand]

    # ---- the main thread -------------------------------------------------------------------

    def _show(self, identity: str, request: Matte, update: Update) -> None:
        node = self.host.find(identity)
        if node is None:
            return
        node.say(update.sentence, failed=update.phase is Phase.FAILED)
        if update.ready or update.phase is Phase.DONE:
            node.show(request)
        if update.phase is not Phase.WORKING:
            node.job = ""

    def _say(self, identity: str, sentence: str) -> None:
        node = self.host.find(identity)
        if node is not None:
            node.say(sentence)

    def _found(self, identity: str, job: str, request: Matte, runs: bool) -> None:  # noqa: FBT001
        node = self.host.find(identity)
        if node is None or node.job != job or self.is_running(identity):
            return  # deleted, or rendered anew, meanwhile
        if not runs:
            node.job = ""
            node.say(GONE)
        elif request.job != job:
            node.say(OTHER)
        else:
            self._follow(identity, request).start()
