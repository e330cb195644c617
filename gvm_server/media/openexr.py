"""OpenEXR's own module, wrapped once: channels of half and float, out of a file and into bytes.

It reads half as half, in a third of the time that OpenImageIO takes to read it as float, and writes
in half of its. What it does not say of itself is kept to here:

- It writes an array that is not contiguous with its strides ignored, without an error: each plane
  is made contiguous.
- What is beyond half's range becomes infinite: it is clipped first.
- Its `File` takes a file that is cut short for an empty one, with a line on the standard output;
  `InputFile` raises.
- Its threads are the process's. Where they are taken away while a file is in use on another thread,
  that file's task may be left undone, and who waits for it waits for ever (3.5.3; its `File` gives
  up Python's lock while it works): they stay until the last file is done.

`tests/unit/server/media/test_openexr.py` holds these.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import OpenEXR

from gvm_server.cores import MOST_OF_A_FILE, usable_cores
from gvm_server.media.geometry import Box
from gvm_server.media.pixels import StoredPixels, as_float, as_half

_MOST = float(np.finfo(np.float16).max)
_TYPES: Mapping[str, type[np.float16 | np.float32]] = {
    "HALF (1, 1)": np.float16,  # both at full size
    "FLOAT (1, 1)": np.float32,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Channels:
    """Channels of a file, and how they lie.

    Attributes:
        pixels: [H, W, C] over the data window, or of the lines that were asked for; half or float
            as they are stored; contiguous.
        data: the data window.
        display: the display window.
    """

    pixels: StoredPixels
    data: Box
    display: Box


def read_channels(
    path: Path,
    names: Sequence[str],
    lines: Sequence[range] | None = None,
    *,
    in_blocks: bool = False,
) -> Channels | None:
    """Return channels of a file's first part.

    Args:
        path: of the file.
        names: of the channels, in the order that is wanted; one may stand for several.
        lines: spans of the data window's lines, from its top, of a file in lines: no other is
            decoded, and H is how many they are. All of any file where it is None.
        in_blocks: whether its lines are compressed several together: then all of them are unpacked
            on several threads. Lines alone take longer so.

    Returns:
        None where the file is none of those that are read here: it lacks a channel of the name,
        holds other types or several in these channels, is damaged, or is no EXR. OpenImageIO then
        reads it, or says what is wrong with it.
    """
    threads = _openexr_threads
    with threads.several() if in_blocks and lines is None else threads.used():
        return _read(path, names, lines)


class _Threads:
    """OpenEXR's threads: there while a file wants several, and as long as any is in use with them.

    For no longer: they do not survive a fork, and who reads then would wait for them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files = 0
        self._one_file = threading.Lock()  # at a time is unpacked on several

    @contextmanager
    def used(self) -> Iterator[None]:
        """Say that a file is in use meanwhile, on whatever threads there are."""
        with self._lock:
            self._files += 1
        try:
            yield
        finally:
            with self._lock:
                self._files -= 1
                if self._files == 0 and OpenEXR.global_thread_count():
                    OpenEXR.set_global_thread_count(0)

    @contextmanager
    def several(self) -> Iterator[None]:
        """Have files that are opened meanwhile unpacked on several threads.

        No other thread gets Python's lock while a file is read: the sooner that is over the better.
        """
        with self._one_file, self.used():
            with self._lock:
                OpenEXR.set_global_thread_count(_threads())
            yield


_openexr_threads = _Threads()


@cache
def _threads() -> int:
    return min(usable_cores(), MOST_OF_A_FILE)


def _read(path: Path, names: Sequence[str], lines: Sequence[range] | None) -> Channels | None:
    try:
        file = OpenEXR.InputFile(str(path))
    except OSError:
        return None
    try:
        header = file.header()
        kinds = {str(header["channels"].get(name)) for name in names}
        kind = _TYPES.get(kinds.pop()) if len(kinds) == 1 else None
        if kind is None:
            return None
        data, display = _box(header["dataWindow"]), _box(header["displayWindow"])
        if lines is not None and "tiles" in header:
            return None
        own = list(dict.fromkeys(names))  # of a name that is given twice it fills one array alone
        by_name = dict(zip(own, _planes(file, own, data, lines), strict=True))
        planes = [by_name[name] for name in names]
    except (OSError, KeyError, TypeError, ValueError, SystemError):
        return None  # of some headers the module raises nothing itself: Python does, a SystemError
    finally:
        file.close()
    height = data.height if lines is None else sum(map(len, lines))
    if any(len(plane) != height * data.width * np.dtype(kind).itemsize for plane in planes):
        return None
    pixels = _merged(planes, kind, (height, data.width, len(planes)))
    return Channels(pixels=pixels, data=data, display=display)


def _planes(
    file: OpenEXR.InputFile, names: list[str], data: Box, lines: Sequence[range] | None
) -> list[bytes]:
    if lines is None:
        return list(file.channels(names))
    spans = [
        file.channels(names, scanLine1=data.y + span.start, scanLine2=data.y + span.stop - 1)
        for span in lines
    ]
    return [b"".join(parts) for parts in zip(*spans, strict=True)] or [b""] * len(names)


def _box(corners: Any) -> Box:  # noqa: ANN401 (Imath ships no types)
    first, last = corners.min, corners.max
    return Box(x=first.x, y=first.y, width=last.x - first.x + 1, height=last.y - first.y + 1)


def _merged(
    planes: list[bytes], kind: type[np.float16 | np.float32], shape: tuple[int, int, int]
) -> StoredPixels:
    if 0 in shape:  # no lines were asked for; OpenCV merges nothing of that
        return np.zeros(shape, np.float16) if kind is np.float16 else np.zeros(shape, np.float32)
    if kind is np.float16 and len(planes) == 1:  # read-only, as nobody writes into it
        return np.frombuffer(planes[0], np.float16).reshape(shape)
    if kind is np.float32:
        floats = [np.frombuffer(plane, np.float32).reshape(shape[:2]) for plane in planes]
        return np.asarray(cv2.merge(floats), np.float32).reshape(shape)
    # OpenCV has no half: it only moves it about.
    codes = [np.frombuffer(plane, np.uint16).reshape(shape[:2]) for plane in planes]
    return np.asarray(cv2.merge(codes), np.uint16).reshape(shape).view(np.float16)


def file_bytes(
    planes: Mapping[str, StoredPixels], header: Mapping[str, Any], *, half: bool
) -> bytearray:
    """Return an EXR's bytes; the same planes and header give the same bytes.

    Args:
        planes: [H, W] by the channel's name.
        header: attributes by their names, as OpenEXR's module takes them.
        half: whether the channels are half, else float.

    Raises:
        OSError: it cannot be made.
    """
    channels = {name: stored(plane, half=half) for name, plane in planes.items()}
    stream = io.BytesIO()
    try:
        with _openexr_threads.used():
            OpenEXR.File({"type": OpenEXR.scanlineimage, **header}, channels).write(stream)
    except (RuntimeError, TypeError, ValueError) as error:
        raise OSError(str(error)) from error
    return bytearray(stream.getbuffer())


def stored(plane: StoredPixels, *, half: bool) -> StoredPixels:
    """Return a plane [H, W] as a channel of half or float holds it, contiguous."""
    if not half:
        return as_float(plane)
    if plane.dtype == np.float16:  # a third of the time of a conversion
        return np.ascontiguousarray(plane, np.float16)
    return as_half(np.clip(as_float(plane), -_MOST, _MOST))
