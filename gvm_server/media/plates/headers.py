"""The windows of many image files: read on a few threads, once for each version of a file.

What was read is remembered for the life of the process by path, size, times and inode, so that a
second request for an unchanged clip opens no file for it. Equal windows are kept once; an entry
is a hash and a reference, and the longest unused leave first.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from gvm_client.errors import InputError
from gvm_server.media.geometry import FrameWindows
from gvm_server.media.plates.image import ImageFile, read_header
from gvm_server.media.probe import StallError
from gvm_server.media.store.filekey import hash_texts

READERS = 8  # what waits for a network's disk; a local one is as fast with fewer
REMEMBERED = 1 << 18  # files, at about 200 bytes each

_known: OrderedDict[bytes, FrameWindows] = OrderedDict()
_lock = Lock()


def read_windows(
    images: Sequence[ImageFile], check: Callable[[ImageFile], None]
) -> list[FrameWindows | None]:
    """Return each file's windows; None where they cannot be read.

    Args:
        images: the files.
        check: raises InputError for a file that may not be read.

    Raises:
        StallError: their disk does not answer.
    """

    def look(image: ImageFile) -> FrameWindows | None:
        try:
            check(image)
            return _windows(image)
        except StallError:
            raise
        except (InputError, OSError):
            return None  # whoever needs this frame learns why

    with ThreadPoolExecutor(READERS, thread_name_prefix="headers") as pool:
        return list(pool.map(look, images))


def _windows(image: ImageFile) -> FrameWindows:
    status = os.stat(image.path)  # noqa: PTH116 - a hundred thousand of them
    # The last time too: a copy over a file may keep its size and its date.
    times = (status.st_mtime_ns, status.st_ctime_ns)
    version = (status.st_size, status.st_ino, status.st_dev, *times)
    key = hash_texts(image.path, image.layer, image.expected, *version)
    with _lock:
        known = _known.get(key)
        if known is not None:
            _known.move_to_end(key)
            return known
    windows = read_header(image).windows
    with _lock:
        # Most frames lie as the one before: those share one object.
        last = next(reversed(_known.values()), None)
        _known[key] = last if last == windows and last is not None else windows
        while len(_known) > REMEMBERED:
            _known.popitem(last=False)
    return windows
