"""How a window's alphas come about: recalled from the cache, or made by the engine and kept.

A window is of whole frames, or of one tile of them, which the engine sees in the plate's own
pixels; either is a pure function of its frames and is kept under a key of its own. One window, of
one tile, is in the engine's memory at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from itertools import repeat

from gvm_client.errors import EngineError
from gvm_client.windows import Window, seen_by
from gvm_server.matting.background import BackgroundTasks, Encodings, ReadAhead
from gvm_server.matting.engines.backoff import decode_halo
from gvm_server.matting.engines.base import Engine, Latent
from gvm_server.matting.job_spec import JobSpec
from gvm_server.matting.keys import JobKeys
from gvm_server.matting.resources import SharedResources
from gvm_server.matting.stage_timer import Stage, StageTimer
from gvm_server.matting.tiles import Tile
from gvm_server.media.pixels import as_half
from gvm_server.media.store.cache import WindowAlphas


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingWindow:
    """A window that is to run; its key, and its latents', are digests of recipe and maker."""

    window: Window
    seen: Window
    """The window with the frames around it that the engine looks at besides."""
    key: bytes
    latent_keys: tuple[bytes, ...]
    """Of what is seen."""
    cached: bool
    """Whether its alphas lay in the cache, or were on their way to it."""
    tile: Tile | None = None
    """The part of the frames that is seen; None is all that the model sees of the shot."""

    @property
    def own(self) -> slice:
        """The window's own frames among those that are seen."""
        before = self.window.first - self.seen.first
        return slice(before, before + len(self.window))


class WindowRuns:
    """The windows of one job; used by the thread that owns the GPU.

    Attributes:
        damaged: windows of which something in the cache was damaged.

    Args:
        spec: what to make.
        keys: of what is made.
        resources: the server's stores.
        read_ahead: gives the frames.
        background: the job's tasks.
        timer: of the job's stages.
    """

    def __init__(
        self,
        spec: JobSpec,
        keys: JobKeys,
        resources: SharedResources,
        read_ahead: ReadAhead,
        background: BackgroundTasks,
        timer: StageTimer,
    ) -> None:
        self._spec = spec
        self._keys = keys
        self._resources = resources
        self._read_ahead = read_ahead
        self._background = background
        self._timer = timer
        self._encodings = Encodings() if spec.engine.parallel else None
        self.damaged: list[Window] = []

    def pending(self, window: Window, tile: Tile | None = None) -> PendingWindow:
        """Return a window of the plan, of whole frames or of a tile, with its keys.

        Raises:
            InputError: a plate frame is not there any more.
        """
        seen = seen_by(self._spec.plan, window)
        key, resources = self._keys.window(window, tile), self._resources
        return PendingWindow(
            window=window,
            seen=seen,
            key=key,
            cached=key in resources.fresh or resources.cache.has_window(key),
            latent_keys=tuple(self._keys.latent(one, tile) for one in seen.frames),
            tile=tile,
        )

    def recall(self, pending: PendingWindow) -> WindowAlphas | None:
        """Return a window's alphas that were made before, or None."""
        self._background.check()
        alphas = self._resources.fresh.get(pending.key)
        if alphas is not None:
            return alphas
        if not (pending.cached or self._resources.cache.has_new_window(pending.key)):
            return None  # neither there when it was looked for, nor made here since
        view = self._spec.shot_view(pending.window.first)
        size = view.working if pending.tile is None else pending.tile.size
        shape = (len(pending.window), size.padded_height, size.padded_width)
        on_damage = partial(self.damaged.append, pending.window)
        return self._resources.cache.window(pending.key, shape, on_damage)

    def run(
        self, pending: PendingWindow, engine: Engine, ahead: Collection[PendingWindow] = ()
    ) -> WindowAlphas:
        """Encode, denoise and decode one window, and have it put into the cache.

        Args:
            pending: the window.
            engine: is loaded.
            ahead: the windows after it: what they see may be encoded meanwhile.

        Raises:
            GvmError: a frame cannot be read, the engine failed, or the job has ended.
        """
        settings = self._spec.window
        try:
            latents = self._latents(pending, engine, ahead)
            self._background.check()
            with self._timer.stage(Stage.DENOISE):
                latents = list(engine.denoise(latents, steps=settings.steps))
        except EngineError:  # a latent may turn out wrong after it was kept
            self._resources.latents.drop(pending.latent_keys)
            raise
        self._background.check()
        with self._timer.stage(Stage.DECODE):
            own = engine.decode(
                latents, chunk=settings.chunk, halo=decode_halo(settings), own=pending.own
            )
        alphas = own if self._spec.reference else as_half(own)
        self._resources.fresh[pending.key] = alphas
        self._background.keep(lambda: self._put_into_cache(pending.key, alphas))
        return alphas

    def tiles(
        self, window: Window, alphas: WindowAlphas, load: Callable[[], Engine]
    ) -> dict[Tile, WindowAlphas]:
        """Return the alphas of a window's tiles: of those in which these, of whole frames, ask.

        Raises:
            GvmError: as `run`.
        """
        view, made = self._spec.shot_view(window.first), {}
        for tile in self._spec.tile_grid.with_edges(view, list(alphas)):
            pending = self.pending(window, tile)
            found = self.recall(pending)
            made[tile] = self.run(pending, load()) if found is None else found
        return made

    def _put_into_cache(self, key: bytes, alphas: WindowAlphas) -> None:
        self._resources.cache.add_window(key, alphas)
        self._resources.fresh.pop(key, None)

    def stop(self) -> None:
        """Begin no more encodings."""
        if self._encodings is not None:
            self._encodings.keep_only(())

    def close(self) -> None:
        """Let the encodings' threads end; it waits for none."""
        if self._encodings is not None:
            self._encodings.close()

    def _latents(
        self, pending: PendingWindow, engine: Engine, ahead: Collection[PendingWindow]
    ) -> list[Latent]:
        """Recall or encode what a window's engine sees, in parallel where the engine allows it."""
        frames, keys, tile = pending.seen.frames, pending.latent_keys, pending.tile
        if self._encodings is None:
            rest = repeat(tile), repeat(engine)
            return list(map(self._latent, frames, keys, *rest))
        for one in (pending, *ahead):
            for frame, key in zip(one.seen.frames, one.latent_keys, strict=True):
                if one is pending or (not one.cached and frame in self._read_ahead):
                    work = partial(self._latent, frame, key, one.tile, engine)
                    self._encodings.start(key, work)
        latents = [self._encodings.take(key) for key in keys]
        if tile is None:
            self._encodings.keep_only({key for one in ahead for key in one.latent_keys})
        else:
            self._encodings.drop(keys)
        return latents

    def _latent(self, frame: int, key: bytes, tile: Tile | None, engine: Engine) -> Latent:
        """Recall a frame's latent, or encode it; a tile's is not kept: there would be too many."""
        self._background.check()
        latent = self._resources.latents.recall(key)
        if latent is None:
            taken = self._read_ahead.take(frame)
            seen = self._spec.shot_view(frame).seen
            picture = taken.working if tile is None else tile.picture(taken.guide.display, seen)
            with self._timer.stage(Stage.ENCODE):
                latent = engine.encode(picture)
            if tile is None:
                self._resources.latents.keep(key, latent)
        return latent
