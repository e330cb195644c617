"""`gvm matte`: ask the server, show how it goes, end with an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from gvm_client.own_server import OwnServer
from gvm_client.process import Exit, sigterm_interrupts
from gvm_client.protocol.lifecycle import error_of
from gvm_client.protocol.messages import (
    Accepted,
    Cancelled,
    Done,
    EngineName,
    Failed,
    FrameReady,
    Matte,
)
from gvm_client.session import resilient_matte
from gvm_client.text import counted
from gvm_server.cli.matte.display import (
    Display,
    JsonLines,
    OpenJdLines,
    PlainLines,
    waterfall,
)
from gvm_server.cli.matte.original import translate
from gvm_server.cli.matte.request import request_from
from gvm_server.cli.running_server import other_cache, running_status
from gvm_server.cli.terminal import outlive_readers
from gvm_server.settings import CACHE_VARIABLE, ServerSettings

if TYPE_CHECKING:
    from gvm_server.cli.matte.deliverables import PlannedDeliverables


def run(parsed: argparse.Namespace) -> int:
    """Matte a plate.

    Raises:
        GvmError: the request is wrong, the server cannot be had, or the job failed.
    """
    if parsed.keep_going:
        outlive_readers()
    meant = translate(parsed)
    request = request_from(meant)
    delivery = _delivery(meant, request)
    if parsed.dry_run:
        return _foretell(request, meant.notes, json=parsed.json)
    frames: set[int] = set()
    cut: set[int] = set()
    with (
        sigterm_interrupts(),
        _display(parsed) as display,
        ExitStack() as ends,
    ):
        own = ends.enter_context(OwnServer()) if parsed.own_server else None
        # Leaving early closes the conversation, and that cancels the job.
        events = ends.enter_context(
            closing(resilient_matte(request, start=not parsed.no_start, own=own))
        )
        for note in meant.notes:
            display.note(note)
        for event in events:
            display.show(event)
            if isinstance(event, Accepted):
                _tell_more(event, display, verbose=parsed.verbose, owned=own is not None)
            if isinstance(event, (Failed, Cancelled)):
                raise error_of(event)
            if isinstance(event, FrameReady):
                frames.add(event.frame)
                (cut.add if event.roi_cut else cut.discard)(event.frame)
            if isinstance(event, Done):
                _report(event, display, timings=parsed.timings)
        if delivery:
            delivery.make(sorted(frames), display)
    return Exit.CHECK_FAILED if cut and parsed.strict_roi else Exit.DONE


def _foretell(request: Matte, notes: Sequence[str], *, json: bool) -> int:
    from gvm_server.cli.matte.dry_run import foretell  # noqa: PLC0415 (numpy comes with it)

    return foretell(request, notes=notes, json=json)


def _display(parsed: argparse.Namespace) -> Display:
    """Return the display that was asked for, else a bar on a terminal, else lines."""
    if parsed.json:
        return JsonLines()
    if parsed.openjd:
        return OpenJdLines()
    if not sys.stderr.isatty():
        return PlainLines()
    from gvm_server.cli.matte.bar import RichBar  # noqa: PLC0415 (rich takes a while to load)

    return RichBar()


def _tell_more(event: Accepted, display: Display, *, verbose: bool, owned: bool) -> None:
    """Say what no event holds of a job that was looked at; an owned server has our own cache."""
    if verbose:
        _tell_limits(event.engine, display)
    if not owned and (says := _cache_note()):
        display.note(says)


def _tell_limits(engine: EngineName, display: Display) -> None:
    """Say all that is known of an engine's limits."""
    from gvm_server.matting.engines.registry import entry_of  # noqa: PLC0415 (numpy comes with it)

    for limit in entry_of(engine).limits:
        display.say(limit)


def _cache_note() -> str:
    """Return a sentence where this shell names another cache than the server's; else ""."""
    if not os.environ.get(CACHE_VARIABLE):
        return ""
    status = running_status()
    return other_cache(status, ServerSettings.from_environment().cache_dir) if status else ""


def _delivery(meant: argparse.Namespace, request: Matte) -> PlannedDeliverables | None:
    """Return what is wanted besides the EXR alphas; None where that is nothing."""
    if not (meant.movie or meant.comp or meant.png):
        return None
    from gvm_server.cli.matte.deliverables import plan_delivery  # noqa: PLC0415 (numpy comes with it)

    return plan_delivery(meant, request)


def _report(done: Done, display: Display, *, timings: bool) -> None:
    for note in done.notes:
        display.say(note)
    frames = f"{counted(done.frames_written, 'frame')} written, {done.frames_kept} kept"
    windows = f"{counted(done.windows_run, 'window')} run, {done.windows_cached} from the cache"
    display.say(f"{frames}; {windows}; {done.seconds:.1f} s.")
    if timings:
        if done.frames_written and done.seconds:
            display.say(f"{done.frames_written / done.seconds:.1f} frames a second.")
        display.say(waterfall(done))
