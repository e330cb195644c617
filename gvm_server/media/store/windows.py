"""A window's alphas as bytes that prove themselves: what they are, then they, then a checksum.

The checksum holds only under the window's own key, so a file under another's name is caught.
"""

from __future__ import annotations

import struct
from hashlib import blake2b
from math import prod
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

WindowAlphas: TypeAlias = NDArray[np.float16] | NDArray[np.float32]

_MAGIC = b"gvm window 1\n"
_HEAD = struct.Struct(f"<{len(_MAGIC)}s2s3I")  # magic, numpy's word for the type, T, h, w
_SUM_BYTES = 32
_TYPES = (b"f2", b"f4")


def window_bytes(alphas: WindowAlphas, key: bytes) -> bytes:
    """Return a window's alphas, [T, h, w] in half or float, as a file's bytes."""
    little = np.ascontiguousarray(alphas, alphas.dtype.newbyteorder("<"))
    head = _HEAD.pack(_MAGIC, alphas.dtype.str[1:].encode(), *alphas.shape)
    body = head + little.tobytes()
    return body + _checksum(body, key)


def read_window(data: bytes, key: bytes, shape: tuple[int, int, int]) -> WindowAlphas:
    """Return the alphas in a file's bytes.

    Raises:
        ValueError: it is damaged, another window's, of another shape, or holds no alphas.
    """
    body, checksum = data[:-_SUM_BYTES], data[-_SUM_BYTES:]
    if checksum != _checksum(body, key) or len(body) < _HEAD.size:
        raise ValueError("it is damaged, or not the window that its name says")
    magic, kind, *found = _HEAD.unpack_from(body)
    if magic != _MAGIC or kind not in _TYPES or tuple(found) != shape:
        raise ValueError(f"it holds {kind!r} {found}, the plan expects {shape}")
    dtype = np.dtype(f"<{kind.decode()}")
    if len(body) != _HEAD.size + prod(shape) * dtype.itemsize:
        raise ValueError(f"it is {len(data)} bytes long")
    alphas: WindowAlphas = np.frombuffer(body, dtype, offset=_HEAD.size).reshape(shape)
    if not np.isfinite(alphas).all():
        raise ValueError("it holds NaN or infinite alphas")
    return alphas


def _checksum(body: bytes, key: bytes) -> bytes:
    return blake2b(body, digest_size=_SUM_BYTES, key=key).digest()
