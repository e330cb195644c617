"""A long shot, looked at by several processes: OpenEXR's module holds Python's lock while it reads.

A part begins with the last frame of the part before, which its first one is compared with; so the
figures are those of one process.
"""

from __future__ import annotations

import argparse
import signal
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import active_children, get_context

from gvm_client.errors import GvmError
from gvm_server.cli.review.shot import Shot, opened, telling
from gvm_server.cores import usable_cores
from gvm_server.measure.review import Look, Review, look_through, review_of

PART = 48  # frames; a process takes as long to start as it does for some twenty of 1080p
PROCESSES = 8  # at most; each holds some 150 MB and the frames that it reads ahead


def reviewed(parsed: argparse.Namespace, shot: Shot) -> Review:
    """Look at a shot's frames, saying now and then on standard error how far it is.

    Args:
        parsed: the command's options, by which each process opens the shot again.
        shot: it is open.

    Raises:
        InputError: a frame is missing, unreadable, or of another size than its plate.
        GvmError: a process was killed.
    """
    frames = shot.frames
    processes = min(usable_cores(), PROCESSES, len(frames) // PART)
    if processes < 2:
        return shot.review()
    tell = telling(len(frames), "looked at")
    parts = [frames[max(first - 1, 0) : first + PART] for first in range(0, len(frames), PART)]
    looks: list[Look] = []
    # Spawned: libraries that were loaded have threads, which do not live on in a fork.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), initializer=_leave_interrupts)
    try:
        for part in pool.map(partial(_looks, parsed), parts):
            looks += part[1:] if looks else part
            tell(len(looks))
    except BaseException as error:
        for process in active_children():  # nobody waits for the rest of their parts
            process.terminate()
        if isinstance(error, BrokenProcessPool):
            raise GvmError(
                f"One of {processes} processes ended before its frames were looked at.",
                remedy="The system may lack memory: look at fewer frames, with --frames.",
            ) from error
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return review_of(shot.plate, shot.matte, looks)


def _looks(parsed: argparse.Namespace, frames: Sequence[int]) -> list[Look]:
    with opened(parsed) as shot:
        return look_through(shot.plate, shot.matte, frames, cuts=shot.cuts)


def _leave_interrupts() -> None:
    """Leave Ctrl-C, which all processes of a terminal hear, to the one that was started."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
