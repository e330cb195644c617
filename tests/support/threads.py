"""The same work on several counts of threads, in one process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import cv2
import numpy as np
import OpenImageIO as oiio
import torch
from numpy.typing import NDArray

COUNTS = (1, 2, 3, 4, 5, 7)  # odd ones cut an array where no vector ends


def hashes(
    work: Callable[[], NDArray[np.generic] | torch.Tensor], counts: Sequence[int] = COUNTS
) -> list[str]:
    """Return the hash of what the work gives on each count of threads."""
    said = []
    for count in counts:
        with threads(count):
            made = work()
        array = made.numpy() if isinstance(made, torch.Tensor) else made
        said.append(hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:8])
    return said


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Have every library run on so many threads."""
    before = (torch.get_num_threads(), cv2.getNumThreads(), oiio.get_int_attribute("threads"))
    _set(count, count, count)
    try:
        yield
    finally:
        _set(*before)


def _set(of_torch: int, of_opencv: int, of_openimageio: int) -> None:
    torch.set_num_threads(of_torch)
    cv2.setNumThreads(of_opencv)
    oiio.attribute("threads", of_openimageio)
