"""A window that asks for the settings, shows progress, and can cancel.

The program and its elements are used on the thread that opened the window only; a job's thread puts
its updates into a queue. Event handlers only set flags; the work is done outside of the event
loop's step. The server is asked nothing before the artist presses the button. Closing the window
cancels first.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, NamedTuple

from gvm_client.errors import GvmError, JobCancelled
from gvm_client.settings import Priority
from gvm_nodes.blackmagic.alpha_spec import AlphaSpec
from gvm_nodes.blackmagic.frontend import Frontend
from gvm_nodes.blackmagic.settings_form import SettingsForm, form_columns
from gvm_nodes.core.defaults import Defaults, checked_options
from gvm_nodes.core.followed_job import FollowedJob, Update
from gvm_nodes.core.panel_words import in_panel_words
from gvm_nodes.core.settings import MatteOptions
from gvm_nodes.core.transport import Transport, open_transport

STEP_SECONDS = 0.05  # between two steps of the event loop; the job's thread runs meanwhile
LOOK_SECONDS = 2.0  # between two looks at whether the window is still there
STATUS_SHARE = 0.12  # of the height: room for three lines
END_SECONDS = 10.0  # for a job to end whose script is interrupted

EntryTask = Callable[[MatteOptions, Frontend], str]
"""Does the work and returns the sentence for its end; raises a `GvmError`."""


class Toolkit(NamedTuple):
    """What makes windows (`ui`), and what delivers their events (`dispatcher`)."""

    ui: Any
    dispatcher: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class MenuEntry:
    """One entry of a menu.

    Attributes:
        title: the window's.
        button: what starts the work.
        task: the work.
        has_settings: whether the work has any; else it goes by specs that exist.
    """

    title: str
    button: str
    task: EntryTask
    has_settings: bool = True


def add_window(toolkit: Toolkit, entry: MenuEntry, locked: Collection[str]) -> Any | None:  # noqa: ANN401
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
    settings = [form_columns(ui, locked)] if entry.has_settings else []
    share = STATUS_SHARE if entry.has_settings else 1.0
    status = ui.Label({"ID": "status", "Text": "", "WordWrap": True, "Weight": share})
    return toolkit.dispatcher.AddWindow(
        {
            "ID": _window_id(),
            "WindowTitle": entry.title,
            "Geometry": [200, 200, 760, 600 if entry.has_settings else 160],
        },
        [ui.VGroup([*settings, status, ui.HGroup({"Weight": 0}, buttons)])],
    )


class Dialog:
    """A window, as the frontend of the work that is started in it.

    Args:
        toolkit: what made the window.
        window: as `add_window` made it for the entry.
        entry: what it is for.
        initial: what it shows first; what is locked, no preset changes.
        remember: hears the settings that are used.
        transport: gives the transport, off the main thread.
    """

    def __init__(
        self,
        *,
        toolkit: Toolkit,
        window: Any,  # noqa: ANN401 - UIManager has no types
        entry: MenuEntry,
        initial: Defaults,
        remember: Callable[[MatteOptions], None],
        transport: Callable[[], Transport] = open_transport,
    ) -> None:
        self._toolkit, self._window, self._entry, self._initial = toolkit, window, entry, initial
        self._remember, self._transport = remember, transport
        self._elements = window.GetItems()
        self._form = SettingsForm(self._elements, initial.locked) if entry.has_settings else None
        self._heard: SimpleQueue[str] = SimpleQueue()  # from other threads
        self._task = ""  # which of several clips
        self._notes: list[str] = []  # what the server had to say of each
        self._is_started = self._is_cancelled = self._is_closed = False
        self._can_be_found = False
        self._looked = 0.0
        self._listen()
        if self._form:
            self._form.show(initial.options)

    def run(self) -> GvmError | None:
        """Show the window until it is closed; return how the last work ended."""
        ended: GvmError | None = None
        self._window.Show()
        self._can_be_found = self._is_there()
        try:
            while not self._is_closed:
                if self._is_started:
                    ended = self._run_task()
                self._step()
        finally:
            self._window.Hide()
        return ended

    # ---- the frontend ----------------------------------------------------------------------

    def say(self, sentence: str) -> None:
        """Show a sentence; as `Frontend.say`."""
        self._task = sentence
        self._status(sentence)

    def make(self, spec: AlphaSpec, frames: str, priority: Priority) -> None:
        """Make frames on another thread and show how it goes; as `Frontend.make`."""
        self._refuse_cancelled()
        updates: SimpleQueue[Update] = SimpleQueue()
        job = FollowedJob(spec.request(frames, priority), updates.put, transport=self._transport)
        job.start()
        try:
            while job.is_running:
                self._step()
                if self._is_cancelled:
                    job.cancel()
                elif not updates.empty():
                    self._status(f"{self._task} {updates.get().sentence}")
        finally:  # also where the script is interrupted
            job.cancel()
            job.wait(END_SECONDS)
        result = job.result
        if result is not None and result.error is not None:
            raise result.error
        if result is not None and result.note not in ("", *self._notes):
            self._notes.append(result.note)

    def pause(self, seconds: float) -> None:
        """Be a window for some seconds; as `Frontend.pause`."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._step()
            self._refuse_cancelled()

    # ---- its own ---------------------------------------------------------------------------

    def _run_task(self) -> GvmError | None:
        self._is_cancelled, self._task, self._notes = False, "", []
        self._enable(is_working=True)
        try:
            options = checked_options(self._form.options()) if self._form else self._initial.options
            self._remember(options)
            self._status(" ".join([self._entry.task(options, self), *self._notes]))
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
        return self._toolkit.ui.FindWindow(_window_id()) is not None

    def _refuse_cancelled(self) -> None:
        if self._is_cancelled:
            raise JobCancelled("The job was cancelled.")

    def _status(self, sentence: str) -> None:
        self._elements["status"].Text = in_panel_words(sentence)

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
        on[_window_id()].Close = _ignoring_event(self._close)
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
            self._transport().release()
        except GvmError as error:
            self._heard.put(str(error))
        else:
            self._heard.put("The GPU's memory was given back.")


def _ignoring_event(act: Callable[[], None]) -> Callable[[Any], None]:
    return lambda _event: act()


def _window_id() -> str:
    return f"gvm_{os.getpid()}"  # each script is a process of its own
