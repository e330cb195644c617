"""The way of a frame: plate -> latent -> window alphas -> cross-fade -> refine -> EXR.

Laws:
1. A window is a pure function of its frames: what else was asked for does not touch it.
2. A window's alphas are rounded to half before anything uses them, so that a fresh result and
   a cached one are the same. (The reference plan keeps float: it is there to be compared.)
3. A job holds the frames of the windows on its horizon, the alphas of windows whose frames are
   not all finished, and what is in its writers' hands: nothing grows with the clip.
4. One thread, which owns the GPU, calls `look_ahead` and `run_window`; reading runs ahead of it
   and finishing behind it, on pools.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from gvm_client.errors import GvmError, InputError
from gvm_client.windows import Window, blends, windows_covering
from gvm_server.matting.background import FinishBehind, ReadAhead
from gvm_server.matting.engines.backoff import decode_halo
from gvm_server.matting.engines.base import Engine, EngineInfo, Image, Latent
from gvm_server.matting.finish import crossfade, finish
from gvm_server.matting.job_spec import Order
from gvm_server.matting.keys import latent_key, maker_words, window_key
from gvm_server.matting.lookup import Survey, of_damage, of_loss
from gvm_server.matting.resources import WINDOWS_IN_HAND, LatentStore
from gvm_server.matting.stage_timer import Clock, Stage
from gvm_server.media.alphas.stamp import Fingerprint
from gvm_server.media.outputs.sinks import Delivery
from gvm_server.media.plates.base import Plate
from gvm_server.media.store.cache import DiskCache, WindowAlphas


@dataclass(frozen=True, kw_only=True, slots=True)
class Shop:
    """What all jobs of a server share: stores and pools."""

    cache: DiskCache
    latents: LatentStore
    readers: Executor
    writers: Executor
    fresh: dict[bytes, WindowAlphas] = field(default_factory=dict)
    """Window alphas on their way to the cache, so that no other job makes them meanwhile."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Step:
    """A window on the horizon; its keys, and its latents', are of recipe and maker."""

    window: Window
    key: bytes
    latent_keys: tuple[bytes, ...]


