"""What each result was made from, as hashes: a result is made once.

A recipe says what was asked. With its maker (`JobKeys.maker`) it is a fingerprint, by which
everything that is kept, in memory or on disk, is found. A finished file in its place is
compared by its recipe alone: another machine's matte of the same request is that matte.

    alpha(t) <- windows that cover t <- frames of each window <- plate frames

- A key is a hash of its inputs' keys and of just those settings that can change the result.
- A window's key holds no frame numbers and no clip extent: the same frames in the same order give
  the same alphas, wherever they stand.
- A change of code that changes pixels counts up the revision here.
- A plate's key is that of the very bytes that are read: the plate checks it (`media/plates`).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import astuple, replace
from enum import Enum
from functools import lru_cache, partial

from gvm_client.settings import Depth, Refine
from gvm_client.windows import Window, blends, seen_by
from gvm_server.matting.engines.backoff import decode_halo
from gvm_server.matting.job_spec import JobSpec
from gvm_server.matting.knobs import finish_values
from gvm_server.matting.region import REGION_REVISION
from gvm_server.matting.tiles import TILES_REVISION, Tile
from gvm_server.media.alphas.stamp import Fingerprint

PREPROCESS_REVISION = 5  # exposure and highlights, canvas, resize
WINDOW_REVISION = 1  # encode, denoise, decode as the pipeline calls them
FINISH_REVISION = 7  # cross-fade, refine, knobs, EXR
KEY_BYTES = 16
# Recipes of latents, and of windows: more than windows that share frames have.
REMEMBERED = 1024

_RecipeOfLatent = Callable[[int, Tile | None], bytes]
_RecipeOfWindow = Callable[[Window, Tile | None], bytes]


class JobKeys:
    """The keys of one job's results; safe to use from several threads.

    A plate is one version as long as a job runs, so a recipe is made once: a frame lies in several
    windows, and a window's recipe is part of each of its frames'.

    Attributes:
        maker: what makes the results here: device, types, libraries, processor; in words.

    Args:
        spec: the job's.

    Raises:
        EngineError: the device is not there.
    """

    def __init__(self, spec: JobSpec) -> None:
        self.maker = "; ".join(f"{name}: {value}" for name, value in spec.engine.maker())
        self._spec = spec
        self._neutral = spec.neutral
        self._latent: _RecipeOfLatent = lru_cache(REMEMBERED)(partial(_latent_recipe, spec))
        by_latents = partial(_window_recipe, spec, self._latent)
        self._window: _RecipeOfWindow = lru_cache(REMEMBERED)(by_latents)

    def latent(self, frame: int, tile: Tile | None = None) -> bytes:
        """Return the key of one frame's latent: its plate, its colour, its size, the engine.

        Args:
            frame: of the plate.
            tile: the part of it that is seen, where it is one.

        Raises:
            InputError: the plate frame is not there.
        """
        return Fingerprint(self._latent(frame, tile), self.maker).digest

    def window(self, window: Window, tile: Tile | None = None) -> bytes:
        """Return the key of a window's alphas: the latents that its engine sees, and its settings.

        Args:
            window: of the job's plan.
            tile: the part of the frames that is seen, where it is one.

        Raises:
            InputError: a plate frame is not there.
        """
        return Fingerprint(self._window(window, tile), self.maker).digest

    def alpha(self, frame: int) -> Fingerprint:
        """Return that of a finished alpha: its windows, its place in them, plate, knobs and guides.

        Raises:
            InputError: a plate frame, or one of a guide, is not there.
        """
        recipe = _alpha_recipe(self._spec, frame, self._spec.sink.depth, self._window)
        return Fingerprint(recipe, self.maker)

    def neutral(self, frame: int) -> Fingerprint:
        """Return that of the alpha before knobs and guides: of the half file that has none of them.

        Raises:
            InputError: a plate frame is not there.
        """
        # What the finish does is in no window's recipe, so the job's own are these.
        recipe = _alpha_recipe(self._neutral, frame, Depth.HALF, self._window)
        return Fingerprint(recipe, self.maker)


def _latent_recipe(spec: JobSpec, frame: int, tile: Tile | None) -> bytes:
    if tile is None:
        view = spec.shot_view(frame)
        seen, working = view.seen, view.working
    else:
        seen, working = tile.box, tile.size
    return _digest(
        "latent",
        PREPROCESS_REVISION,
        spec.engine.revision,
        spec.plate.key(frame),
        spec.plate.colour.digest,
        *astuple(spec.tone_mapping),
        *astuple(seen),
        *astuple(working),
        *(() if tile is None else ("tile", TILES_REVISION)),
    )


def _window_recipe(
    spec: JobSpec, latent: _RecipeOfLatent, window: Window, tile: Tile | None
) -> bytes:
    settings, seen = spec.window, seen_by(spec.plan, window)
    halo = decode_halo(settings) if settings.chunk < len(window) else 0
    return _digest(
        "window",
        WINDOW_REVISION,
        settings.steps,
        min(settings.chunk, len(window)),
        halo,
        spec.reference,
        # Where nothing is thrown away nothing is said of it: other engines' keys stay as they are.
        *(() if seen == window else (window.first - seen.first, len(window))),
        *(latent(frame, tile) for frame in seen.frames),
    )


def _alpha_recipe(spec: JobSpec, frame: int, depth: Depth, window: _RecipeOfWindow) -> bytes:
    parts: list[_Part] = ["alpha", FINISH_REVISION, spec.plate.key(frame)]
    parts += [spec.reference, depth, spec.engine.licence.name]
    refine = spec.refine_of(frame)
    parts += finish_values(replace(spec.knobs, refine=refine.value))
    if refine is not Refine.NONE:
        parts.append(spec.engine.spread)
    if refine is Refine.TILES:
        grid = spec.tile_grid
        parts += ["tiles", TILES_REVISION, grid.width, grid.height, *astuple(grid.canvas)]
    parts += astuple(spec.geometry.display)  # the file's windows depend on it
    parts += spec.guides.key_parts(frame)
    view = spec.shot_view(frame)
    if view.region is not None:
        parts += ["region", REGION_REVISION, *astuple(view.region), view.scale]
    for blend in blends(spec.plan, frame):
        place = frame - blend.window.first
        parts += [window(blend.window, None), place, blend.numerator, blend.denominator]
    return _digest(*parts)


_Part = bytes | str | int | float | None


def _digest(*parts: _Part) -> bytes:
    """Return a hash that depends on every part, its kind and its place."""
    hashed = hashlib.blake2b(digest_size=KEY_BYTES)
    for part in parts:
        data = _packed(part)
        hashed.update(struct.pack("<4sI", type(part).__name__[:4].encode(), len(data)) + data)
    return hashed.digest()


def _packed(part: _Part) -> bytes:
    if isinstance(part, bytes):
        return part
    if isinstance(part, Enum):
        return str(part.value).encode()
    if isinstance(part, float):
        return struct.pack("<d", part)
    return str(part).encode()
