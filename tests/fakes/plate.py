"""A plate that is drawn instead of read, and a sink that keeps alphas in memory."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gvm_client.file_content import ALPHA, FileContent
from gvm_client.settings import Depth
from gvm_server.media.alphas.exr import read_alpha, sealed_bytes
from gvm_server.media.alphas.stamp import Fingerprint
from gvm_server.media.colour.hints import FileHint
from gvm_server.media.colour.spaces import resolve_colour
from gvm_server.media.geometry import Box, ClipGeometry, FrameHeader, geometry_of
from gvm_server.media.outputs.sinks import Alpha, Delivery, Standing
from gvm_server.media.plates.base import PlateFrame
from gvm_server.media.store.cache import DiskCache


class DrawnPlate:
    """Frames of seeded noise; `versions` changes one, as a re-render would."""

    colour = resolve_colour("srgb", FileHint(kind="pixels", is_float=True))
    notes = ()

    def __init__(self, first: int, last: int, *, width: int = 12, height: int = 8) -> None:
        self.name = f"drawn {first}-{last}"
        self.first, self.last = first, last
        self.versions: Counter[int] = Counter()
        self.reads: Counter[int] = Counter()
        self.gone: set[int] = set()
        self.closed = False
        box = Box(x=0, y=0, width=width, height=height)
        self._header = FrameHeader(display=box, data=box)
        self._lock = threading.Lock()

    def missing(self) -> list[int]:
        return sorted(self.gone)

    def want(self, frames: Sequence[int]) -> bool:
        return True

    def look_ahead(self, frames: Sequence[int]) -> None:
        """Do nothing: there are no files."""

    def key(self, frame: int) -> bytes:
        return b"%d:%d" % (frame, self.versions[frame])

    def header(self, frame: int) -> FrameHeader:
        return self._header

    def geometry(self) -> ClipGeometry:
        return geometry_of(self.name, {self.first: self._header.windows})

    def read(self, frame: int) -> PlateFrame:
        with self._lock:
            self.reads[frame] += 1
        box = self._header.data
        generator = np.random.default_rng([frame + 1000, self.versions[frame]])
        pixels = generator.random((box.height, box.width, 3), dtype=np.float32)
        return PlateFrame(frame=frame, header=self._header, stored=pixels)

    def close(self) -> None:
        self.closed = True


class MemorySink:
    """Alphas by frame, as they were put or placed."""

    depth = Depth.FLOAT
    content = FileContent()
    way_back = None

    def __init__(self, cache: DiskCache) -> None:
        self._cache = cache
        self.alphas: dict[int, bytes] = {}
        self.keys: dict[int, Fingerprint] = {}
        self._lock = threading.Lock()

    def standing(self, frame: int, wanted: Fingerprint) -> Standing:
        return Standing(kept=self.keys.get(frame) == wanted, maker=wanted.maker)

    def fingerprints(self, wanted: Fingerprint) -> tuple[Fingerprint, ...]:
        return (wanted,)

    def outdated(self, frame: int, wanted: Fingerprint) -> tuple[Path, ...]:
        return ()

    def path(self, frame: int) -> str:
        return ""

    def place(self, frame: int, wanted: Fingerprint, cached: Sequence[Path]) -> Delivery:
        with self._lock:
            self.alphas[frame], self.keys[frame] = read_alpha(cached[0]).tobytes(), wanted
        return Delivery(frame=frame, cached=True)

    def put(self, alpha: Alpha) -> Delivery:
        with self._lock:
            self.alphas[alpha.frame] = alpha.pixels.tobytes()
            self.keys[alpha.frame] = alpha.fingerprint
        return Delivery(frame=alpha.frame)

    def keep(self, alpha: Alpha) -> tuple[Fingerprint, ...]:
        data = sealed_bytes(
            {ALPHA: alpha.pixels},
            header=alpha.header,
            depth=self.depth,
            attributes=alpha.attributes,
        )
        self._cache.put_alpha(alpha.fingerprint, data)
        return (alpha.fingerprint,)

    def close(self) -> None:
        """Nothing is held open."""
