"""The way of a frame: plate -> latent -> window alphas -> cross-fade -> refine -> EXR.

- A window is a pure function of its frames: what else was asked for does not touch it
  (test_any_range_gives_the_clip_s_own_bits).
- A window's alphas are rounded to half before anything uses them, so that a fresh result and a
  cached one are the same. The reference plan keeps float: it is there to be compared.
- A job holds the frames of its next windows, the alphas of windows whose frames are not all
  finished, and the writers' tasks: nothing grows with the clip
  (test_a_job_holds_a_bounded_number_of_frames).
- One thread, which owns the GPU, calls `look_ahead` and `run_window`; reading runs ahead of it and
  finishing behind it, on pools. An engine that says so encodes on several threads meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat
from pathlib import Path

import numpy as np

from gvm_client.errors import GvmError, InputError
from gvm_client.windows import Window, blends, seen_by, windows_covering
from gvm_server.cores import usable_cores
from gvm_server.matting.background import BackgroundTasks, ReadAhead
from gvm_server.matting.engines.backoff import decode_halo
from gvm_server.matting.engines.base import Engine, EngineInfo, Image, Latent
from gvm_server.matting.finish import crossfade, finish
from gvm_server.matting.job_spec import JobSpec
from gvm_server.matting.keys import latent_key, maker_words, window_key
from gvm_server.matting.lookup import (
    CacheLookup,
    cached_files,
    of_damage,
    of_loss,
    roi_cut_of,
)
from gvm_server.matting.resources import WINDOWS_IN_HAND, SharedResources
from gvm_server.matting.stage_timer import Stage, StageTimer
from gvm_server.media.alphas.stamp import Fingerprint
from gvm_server.media.outputs.sinks import Delivery
from gvm_server.media.plates.base import Plate
from gvm_server.media.store.cache import WindowAlphas


@dataclass(frozen=True, kw_only=True, slots=True)
class _PendingWindow:
    """A window that is to run; its key, and its latents', are digests of recipe and maker."""

    window: Window
    seen: Window
    """The window with the frames around it that the engine looks at besides."""
    key: bytes
    latent_keys: tuple[bytes, ...]
    """Of what is seen."""

    def own(self, alphas: Image) -> Image:
        """Return the window's own alphas of those of all that is seen."""
        before = self.window.first - self.seen.first
        return alphas[before : before + len(self.window)]


