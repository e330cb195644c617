"""The jobs of one host session: one at a time for each node, found by the node's identity.

Threads that follow jobs use no node: they hand updates to the host's main thread. An update is
dropped where the node was deleted, or waits for another job by now. In batch, jobs and background
tasks run to their end on the caller's thread, and a job's error is raised.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from gvm_client.errors import ErrorCode, GvmError, LocalProtocolError
from gvm_client.protocol.lifecycle import JobState
from gvm_client.protocol.messages import Matte
from gvm_nodes.core.followed_job import FollowedJob, Phase, Update
from gvm_nodes.core.node import Host, Node
from gvm_nodes.core.saved_state import (
    OUT_OF_DATE,
    UP_TO_DATE,
    is_plate_newer,
    read_ticket,
    record_made,
    ticket,
)
from gvm_nodes.core.transport import Transport, open_transport

JOB_GONE = "The job that was under way has ended; Render Range makes what is missing."
OTHER_SETTINGS = "A job with other settings is under way; Cancel ends it."


class JobTracker:
    """Starts, follows and ends the jobs of a host's nodes.

    Args:
        host: whose nodes they are.
        transport: gives the transport; asked off the main thread, but in batch.
    """

    def __init__(self, host: Host, transport: Callable[[], Transport] = open_transport) -> None:
        self.host = host
        self._transport = transport
        self._jobs: dict[str, FollowedJob] = {}  # by the node's identity
        self._background: list[threading.Thread] = []
        self._checking: set[str] = set()

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
        before, node.job = node.job, ticket(request)
        node.say("Asking the server.")
        job = self._follow(node.identity, request, before)
        if self.host.is_batch:
            result = job.run()
            if result.error is not None:
                raise result.error
        else:
            job.start()

    def cancel(self, node: Node) -> bool:
        """End the node's job, also one of an earlier session; return whether it has one."""
        identity, kept = node.identity, read_ticket(node.job)
        runs = self.is_running(identity)
        if runs or kept is not None:
            node.say("Cancelling.")
        if runs:
            self._jobs[identity].cancel()
        elif kept is not None:
            self._in_background("cancel", partial(self._cancel, identity, node.job, kept.job))
        return runs or kept is not None

    def resume(self, node: Node, request: Matte) -> None:
        """Find the job that the node waited for when its document was saved, and follow it.

        Starts no server and no job: where the job has ended, the node says so.
        """
        kept = read_ticket(node.job)
        if kept is not None and not self.is_running(node.identity):
            task = partial(self._find_job, node.identity, node.job, kept.job, request)
            self._in_background("resume", task)

    def check_plate(self, node: Node, wanted: Matte) -> None:
        """Look at the plate's files, and say whether the mattes are older than they.

        Files on a server take their time, and the host's main thread must not wait for them.
        """
        identity = node.identity
        if identity not in self._checking:
            self._checking.add(identity)
            before = node.made, node.said
            self._in_background("check-plate", partial(self._check_plate, identity, before, wanted))

    def release(self, node: Node) -> None:
        """Have the server give the GPU's memory back, from another thread."""
        self._in_background("release", partial(self._release, node.identity))

    def is_running(self, identity: str) -> bool:
        """Whether this session follows a job of the node with this identity."""
        return identity in self._jobs and self._jobs[identity].is_running

    @property
    def is_busy(self) -> bool:
        """Whether a thread of this tracker's may still have something to tell."""
        jobs = any(job.is_running for job in self._jobs.values())
        return jobs or any(thread.is_alive() for thread in self._background)

    def _follow(self, identity: str, request: Matte, before: str = "") -> FollowedJob:
        job = FollowedJob(
            request, partial(self._on_update, identity, request, before), transport=self._transport
        )
        self._jobs[identity] = job
        return job

    # ---- any thread ------------------------------------------------------------------------

    def _on_update(self, identity: str, request: Matte, before: str, update: Update) -> None:
        self._post(partial(self._show, identity, request, before, update))

    def _post(self, call: Callable[[], None]) -> None:
        if self.host.is_batch:
            call()
        else:
            self.host.post(call)

    def _cancel(self, identity: str, kept: str, job: str) -> None:
        failure: GvmError | None = None
        try:
            self._transport().cancel(job)
        except GvmError as error:
            failure = error
        self._post(partial(self._cancelled, identity, kept, failure))

    def _check_plate(self, identity: str, before: tuple[str, str], wanted: Matte) -> None:
        made, _ = before
        newer = is_plate_newer(made, wanted)
        self._post(partial(self._plate_checked, identity, before, newer))

    def _release(self, identity: str) -> None:
        sentence = "The GPU's memory was given back."
        try:
            self._transport().release()
        except GvmError as error:
            sentence = str(error)
        self._post(partial(self._say, identity, sentence))

    def _find_job(self, identity: str, kept: str, job: str, request: Matte) -> None:
        status = None
        with suppress(GvmError):  # no server, no job
            status = self._transport().status()
        known = status.jobs if status else ()
        runs = any(one.job == job and not JobState(one.state).is_final for one in known)
        self._post(partial(self._job_found, identity, kept, request, runs))

    def _in_background(self, what: str, call: Callable[[], None]) -> None:
        if self.host.is_batch:  # a script's end would end its threads too
            call()
            return
        thread = threading.Thread(target=call, name=f"gvm-{what}", daemon=True)
        thread.start()
        self._background = [each for each in self._background if each.is_alive()] + [thread]

    # ---- the main thread -------------------------------------------------------------------

    def _show(self, identity: str, request: Matte, before: str, update: Update) -> None:
        node = self.host.find(identity)
        if node is None or node.job != ticket(request):
            return
        if update.phase is not Phase.WORKING:
            # Refused because the node's own earlier job writes there: that is still to be found.
            refused = update.error is not None and update.error.code is ErrorCode.OUTPUT_IN_USE
            node.job = before if refused else ""
        node.say(update.sentence, failed=update.phase is Phase.FAILED)
        if update.ready:
            node.made = record_made(node.made, request, update.ready)
        if update.ready or update.phase is Phase.DONE:
            try:
                node.show(request)
            except GvmError as error:
                node.say(str(error), failed=True)

    def _say(self, identity: str, sentence: str) -> None:
        node = self.host.find(identity)
        if node is not None:
            node.say(sentence)

    def _cancelled(self, identity: str, kept: str, failure: GvmError | None) -> None:
        node = self.host.find(identity)
        if node is None or node.job != kept:
            return
        if failure is None:
            node.job = ""
        node.say(str(failure) if failure else "The job was cancelled.", failed=failure is not None)

    def _plate_checked(self, identity: str, before: tuple[str, str], newer: bool) -> None:  # noqa: FBT001
        self._checking.discard(identity)
        node = self.host.find(identity)
        made, said = before
        if node is None or node.made != made or self.is_running(identity):
            return  # made anew meanwhile
        if newer:
            node.say(OUT_OF_DATE)
        elif said == node.said == OUT_OF_DATE:  # else it was said while the files were looked at
            node.say(UP_TO_DATE)

    def _job_found(self, identity: str, kept: str, request: Matte, runs: bool) -> None:  # noqa: FBT001
        node = self.host.find(identity)
        if node is None or node.job != kept or self.is_running(identity):
            return  # deleted, or rendered anew, meanwhile
        if runs and ticket(request) == kept:
            self._follow(identity, request).start()
        elif runs:
            node.say(OTHER_SETTINGS)
        else:
            node.job = ""
            node.say(JOB_GONE)
