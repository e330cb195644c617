"""The latents of frames, kept in memory up to two bounds, least recently used out first.

The encoder sees one frame at a time, so overlapping windows, and a window that runs again after
one of its frames changed, share them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from gvm_server.matting.engines.base import Latent

LIMIT_FRAMES = 128  # sixteen windows of eight: more than overlaps and one changed frame ask for


class LatentStore:
    """A bounded map from a frame's key to its latent; safe from several threads.

    Args:
        limit_bytes: what the latents may hold together.
        limit_frames: how many there may be: small ones must not add up over a long clip either.
    """

    def __init__(self, *, limit_bytes: int, limit_frames: int = LIMIT_FRAMES) -> None:
        self._limit = limit_bytes
        self._limit_frames = limit_frames
        self._held = 0
        self._lock = threading.Lock()
        self._latents: OrderedDict[bytes, Latent] = OrderedDict()

    def __contains__(self, key: bytes) -> bool:
        with self._lock:
            return key in self._latents

    @property
    def nbytes(self) -> int:
        """The memory that the latents hold."""
        return self._held

    def recall(self, key: bytes) -> Latent | None:
        """Return a frame's latent, or None."""
        with self._lock:
            if key not in self._latents:
                return None
            self._latents.move_to_end(key)
            return self._latents[key]

    def keep(self, key: bytes, latent: Latent) -> None:
        """Keep a latent; older ones leave until the bound holds."""
        with self._lock:
            if key in self._latents:
                return
            self._latents[key] = latent
            self._held += latent.nbytes
            while self._held > self._limit or len(self._latents) > self._limit_frames:
                _, oldest = self._latents.popitem(last=False)
                self._held -= oldest.nbytes

    def clear(self) -> None:
        """Drop every latent."""
        with self._lock:
            self._latents.clear()
            self._held = 0