class Pipeline:
    """One job, from plate frames to alphas.

    Attributes:
        lost: alphas that lay in the cache when the job was looked at, and could not be delivered
            from there: they are still to be made.

    Args:
        spec: what to make.
        lookup: what of it is missing.
        resources: the server's stores and pools.
        on_delivery: called on a writer thread with each alpha that was put in place.
        on_end: called once, when no thread works for the job any more, with the failure or None.
    """

    def __init__(
        self,
        spec: JobSpec,
        lookup: CacheLookup,
        resources: SharedResources,
        *,
        on_delivery: Callable[[Delivery], None],
        on_end: Callable[[GvmError | None], None],
    ) -> None:
        self._spec = spec
        self._resources = resources
        self._on_delivery = on_delivery
        self._windows = deque(lookup.windows)
        self._maker = maker_words(spec)
        self._unfinished = dict(lookup.to_make)
        self._next_windows: deque[_PendingWindow] = deque()
        self._alphas: dict[Window, WindowAlphas] = {}
        self.windows_run = 0
        self.windows_cached = 0
        self.lost: dict[int, Fingerprint] = {}
        self._damaged_alphas: list[int] = []
        self._damaged_windows: list[Window] = []
        self.timer = StageTimer()
        self._read_ahead = ReadAhead(spec, readers=resources.readers, timer=self.timer)
        self._on_end = on_end
        room = 2 * spec.window.frames_per_window
        self._background = BackgroundTasks(writers=resources.writers, room=room, on_end=self._end)
        self._background.put(lambda: self._place_cached(lookup.cached))

    def run_window(self, load: Callable[[], Engine]) -> None:
        """Make the next window's alphas, and have the frames finished that they complete.

        Where they were to come from the cache, are damaged there, and the window's frames have to
        come from a host first, nothing is done: it waits for them as any other window.

        Raises:
            GvmError: a frame cannot be read, the engine failed, or the job has ended.
        """
        pending = self._next_windows[0]
        alphas = self._recall(pending)
        if alphas is None and not self._read_ahead.ask(self._frames_to_read(pending)):
            return
        self._next_windows.popleft()
        if alphas is None:
            alphas = self._run_model(pending, load())
        self._alphas[pending.window] = alphas
        for frame in pending.window.frames:
            if self._is_complete(frame):
                self._finish_frame(frame)
        self._drop_unneeded()

    def _run_model(self, pending: _PendingWindow, engine: Engine) -> WindowAlphas:
        """Encode, denoise and decode one window."""
        settings = self._spec.window
        latents = self._latents(pending, engine)
        self._background.check()
        with self.timer.stage(Stage.DENOISE):
            latents = list(engine.denoise(latents, steps=settings.steps))
        self._background.check()
        with self.timer.stage(Stage.DECODE):
            decoded = engine.decode(latents, chunk=settings.chunk, halo=decode_halo(settings))
        own = pending.own(decoded)
        alphas = own if self._spec.reference else own.astype(np.float16)
        self.windows_run += 1
        self._resources.fresh[pending.key] = alphas
        self._background.keep(lambda: self._put_into_cache(pending.key, alphas))
        return alphas

    def _put_into_cache(self, key: bytes, alphas: WindowAlphas) -> None:
        self._resources.cache.add_window(key, alphas)
        self._resources.fresh.pop(key, None)

    def _latents(self, pending: _PendingWindow, engine: Engine) -> list[Latent]:
        """Recall or encode what a window's engine sees, in parallel where the engine allows it."""
        frames, keys = pending.seen.frames, pending.latent_keys
        if not self._spec.engine.parallel:
            return [self._latent(*pair, engine) for pair in zip(frames, keys, strict=True)]
        with ThreadPoolExecutor(usable_cores()) as encoders:
            return list(encoders.map(self._latent, frames, keys, repeat(engine)))

    def _latent(self, frame: int, key: bytes, engine: Engine) -> Latent:
        """Recall a frame's latent, or encode it."""
        self._background.check()
        latent = self._resources.latents.recall(key)
        if latent is None:
            working = self._read_ahead.take(frame).working
            with self.timer.stage(Stage.ENCODE):
                latent = engine.encode(working)
            self._resources.latents.keep(key, latent)
        return latent

    def _finish_frame(self, frame: int) -> None:
        """Cross-fade a frame's windows and give it to the writer threads."""
        made = self._unfinished.pop(frame)
        shares = blends(self._spec.plan, frame)
        alpha = crossfade([(share, self._alpha(share.window, frame)) for share in shares])
        frame_in = self._read_ahead.take(frame)

        def deliver() -> None:
            self._on_delivery(finish(self._spec, made, alpha, frame_in, self.timer))

        self._background.put(deliver)

    def _alpha(self, window: Window, frame: int) -> Image:
        alpha: Image = self._alphas[window][frame - window.first].astype(np.float32)
        return alpha

    # ---- which windows and frames are needed -------------------------------------------------

    def look_ahead(self) -> bool:
        """Start reading for the next windows; return whether the first of them can run.

        Raises:
            InputError: a plate frame is not there any more.
        """
        while self._windows and len(self._next_windows) < WINDOWS_IN_HAND:
            self._next_windows.append(self._pending(self._windows.popleft()))
        ready = [
            self._read_ahead.ask(self._frames_to_read(pending)) for pending in self._next_windows
        ]
        return not ready or ready[0]

    @property
    def plate(self) -> Plate:
        """The clip that is matted."""
        return self._spec.plate

    @property
    def engine(self) -> EngineInfo:
        """The engine that it wants."""
        return self._spec.engine

    @property
    def notes(self) -> tuple[str, ...]:
        """What the artist should know of cache entries that were damaged, in whole sentences."""
        frames = {frame for window in self._damaged_windows for frame in window.frames}
        return (
            *of_damage(len(self._damaged_alphas), "cached alpha", self._damaged_alphas),
            *of_damage(len(self._damaged_windows), "cached window", frames),
            *of_loss(self.lost.keys() - set(self._damaged_alphas)),
        )

    @property
    def windows_left(self) -> int:
        """Windows that have not run yet."""
        return len(self._windows) + len(self._next_windows)

    @property
    def failed(self) -> bool:
        """Whether the job is to end."""
        return self._background.failure is not None

    @property
    def closed(self) -> bool:
        """Whether no more windows will run."""
        return self._background.closed

    @property
    def exhausted(self) -> bool:
        """Whether every window has run."""
        return not (self._windows or self._next_windows)

    def fail(self, failure: GvmError) -> None:
        """End the job as soon as may be; what is finished stays."""
        self._background.fail(failure)

    def close(self, reason: GvmError | None = None) -> None:
        """Say that no more windows will run; `on_end` follows when the writers are done.

        Args:
            reason: why, where the job could not go on; frames that are complete are still made.
        """
        self._read_ahead.keep_only(lambda _: False)
        self._background.close(reason)

    def _end(self, failure: GvmError | None) -> None:
        self._spec.close()
        self._spec.sink.close()
        self._on_end(failure)

    def _pending(self, window: Window) -> _PendingWindow:
        seen = seen_by(self._spec.plan, window)
        return _PendingWindow(
            window=window,
            seen=seen,
            key=self._digest(window_key(self._spec, window)),
            latent_keys=tuple(self._digest(latent_key(self._spec, frame)) for frame in seen.frames),
        )

    def _digest(self, recipe: bytes) -> bytes:
        return Fingerprint(recipe, self._maker).digest

    def _frames_to_read(self, pending: _PendingWindow) -> list[int]:
        """Return the frames whose latents are to be made, and those that will be finished."""
        resources = self._resources
        cached = pending.key in resources.fresh or resources.cache.has_window(pending.key)
        pairs = zip(pending.seen.frames, pending.latent_keys, strict=True)
        return [
            frame
            for frame, key in pairs
            if (frame in self._unfinished and frame in pending.window)
            or not (cached or key in resources.latents)
        ]

    def _recall(self, pending: _PendingWindow) -> WindowAlphas | None:
        self._background.check()
        alphas = self._resources.fresh.get(pending.key)
        if alphas is None:
            size = self._spec.shot_view(pending.window.first).working
            shape = (len(pending.window), size.padded_height, size.padded_width)
            on_damage = partial(self._damaged_windows.append, pending.window)
            alphas = self._resources.cache.window(pending.key, shape, on_damage)
        if alphas is not None:
            self.windows_cached += 1
        return alphas

    def _is_complete(self, frame: int) -> bool:
        return frame in self._unfinished and all(
            window in self._alphas for window in windows_covering(self._spec.plan, frame)
        )

    def _drop_unneeded(self) -> None:
        """Drop the alphas and frames that no unfinished frame and no next window needs."""
        self._alphas = {
            window: alphas
            for window, alphas in self._alphas.items()
            if any(frame in self._unfinished for frame in window.frames)
        }
        held = (*self._alphas, *(pending.seen for pending in self._next_windows))
        self._read_ahead.keep_only(lambda frame: any(frame in window for window in held))

    def _place_cached(self, cached: Mapping[int, Fingerprint]) -> None:
        """Deliver finished alphas from the cache; no window waits for it."""
        for frame, wanted in cached.items():
            self._background.check()
            on_damage = partial(self._damaged_alphas.append, frame)
            paths = cached_files(self._spec, self._resources.cache, wanted, on_damage)
            try:
                delivery = self._placed(frame, wanted, paths) if paths else None
            except (FileNotFoundError, InputError):
                delivery = None
            if delivery:
                self._on_delivery(delivery)
            else:  # evicted by another server, or damaged, since the lookup
                self.lost[frame] = wanted

    def _placed(self, frame: int, wanted: Fingerprint, paths: tuple[Path, ...]) -> Delivery:
        """Deliver a finished alpha from the cache, and say what its file says of its region."""
        cut = roi_cut_of(self._spec, frame, paths[0])
        return replace(self._spec.sink.place(frame, wanted, paths), roi_cut=cut)