class Pipeline:
    """One job's way from plate frames to alphas.

    Attributes:
        lost: alphas that lay in the cache when the job was looked at, and could not be delivered
            from there: they are still to be made.

    Args:
        order: what to make.
        survey: what of it is missing.
        shop: the server's stores and pools.
        on_delivery: called on a writer thread with each alpha that was put in place.
        on_end: called once, when nothing of the job is in anybody's hands, with the failure.
    """

    def __init__(
        self,
        order: Order,
        survey: Survey,
        shop: Shop,
        *,
        on_delivery: Callable[[Delivery], None],
        on_end: Callable[[GvmError | None], None],
    ) -> None:
        self._order = order
        self._shop = shop
        self._on_delivery = on_delivery
        self._windows = deque(survey.windows)
        self._maker = maker_words(order)
        self._unfinished = dict(survey.to_make)
        self._horizon: deque[_Step] = deque()
        self._alphas: dict[Window, WindowAlphas] = {}
        self.windows_run = 0
        self.windows_cached = 0
        self.lost: dict[int, Fingerprint] = {}
        self._spoiled_alphas: list[int] = []
        self._spoiled_windows: list[Window] = []
        self.clock = Clock()
        self._ahead = ReadAhead(order, readers=shop.readers, clock=self.clock)
        room = 2 * order.window.frames_per_window
        self._on_end = on_end
        self._behind = FinishBehind(writers=shop.writers, room=room, on_end=self._end)
        self._behind.put(lambda: self._place_cached(survey.cached))

    def run_window(self, load: Callable[[], Engine]) -> None:
        """Make the next window's alphas and hand over the frames that they complete.

        Where they were to come from the cache, and are damaged there, and its frames are with a
        host, nothing is done: the window waits for them as any other does.

        Raises:
            GvmError: a frame cannot be read, the engine failed, or the job has ended.
        """
        step = self._horizon[0]
        alphas = self._recall(step)
        if alphas is None and not self._ahead.ask(self._frames_to_read(step)):
            return
        self._horizon.popleft()
        if alphas is None:
            alphas = self._compute(step, load())
        self._alphas[step.window] = alphas
        for frame in step.window.frames:
            if self._is_complete(frame):
                self._hand_over(frame)
        self._forget()

    def _compute(self, step: _Step, engine: Engine) -> WindowAlphas:
        """Encode, denoise and decode one window."""
        window, settings = step.window, self._order.window
        pairs = zip(window.frames, step.latent_keys, strict=True)
        latents = [self._latent(frame, key, engine) for frame, key in pairs]
        self._behind.check()
        with self.clock.stage(Stage.DENOISE):
            latents = list(engine.denoise(latents, steps=settings.steps))
        self._behind.check()
        with self.clock.stage(Stage.DECODE):
            decoded = engine.decode(latents, chunk=settings.chunk, halo=decode_halo(settings))
        alphas = decoded if self._order.reference else decoded.astype(np.float16)
        self.windows_run += 1
        self._shop.fresh[step.key] = alphas
        self._behind.keep(lambda: self._put_into_cache(step.key, alphas))
        return alphas

    def _put_into_cache(self, key: bytes, alphas: WindowAlphas) -> None:
        self._shop.cache.add_window(key, alphas)
        self._shop.fresh.pop(key, None)

    def _latent(self, frame: int, key: bytes, engine: Engine) -> Latent:
        """Recall a frame's latent, or encode it."""
        self._behind.check()
        latent = self._shop.latents.recall(key)
        if latent is None:
            working = self._ahead.take(frame).working
            with self.clock.stage(Stage.ENCODE):
                latent = engine.encode(working)
            self._shop.latents.keep(key, latent)
        return latent

    def _hand_over(self, frame: int) -> None:
        """Cross-fade a frame's windows and give it to the writers."""
        made = self._unfinished.pop(frame)
        shares = blends(self._order.plan, frame)
        alpha = crossfade([(share, self._alpha(share.window, frame)) for share in shares])
        taken = self._ahead.take(frame)

        def deliver() -> None:
            self._on_delivery(finish(self._order, made, alpha, taken, self.clock))

        self._behind.put(deliver)

    def _alpha(self, window: Window, frame: int) -> Image:
        alpha: Image = self._alphas[window][frame - window.first].astype(np.float32)
        return alpha

    # ---- what is wanted next, and what is not wanted any more --------------------------------

    def look_ahead(self) -> bool:
        """Start reading for the windows on the horizon; return whether the next one can run.

        Raises:
            InputError: a plate frame is not there any more.
        """
        while self._windows and len(self._horizon) < WINDOWS_IN_HAND:
            self._horizon.append(self._step(self._windows.popleft()))
        ready = [self._ahead.ask(self._frames_to_read(step)) for step in self._horizon]
        return not ready or ready[0]

    @property
    def plate(self) -> Plate:
        """The clip that is matted."""
        return self._order.plate

    @property
    def engine(self) -> EngineInfo:
        """The engine that it wants."""
        return self._order.engine

    @property
    def notes(self) -> tuple[str, ...]:
        """What the artist should know of what was found damaged on the way."""
        frames = {frame for window in self._spoiled_windows for frame in window.frames}
        return (
            *of_damage(len(self._spoiled_alphas), "cached alpha", self._spoiled_alphas),
            *of_damage(len(self._spoiled_windows), "cached window", frames),
            *of_loss(self.lost.keys() - set(self._spoiled_alphas)),
        )

    @property
    def windows_left(self) -> int:
        """Windows that have not run yet."""
        return len(self._windows) + len(self._horizon)

    @property
    def failed(self) -> bool:
        """Whether the job is to end."""
        return self._behind.failure is not None

    @property
    def closed(self) -> bool:
        """Whether no more windows will run."""
        return self._behind.closed

    @property
    def exhausted(self) -> bool:
        """Whether every window has run."""
        return not (self._windows or self._horizon)

    def fail(self, failure: GvmError) -> None:
        """End the job as soon as may be; what is finished stays."""
        self._behind.fail(failure)

    def close(self, reason: GvmError | None = None) -> None:
        """Say that no more windows will run; `on_end` follows when the writers are done.

        Args:
            reason: why, where the job could not go on; frames that are complete are still made.
        """
        self._ahead.keep_only(lambda _: False)
        self._behind.close(reason)

    def _end(self, failure: GvmError | None) -> None:
        self._order.plate.close()
        self._order.sink.close()
        self._on_end(failure)

    def _step(self, window: Window) -> _Step:
        return _Step(
            window=window,
            key=self._made(window_key(self._order, window)),
            latent_keys=tuple(
                self._made(latent_key(self._order, frame)) for frame in window.frames
            ),
        )

    def _made(self, recipe: bytes) -> bytes:
        return Fingerprint(recipe, self._maker).digest

    def _frames_to_read(self, step: _Step) -> list[int]:
        """Return the frames whose latents are to be made, and those that will be finished."""
        cached = step.key in self._shop.fresh or self._shop.cache.has_window(step.key)
        pairs = zip(step.window.frames, step.latent_keys, strict=True)
        return [
            frame
            for frame, key in pairs
            if frame in self._unfinished or not (cached or key in self._shop.latents)
        ]

    def _recall(self, step: _Step) -> WindowAlphas | None:
        self._behind.check()
        alphas = self._shop.fresh.get(step.key)
        if alphas is None:
            size = self._order.working
            shape = (len(step.window), size.padded_height, size.padded_width)
            spoiled = partial(self._spoiled_windows.append, step.window)
            alphas = self._shop.cache.window(step.key, shape, spoiled)
        if alphas is not None:
            self.windows_cached += 1
        return alphas

    def _is_complete(self, frame: int) -> bool:
        return frame in self._unfinished and all(
            window in self._alphas for window in windows_covering(self._order.plan, frame)
        )

    def _forget(self) -> None:
        """Drop what no unfinished frame and no window on the horizon needs."""
        self._alphas = {
            window: alphas
            for window, alphas in self._alphas.items()
            if any(frame in self._unfinished for frame in window.frames)
        }
        held = (*self._alphas, *(step.window for step in self._horizon))
        self._ahead.keep_only(lambda frame: any(frame in window for window in held))

    def _place_cached(self, cached: Mapping[int, Fingerprint]) -> None:
        """Deliver finished alphas from the cache; no window waits for it."""
        for frame, wanted in cached.items():
            self._behind.check()
            spoiled = partial(self._spoiled_alphas.append, frame)
            path = self._shop.cache.alpha(wanted, spoiled)
            try:
                delivery = path and self._order.sink.place(frame, wanted, path)
            except (FileNotFoundError, InputError):
                delivery = None
            if delivery:
                self._on_delivery(delivery)
            else:  # evicted by another server, or damaged, since the survey
                self.lost[frame] = wanted
