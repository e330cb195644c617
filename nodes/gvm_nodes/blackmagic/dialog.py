"""A window that asks for the settings, shows how the work goes, and can end it.

Laws:
1. The program and its elements are touched on the thread that opened the window only; a job's
   thread puts what it has to say into a queue.
2. A handler only notes what was pressed; the work is done outside of the event loop's own step.
3. Nothing is asked of the server before the artist presses the button.
4. Closing the window cancels first.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from gvm_client.errors import GvmError, JobCancelled
from gvm_client.settings import Priority
from gvm_nodes.alphas import Recipe, checked
from gvm_nodes.blackmagic.apps import Toolkit
from gvm_nodes.blackmagic.form import Form, columns
from gvm_nodes.connect import open_line
from gvm_nodes.defaults import Defaults
from gvm_nodes.knobs import Wishes
from gvm_nodes.line import Line
from gvm_nodes.make import Bench
from gvm_nodes.work import Update, Work

STEP_SECONDS = 0.05  # between two steps of the event loop; the job's thread runs meanwhile
LOOK_SECONDS = 2.0  # between two looks at whether the window is still there
STATUS_SHARE = 0.12  # of the height: room for three lines
END_SECONDS = 10.0  # for a job to end whose script is interrupted

Deed = Callable[[Wishes, Bench], str]
"""Does the work and returns the sentence for its end; raises a `GvmError`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One entry of a menu.

    Attributes:
        title: the window's.
        button: what starts the work.
        deed: the work.
        has_settings: whether the work has any; else it goes by recipes that stand.
    """

    title: str
    button: str
    deed: Deed
    has_settings: bool = True


def add_window(toolkit: Toolkit, entry: Entry, locked: Collection[str]) -> Any | None:  # noqa: ANN401
    """Add an entry's window, its settings not filled in; None where the program shows none.

    Args:
        toolkit: what makes it.
        entry: what it is for.
        locked: the settings that are greyed out.
    """
    ui = toolkit.ui
    buttons = [
        ui.Button({"ID": "start", "Text": entry.button}),
        ui.Button({"ID": "cancel", "Text": "Cancel", "Enabled": False}),
        ui.Button({"ID": "release", "Text": "Free GPU Memory"}),
        ui.Button({"ID": "close", "Text": "Close"}),
    ]
    settings = [columns(ui, locked)] if entry.has_settings else []
    share = STATUS_SHARE if entry.has_settings else 1.0
    status = ui.Label({"ID": "status", "Text": "", "WordWrap": True, "Weight": share})
    return toolkit.dispatcher.AddWindow(
        {
            "ID": _identity(),
            "WindowTitle": entry.title,
            "Geometry": [200, 200, 760, 600 if entry.has_settings else 160],
        },
        [ui.VGroup([*settings, status, ui.HGroup({"Weight": 0}, buttons)])],
    )


class Dialog:
    """A window, and the bench of the work that is started in it.

    Args:
        toolkit: what made the window.
        window: as `add_window` made it for the entry.
        entry: what it is for.
        begins: what it shows first; what is locked, no preset changes.
        remember: hears the settings that are used.
        line: gives the way to the server, off the main thread.
    """

    def __init__(
        self,
        *,
        toolkit: Toolkit,
        window: Any,  # noqa: ANN401 - UIManager has no types
        entry: Entry,
        begins: Defaults,
        remember: Callable[[Wishes], None],
        line: Callable[[], Line] = open_line,
    ) -> None:
        self._toolkit, self._window, self._entry, self._begins = toolkit, window, entry, begins
        self._remember, self._line = remember, line
        self._elements = window.GetItems()
        self._form = Form(self._elements, begins.locked) if entry.has_settings else None
        self._heard: SimpleQueue[str] = SimpleQueue()  # from other threads
        self._task = ""  # which of several clips
        self._notes: list[str] = []  # what the server had to say of each
        self._is_started = self._is_cancelled = self._is_closed = False
        self._can_be_found = False
        self._looked = 0.0
        self._listen()
        if self._form:
            self._form.show(begins.wishes)

    def run(self) -> GvmError | None:
        """Show the window until it is closed; return how the last work ended."""
        ended: GvmError | None = None
        self._window.Show()
        self._can_be_found = self._is_there()
        try:
            while not self._is_closed:
                if self._is_started:
                    ended = self._work()
                self._step()
        finally:
            self._window.Hide()
        return ended

    # ---- the bench -------------------------------------------------------------------------

    def say(self, sentence: str) -> None:
        """Show a sentence; as `Bench.say`."""
        self._task = sentence
        self._status(sentence)

    def make(self, recipe: Recipe, frames: str, priority: Priority) -> None:
        """Make frames on another thread and show how it goes; as `Bench.make`."""
        self._refuse_cancelled()
        updates: SimpleQueue[Update] = SimpleQueue()
        work = Work(recipe.request(frames, priority), updates.put, line=self._line)
        work.start()
        try:
            while work.is_running:
                self._step()
                if self._is_cancelled:
                    work.cancel()
                elif not updates.empty():
                    self._status(f"{self._task} {updates.get().sentence}")
        finally:  # also where the script is interrupted
            work.cancel()
            work.wait(END_SECONDS)
        result = work.result
        if result is not None and result.error is not None:
            raise result.error
        if result is not None and result.note not in ("", *self._notes):
            self._notes.append(result.note)

    def pause(self, seconds: float) -> None:
        """Be a window for some seconds; as `Bench.pause`."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._step()
            self._refuse_cancelled()

    # ---- its own ---------------------------------------------------------------------------

    def _work(self) -> GvmError | None:
        self._is_cancelled, self._task, self._notes = False, "", []
        self._enable(is_working=True)
        try:
            wishes = checked(self._form.wishes()) if self._form else self._begins.wishes
            self._remember(wishes)
            self._status(" ".join([self._entry.deed(wishes, self), *self._notes]))
        except GvmError as error:
            self._status(str(error))
            return error
        finally:
            self._is_started = False  # also what was pressed twice
            self._enable(is_working=False)
        return None

    def _step(self) -> None:
        with suppress(KeyError):  # an event that nobody asked for
            self._toolkit.dispatcher.StepLoop(False)  # False: do not wait for one
        while not self._heard.empty():
            self._status(self._heard.get())
        if self._can_be_found and time.monotonic() - self._looked > LOOK_SECONDS:
            self._looked = time.monotonic()
            if not self._is_there():  # the program was closed; nobody will press anything
                self._close()
        time.sleep(STEP_SECONDS)

    def _is_there(self) -> bool:
        return self._toolkit.ui.FindWindow(_identity()) is not None

    def _refuse_cancelled(self) -> None:
        if self._is_cancelled:
            raise JobCancelled("The job was cancelled.")

    def _status(self, sentence: str) -> None:
        self._elements["status"].Text = sentence

    def _enable(self, *, is_working: bool) -> None:
        self._elements["start"].Enabled = not is_working
        self._elements["cancel"].Enabled = is_working

    # ---- what is pressed -------------------------------------------------------------------

    def _listen(self) -> None:
        on = self._window.On
        for name, act in (
            ("start", self._start),
            ("cancel", self._cancel),
            ("release", self._release),
            ("close", self._close),
        ):
            on[name].Clicked = _ignoring_event(act)
        on[_identity()].Close = _ignoring_event(self._close)
        if self._form:
            on["preset"].CurrentIndexChanged = _ignoring_event(self._form.follow_preset)

    def _start(self) -> None:
        self._is_started = True

    def _cancel(self) -> None:
        self._is_cancelled = True
        self._elements["cancel"].Enabled = False
        self._status("Cancelling.")

    def _close(self) -> None:
        self._is_cancelled = self._is_closed = True

    def _release(self) -> None:
        threading.Thread(target=self._release_memory, name="gvm-release", daemon=True).start()

    def _release_memory(self) -> None:
        try:
            self._line().release()
        except GvmError as error:
            self._heard.put(str(error))
        else:
            self._heard.put("The GPU's memory was given back.")


def _ignoring_event(act: Callable[[], None]) -> Callable[[Any], None]:
    return lambda _event: act()


def _identity() -> str:
    return f"gvm_{os.getpid()}"  # each script is a process of its own
