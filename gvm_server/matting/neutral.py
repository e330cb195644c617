"""Alphas before knobs and guides in the cache: a turned knob reads neither plate nor windows.

- They are rounded to half, fresh or kept, so that knobs make the same of both.
- One is the file that a job without knobs and guides delivers as half, and is found by that file's
  key: who mattes with knobs first keeps it besides, who turns a knob later finds it.
- The reference plan has none: it keeps its floats.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from gvm_client.file_content import ALPHA
from gvm_client.settings import Depth
from gvm_server.matting.finish import NeutralAlpha, finished
from gvm_server.matting.job_spec import JobSpec
from gvm_server.matting.keys import JobKeys
from gvm_server.media.alphas.exr import sealed_bytes
from gvm_server.media.alphas.stamp import ROI_CUT, Fingerprint, read_text
from gvm_server.media.openexr import read_channels
from gvm_server.media.store.cache import DiskCache


class NeutralAlphas:
    """The neutral alphas of a job; safe from several threads.

    Args:
        spec: the job's.
        keys: the job's.
        cache: where they are kept.
    """

    def __init__(self, spec: JobSpec, keys: JobKeys, cache: DiskCache) -> None:
        self._spec = spec
        self._keys = keys
        self._cache = cache

    def has(self, frame: int, absent: tuple[Fingerprint, ...]) -> bool:
        """Return whether one lies in the cache; it is proven when it is recalled.

        Args:
            frame: the host's number.
            absent: of files that were not found there, not all of them.

        Raises:
            InputError: the plate frame is not there.
        """
        if self._spec.reference or self._spec.sink.content.has_colours:  # these want the plate
            return False
        made = self._keys.neutral(frame)
        return absent != (made,) and self._cache.has_alpha(made)

    def recall(self, frame: int, on_damage: Callable[[], None]) -> NeutralAlpha | None:
        """Return one from the cache; None where it is not there, or not whole.

        Raises:
            InputError: the plate frame is not there, or changed.
        """
        path = self._cache.alpha(self._keys.neutral(frame), on_damage)
        if path is None:
            return None
        found = read_channels(path, ("A",))
        if found is None:
            return None
        return NeutralAlpha(
            frame=frame,
            header=replace(self._spec.plate.header(frame), data=found.data),
            pixels=found.pixels[..., 0],
            roi_cut=read_text(path, ROI_CUT),
        )

    def keep(self, neutral: NeutralAlpha, kept: Collection[Fingerprint]) -> None:
        """Keep one, where it is not there; `kept` are those of the frame's files that are."""
        made = self._keys.neutral(neutral.frame)
        if self._spec.reference or made in kept or self._cache.has_alpha(made):
            return
        alpha = finished(self._spec.neutral, made, neutral)
        data = sealed_bytes(
            {ALPHA: alpha.pixels},
            header=alpha.header,
            depth=Depth.HALF,
            attributes=alpha.attributes,
        )
        self._cache.put_alpha(made, data)
