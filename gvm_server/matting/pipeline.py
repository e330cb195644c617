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
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from gvm_client.errors import GvmError, InputError
from gvm_client.settings import Refine
from gvm_client.windows import Window, blends, windows_covering
from gvm_server.cores import READERS, WRITERS, usable_cores
from gvm_server.matting.background import BackgroundTasks, ReadAhead, shared_out
from gvm_server.matting.engines.base import Engine, EngineInfo, Image
from gvm_server.matting.finish import NeutralAlpha, brought_up, crossfade, finished, with_layers
from gvm_server.matting.job_spec import JobSpec
from gvm_server.matting.lookup import (
    CacheLookup,
    cached_files,
    of_damage,
    of_loss,
    roi_cut_of,
)
from gvm_server.matting.neutral import NeutralAlphas
from gvm_server.matting.resources import SHARES_OF_NEUTRAL, WINDOWS_IN_HAND, SharedResources
from gvm_server.matting.stage_timer import Stage, StageTimer
from gvm_server.matting.tiles import Tile
from gvm_server.matting.window_runs import PendingWindow, WindowRuns
from gvm_server.media.alphas.stamp import Fingerprint
from gvm_server.media.outputs.sinks import Delivery
from gvm_server.media.plates.base import Plate
from gvm_server.media.store.cache import WindowAlphas


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
        on_end: called once, when nothing more is delivered, with the failure or None; a frame may
            still be read or encoded that nobody waits for.
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
        self._unfinished = dict(lookup.to_make)
        self._next_windows: deque[PendingWindow] = deque()
        self._alphas: dict[Window, WindowAlphas] = {}
        self._tiles: dict[Window, dict[Tile, WindowAlphas]] = {}
        self.windows_run = 0
        self.windows_cached = 0
        self.lost: dict[int, Fingerprint] = {}
        self._damaged_alphas: list[int] = []
        self.timer = StageTimer()
        # An engine of single frames: as many as are read, encoded and waited for at a time.
        single = max(WINDOWS_IN_HAND, min(spec.window.frames_per_window, READERS + usable_cores()))
        self._in_hand = WINDOWS_IN_HAND if spec.engine.temporal else single
        self._neutral = NeutralAlphas(spec, lookup.keys, resources.cache)
        self._read_ahead = ReadAhead(spec, readers=resources.readers, timer=self.timer)
        self._on_end = on_end
        room = 2 * max(WRITERS, spec.plan.frames_per_window) + SHARES_OF_NEUTRAL
        self._background = BackgroundTasks(writers=resources.writers, room=room, on_end=self._end)
        self._runs = WindowRuns(
            spec, lookup.keys, resources, self._read_ahead, self._background, self.timer
        )
        self._background.put(lambda: self._place_cached(lookup.cached))
        for share in shared_out(lookup.neutral, SHARES_OF_NEUTRAL, first=spec.playhead):
            self._background.put(partial(self._finish_neutral, share))

    def run_window(self, load: Callable[[], Engine]) -> None:
        """Make the next window's alphas, and have the frames finished that they complete.

        Where they were to come from the cache, are damaged there, and the window's frames have to
        come from a host first, nothing is done: it waits for them as any other window.

        Raises:
            GvmError: a frame cannot be read, the engine failed, or the job has ended.
        """
        pending = self._next_windows[0]
        alphas = self._runs.recall(pending)
        tiled = self._is_tiled(pending.window)
        if alphas is None:
            pending = self._next_windows[0] = replace(pending, cached=False)
        if (alphas is None or tiled) and not self._read_ahead.ask(self._frames_to_read(pending)):
            return
        self._next_windows.popleft()
        if alphas is None:
            alphas = self._runs.run(pending, load(), self._next_windows)
            self.windows_run += 1
        else:
            self.windows_cached += 1
        self._alphas[pending.window] = alphas
        if tiled:
            self._tiles[pending.window] = self._runs.tiles(pending.window, alphas, load)
        for frame in pending.window.frames:
            if self._is_complete(frame):
                self._finish_frame(frame)
        self._drop_unneeded()

    def _finish_frame(self, frame: int) -> None:
        """Cross-fade a frame's windows and give it to the writer threads."""
        made = self._unfinished.pop(frame)
        shares = blends(self._spec.plan, frame)
        alpha = crossfade([(share, self._alpha(share.window, frame)) for share in shares])
        frame_in = self._read_ahead.take(frame)
        tiles = [(share, self._tiles_at(share.window, frame)) for share in shares]

        def deliver() -> None:
            with self.timer.stage(Stage.REFINE):
                neutral = brought_up(self._spec, alpha, frame_in, tiles)
            kept = self._deliver(made, neutral)
            with self.timer.stage(Stage.WRITE):
                self._neutral.keep(neutral, kept)

        self._background.put(deliver)

    def _deliver(self, made: Fingerprint, neutral: NeutralAlpha) -> tuple[Fingerprint, ...]:
        """Put a frame's alpha in its place, tell of it, keep it, and return what is kept."""
        with self.timer.stage(Stage.REFINE):
            alpha = finished(self._spec, made, neutral)
        with self.timer.stage(Stage.LAYERS):
            alpha = with_layers(self._spec, alpha, neutral)
        with self.timer.stage(Stage.WRITE):
            delivery = self._spec.sink.put(alpha)
        self._on_delivery(replace(delivery, roi_cut=neutral.roi_cut))
        with self.timer.stage(Stage.WRITE):
            return self._spec.sink.keep(alpha)

    def _finish_neutral(self, frames: Mapping[int, Fingerprint]) -> None:
        """Finish alphas that lie in the cache as they were before knobs and guides."""
        for frame, wanted in frames.items():
            self._background.check()
            on_damage = partial(self._damaged_alphas.append, frame)
            try:
                with self.timer.stage(Stage.READ):
                    neutral = self._neutral.recall(frame, on_damage)
            except (FileNotFoundError, InputError):
                neutral = None
            if neutral is None:  # evicted by another server, or damaged, since the lookup
                self.lost[frame] = wanted
            else:
                self._deliver(wanted, neutral)

    def _alpha(self, window: Window, frame: int) -> Image:
        alpha: Image = self._alphas[window][frame - window.first].astype(np.float32)
        return alpha

    def _tiles_at(self, window: Window, frame: int) -> list[tuple[Tile, Image]]:
        """Return what the tiles of a window say of one of its frames; nothing where none are."""
        place = frame - window.first
        return [(tile, alphas[place]) for tile, alphas in self._tiles.get(window, {}).items()]

    # ---- which windows and frames are needed -------------------------------------------------

    def look_ahead(self) -> bool:
        """Start reading for the next windows; return whether the first of them can run.

        Raises:
            InputError: a plate frame is not there any more.
        """
        while self._windows and len(self._next_windows) < self._in_hand:
            pending = self._runs.pending(self._windows.popleft())
            self._next_windows.append(pending)
            self._read_ahead.ask(self._frames_to_read(pending))
        if not self._next_windows:
            return True
        return self._read_ahead.ask(self._frames_to_read(self._next_windows[0]))

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
        frames = {frame for window in self._runs.damaged for frame in window.frames}
        return (
            *of_damage(len(self._damaged_alphas), "cached alpha", self._damaged_alphas),
            *of_damage(len(self._runs.damaged), "cached window", frames),
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
        self._runs.stop()
        self._read_ahead.keep_only(lambda _: False)
        self._background.close(reason)

    def _end(self, failure: GvmError | None) -> None:
        self._spec.close()  # ends every wait for a host's frame
        self._runs.close()
        self._spec.sink.close()
        self._on_end(failure)

    def _frames_to_read(self, pending: PendingWindow) -> list[int]:
        """Return the frames whose latents are to be made, and those that will be finished.

        Tiles are looked at in all that are seen: which there are is known from the alphas only.
        """
        latents = self._resources.latents
        if self._is_tiled(pending.window):
            return list(pending.seen.frames)
        pairs = zip(pending.seen.frames, pending.latent_keys, strict=True)
        return [
            frame
            for frame, key in pairs
            if (frame in self._unfinished and frame in pending.window)
            or not (pending.cached or key in latents)
        ]

    def _is_tiled(self, window: Window) -> bool:
        return self._spec.refine_of(window.first) is Refine.TILES

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
        self._tiles = {
            window: self._tiles[window] for window in self._alphas if window in self._tiles
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
