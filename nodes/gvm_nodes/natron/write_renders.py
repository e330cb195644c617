"""A Write's render: the mattes of the frames that it reads are made before it reads them.

Natron calls from threads that render. In its windows they read parameters and set none: setting,
and a sentence for the artist, goes by the main thread. NatronRenderer lets them set.

Which frames will be rendered is not known: mattes are made `AHEAD` frames at a time, each once in a
render. An error ends the render, with the same sentence for each thread. A group set to "only read
what exists" contacts no server.

A Read that Natron opened before a matte existed is opened anew after the first block. By its
sources that ends the render; NatronRenderer was seen to go on. An artist is told where it ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from gvm_client.errors import GvmError, InputError
from gvm_client.frames import parse_frames
from gvm_client.protocol.messages import FileOutput, Matte
from gvm_nodes.core import node_request
from gvm_nodes.core.clips import newest_time
from gvm_nodes.core.followed_job import FollowedJob, Update
from gvm_nodes.core.panel_words import in_panel_words
from gvm_nodes.core.saved_state import record_made
from gvm_nodes.core.settings import Policy
from gvm_nodes.natron import matte_read
from gvm_nodes.natron.matte_read import MatteReadState
from gvm_nodes.natron.node import NatronHost, NatronNode
from gvm_nodes.natron.plate import TimedPlate, absolute_path
from gvm_nodes.natron.program import ActiveRenders, App, Effect, is_background
from gvm_nodes.natron.write_callbacks import groups_above

MAIN_THREAD_SECONDS = 10.0  # it may be busy drawing, or wait for the very render that waits for it
OPENED = (
    "The render ended when the Read inside was opened anew for its first mattes, which stand now;"
    " render again."
)
AHEAD = 16  # frames: a block is short enough to wait for, and longer than most windows
MADE_NOW = (
    "Mattes were made for this render. A frame that a viewer had shown before its matte stood may"
    " be in it as it was shown; render it again."
)


class WriteRenders:
    """What the renders of one Natron have seen to.

    Args:
        host: whose groups they are.
        active_renders: told of each render and frame.
    """

    def __init__(self, host: NatronHost, active_renders: ActiveRenders) -> None:
        self._host, self._active_renders = host, active_renders
        self._one_at_a_time = threading.Lock()  # frames are prepared on several threads
        self._made: dict[str, set[int]] = {}  # by the node's identity, as all of these
        self._failed: dict[str, RuntimeError] = {}
        self._jobs: dict[str, FollowedJob] = {}
        self._new: set[str] = set()
        self._read: set[str] = set()
        self._finished: dict[str, list[Matte]] = {}

    def begin(self) -> None:
        """A render begins: plates may have changed since the last one."""
        self._active_renders.begin()
        for known in (self._made, self._failed, self._new, self._read):
            known.clear()

    def before_frame(self, time: int, write: Effect, app: App) -> None:
        """Make the mattes that the Write will read at a time, and those of the times after it.

        Raises:
            RuntimeError: a matte cannot be made.
        """
        with self._active_renders.frame():
            for group in groups_above(write, app):
                self._see_to(self._host.node(app, group), time)

    def end(self, *, aborted: bool) -> None:
        """A render has ended; what it still waits for is cancelled where it was aborted."""
        self._active_renders.end()
        if aborted:
            for job in tuple(self._jobs.values()):
                job.cancel()
        if self._host.is_batch:  # nobody looks
            self._finished = {}
        else:
            opened = tuple(self._read.difference(self._failed)) if aborted else ()
            self._host.post(partial(self._show_waiting, tuple(self._new), opened))

    def catch_up(self) -> None:
        """Show what waited for a render that never said that it had ended; on the main thread."""
        if not self._active_renders.is_busy:
            self._show_waiting((), ())

    def cancel(self, identity: str) -> bool:
        """End the job that a render waits for; return whether there is one."""
        job = self._jobs.get(identity)
        if job is None or not job.is_running:
            return False
        job.cancel()
        return True

    def _see_to(self, node: NatronNode, time: int) -> None:
        if node.group.getParam("disableNode").get():
            return
        if node.options().policy != Policy.MAKE:
            if is_background():
                with self._one_at_a_time, suppress(GvmError):  # Natron says what is not there
                    node.follow_plate()
                    node.open_matte_read()
            return
        with self._one_at_a_time:
            if refused := self._failed.get(node.identity):
                raise refused
            try:
                self._make_ahead(node, time)
            except GvmError as error:
                refused = RuntimeError(f"{node.name}: {in_panel_words(str(error))}")
                self._failed[node.identity] = refused
                self._say(node.identity, str(error), failed=True)
                raise refused from error

    def _make_ahead(self, node: NatronNode, time: int) -> None:
        plate, made = node.plate(), self._made.setdefault(node.identity, set())
        number = plate.number(time)
        if number is None or number in made:  # no file is shown there
            return
        frames = range(number, min(number + AHEAD - 1, plate.last) + 1)
        if is_background():  # a project that was saved before its group had a place for mattes
            node.follow_plate()
        request = node_request.node_request(node, frames, playhead=number)
        node_request.refuse_rivals(node, request)
        pattern = refuse_other_mattes(node, plate, request)
        stood = newest_time(pattern, frames)
        self._follow(node, request)
        made.update(frames)
        self._finished.setdefault(node.identity, []).append(request)
        self._active_renders.keeps(node.identity, request)  # to be shown when the render has ended
        came = newest_time(pattern, frames) > stood
        self._open(node, MatteReadState.beside(plate, pattern), number, came=came)
        if came:
            self._new.add(node.identity)

    def _open(self, node: NatronNode, wanted: MatteReadState, number: int, *, came: bool) -> None:
        """Have the Read inside know the layers of the mattes that stand now.

        Raises:
            InputError: it does not, and Natron's main thread is not free to tell it.
        """
        is_open = matte_read.is_open(node.group)
        frame = matte_read.first_existing(wanted, (number,))
        if frame is None:  # its plate's frame is missing, and so may its matte be
            return
        if is_background():
            if not is_open or (came and node.identity not in self._read):
                self._read.add(node.identity)
                matte_read.reread(node.group, wanted, frame)
        elif not is_open:
            self._read.add(node.identity)
            if not self._main_thread_does(partial(self._read_anew, node.identity, wanted, frame)):
                raise InputError(
                    f"Natron had opened the Read inside before the matte of frame {number} stood.",
                    remedy="Press Render Range, then render again.",
                    path=wanted.file,
                )

    def _main_thread_does(self, call: Callable[[], None]) -> bool:
        done = threading.Event()

        def do() -> None:
            call()
            done.set()

        self._host.post(do)
        return done.wait(0.0 if self._host.is_batch else MAIN_THREAD_SECONDS)

    def _follow(self, node: NatronNode, request: Matte) -> None:
        identity = node.identity

        def tell(update: Update) -> None:
            self._say(identity, update.sentence)

        job = self._jobs[identity] = FollowedJob(request, tell)
        try:
            result = job.run()
        finally:
            del self._jobs[identity]
        if result.error is not None:
            raise result.error

    def _say(self, identity: str, sentence: str, *, failed: bool = False) -> None:
        if not self._host.is_batch:
            self._host.post(partial(self._said, identity, sentence, failed=failed))

    # ---- the main thread -------------------------------------------------------------------

    def _said(self, identity: str, sentence: str, *, failed: bool) -> None:
        node = self._host.find(identity)
        if node is not None:
            node.say(sentence, failed=failed)

    def _read_anew(self, identity: str, wanted: MatteReadState, frame: int) -> None:
        node = self._host.find(identity)
        if node is not None:
            with suppress(GvmError):  # deleted meanwhile
                matte_read.reread(node.group, wanted, frame)

    def _show_waiting(self, new: tuple[str, ...], opened: tuple[str, ...]) -> None:
        finished, self._finished = self._finished, {}
        for identity, requests in finished.items():
            node = self._host.find(identity)
            if node is not None:
                for request in requests:
                    node.made = record_made(node.made, request, parse_frames(request.frames))
        for identity, made in self._active_renders.take().items():
            node = self._host.find(identity)
            if node is not None:
                with suppress(GvmError):  # something inside is gone: said when the artist renders
                    node.show(made)
                if identity in opened:
                    node.say(OPENED, failed=True)
                elif identity in new:
                    node.say(MADE_NOW)


def refuse_other_mattes(node: NatronNode, plate: TimedPlate, request: Matte) -> str:
    """Return where the request's mattes go.

    Raises:
        InputError: the Read inside shows others, or shows them at other times than the plate's.
    """
    assert isinstance(request.output, FileOutput)  # noqa: S101 - the node asks for nothing else
    wanted, now = MatteReadState.beside(plate, request.output.path), MatteReadState.now(node.group)
    if replace(now, file=absolute_path(node.app, now.file)) != wanted:
        raise InputError(
            f"{node.name} does not show {wanted.file} where its plate stands: it shows {now.file}.",
            remedy="Press Render Range in it, and save the project.",
            path=now.file,
        )
    return wanted.file
