"""What all jobs of a server share, and the memory that one of them takes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field

from gvm_client.errors import EngineError, ErrorCode, InputError
from gvm_client.windows import Plan
from gvm_server.hostmemory import available_bytes
from gvm_server.matting.engines.base import Latent
from gvm_server.matting.region import ShotView
from gvm_server.media.geometry import Box, ClipGeometry, describe
from gvm_server.media.store.cache import DiskCache, WindowAlphas

LIMIT_FRAMES = 128  # sixteen windows of eight: more than overlaps and one changed frame ask for
GIB = 1 << 30
SHARES_OF_NEUTRAL = 2  # tasks among which a job's alphas before knobs are shared out
WINDOWS_IN_HAND = 2  # the one that runs, and the one whose frames are read meanwhile
_COLOURS = 12  # bytes a pixel of three floats
_GUIDE = 3  # bytes a pixel of the colours that a frame keeps until its alpha is finished
# Bytes a pixel of what layers take besides: the plate's colours, kept as long; and at the finish
# these in linear light, the ten planes, and once more as the writer wants them.
_KEPT_COLOURS, LAYERS_BYTES = 12, 12 + 40 + 40
_TILES = 4  # bytes a pixel of its halves in all tiles that show it, until then
_COPIES = 2  # of a frame that is being read, or of an alpha that is being finished


class LatentCache:
    """The latents of frames by key, the least recently used out first; safe from several threads.

    The encoder sees one frame at a time, so overlapping windows, and a window that runs again after
    one of its frames changed, share them.

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

    def drop(self, keys: Iterable[bytes]) -> None:
        """Drop the latents of these keys, as far as they are here."""
        with self._lock:
            for key in keys:
                latent = self._latents.pop(key, None)
                self._held -= 0 if latent is None else latent.nbytes

    def clear(self) -> None:
        """Drop every latent."""
        with self._lock:
            self._latents.clear()
            self._held = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class SharedResources:
    """The stores and thread pools of a server.

    Attributes:
        cache: finished alphas and window alphas on disk.
        latents: encoded frames in memory.
        readers: threads that read and preprocess plate frames.
        writers: threads that finish and deliver alphas.
        fresh: window alphas on their way to the cache, by key, so that no other job makes them
            meanwhile.
    """

    cache: DiskCache
    latents: LatentCache
    readers: Executor
    writers: Executor
    fresh: dict[bytes, WindowAlphas] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class FramesInHand:
    """The frames that a job holds in memory at the same time.

    Attributes:
        view: what the model sees of them; where it has no region, all.
        plan: how many frames a window has, and how many around it the engine looks at.
        hands: frames that are read or finished at the same time.
        colours: whether layers of the plate's colours are made.
        tiled: whether the engine looks at tiles, too.
    """

    view: ShotView
    plan: Plan
    hands: int
    colours: bool = False
    tiled: bool = False

    def nbytes(self, canvas: Box) -> int:
        """Return the memory that they take at least, of a canvas that is read whole.

        The model's own is not in it.
        """
        seen = canvas if self.view.region is None else self.view.seen
        working = self.view.working
        plan = self.plan
        held = WINDOWS_IN_HAND * plan.frames_per_window + 2 * plan.reach  # they are neighbours
        small = working.padded_width * working.padded_height
        kept = _GUIDE * seen.area + _COLOURS * small + _KEPT_COLOURS * self.colours * canvas.area
        kept += _TILES * self.tiled * seen.area
        copies = _COPIES * (2 if self.tiled else 1)
        each = copies * _COLOURS + LAYERS_BYTES * self.colours
        return held * kept + self.hands * each * canvas.area


def check_memory(
    name: str,
    geometry: ClipGeometry,
    frames: FramesInHand,
    available: Callable[[], int] = available_bytes,
) -> int:
    """Refuse pictures for which this machine has no memory; return what they take.

    Args:
        name: the clip's, for messages.
        geometry: of the clip.
        frames: that are in memory at the same time.
        available: the bytes that are free.

    Raises:
        EngineError: OUT_OF_MEMORY, with what they need and what there is.
        InputError: PLATE_MISMATCH, one frame alone makes them too large: its header is damaged.
    """
    canvas, there = geometry.canvas, available()
    needed, plan = frames.nbytes(canvas), frames.plan
    if needed <= there:
        return needed
    around = f" and the {plan.reach} on each side" if plan.reach else ""
    sentence = (
        f"Windows of {plan.frames_per_window} frames{around} of {name}, {describe(canvas)} pixels"
        f" each, take at least {needed / GIB:.1f} GiB of memory; {there / GIB:.1f} GiB are"
        " available."
    )
    rest = geometry.rest
    if rest is not None and frames.nbytes(rest) <= there:
        raise InputError(
            f"{sentence} The data window of frame {geometry.widest} alone makes them so large;"
            f" without it the clip spans {describe(rest)}.",
            remedy="Render that frame again, or crop the plate to its display window.",
            code=ErrorCode.PLATE_MISMATCH,
            frame=geometry.widest,
            path=name,
        )
    raise EngineError(
        sentence,
        remedy="Use a smaller --frames-per-window, crop the plate, or end other programs.",
        code=ErrorCode.OUT_OF_MEMORY,
        path=name,
    )
