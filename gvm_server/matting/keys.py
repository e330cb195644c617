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
from typing import TypeAlias

from gvm_client.settings import Depth, Refine
from gvm_client.windows import Window, blends, seen_by
from gvm_server.matting.engines.backoff import decode_halo
from gvm_server.matting.job_spec import JobSpec
from gvm_server.matting.knobs import finish_values
from gvm_server.matting.region import REGION_REVISION, ShotView
from gvm_server.matting.tiles import TILES_REVISION, Tile
from gvm_server.media.alphas.stamp import Fingerprint

PREPROCESS_REVISION = 5  # exposure and highlights, canvas, resize
WINDOW_REVISION = 1  # encode, denoise, decode as the pipeline calls them
FINISH_REVISION = 8  # cross-fade, refine, knobs, EXR
KEY_BYTES = 16
# Recipes of latents, and of windows: more than windows that share frames have. Of plate frames too.
REMEMBERED = 1024

_Parts: TypeAlias = bytes
"""Parts of a recipe, packed. Most are the same for all frames of a shot, and are packed once."""

_Recipe = Callable[[int], bytes]
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
        plate: _Recipe = lru_cache(REMEMBERED)(lambda frame: _packed(spec.plate.key(frame)))
        self._latent: _RecipeOfLatent = lru_cache(REMEMBERED)(_latent_recipe(spec, plate))
        by_latents = partial(_window_recipe, spec, self._latent)
        self._window: _RecipeOfWindow = lru_cache(REMEMBERED)(by_latents)
        # What the finish does is in no window's recipe, so both have the job's own.
        shares: _Recipe = lru_cache(REMEMBERED)(partial(_shares, spec, self._window))
        self._alpha = _alpha_recipe(spec, spec.sink.depth, plate, shares)
        self._neutral = _alpha_recipe(spec.neutral, Depth.HALF, plate, shares)

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
        return Fingerprint(self._alpha(frame), self.maker)

    def neutral(self, frame: int) -> Fingerprint:
        """Return that of the alpha before knobs and guides: of the half file that has none of them.

        Raises:
            InputError: a plate frame is not there.
        """
        return Fingerprint(self._neutral(frame), self.maker)


def _latent_recipe(spec: JobSpec, plate: _Recipe) -> _RecipeOfLatent:
    """Return what makes a latent's recipe; `plate` gives a frame's key, packed."""
    head = _packed("latent", PREPROCESS_REVISION, spec.engine.revision)

    @lru_cache(REMEMBERED)
    def shown(view: ShotView | Tile) -> _Parts:
        if isinstance(view, Tile):
            place = *astuple(view.box), *astuple(view.size), "tile", TILES_REVISION
        else:
            place = *astuple(view.seen), *astuple(view.working)
        how = spec.plate.colour.digest, *astuple(spec.tone_mapping)
        return _packed(*how, *place)

    def recipe(frame: int, tile: Tile | None) -> bytes:
        return _hashed(head + plate(frame) + shown(tile or spec.shot_view(frame)))

    return recipe


def _window_recipe(
    spec: JobSpec, latent: _RecipeOfLatent, window: Window, tile: Tile | None
) -> bytes:
    settings, seen = spec.window, seen_by(spec.plan, window)
    halo = decode_halo(settings) if settings.chunk < len(window) else 0
    parts = _packed(
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
    return _hashed(parts)


def _shares(spec: JobSpec, window: _RecipeOfWindow, frame: int) -> _Parts:
    """Return the windows that a frame's alpha is made of, packed, with its place in each."""
    return b"".join(
        _packed(
            window(blend.window, None),
            frame - blend.window.first,
            blend.numerator,
            blend.denominator,
        )
        for blend in blends(spec.plan, frame)
    )


def _alpha_recipe(spec: JobSpec, depth: Depth, plate: _Recipe, shares: _Recipe) -> _Recipe:
    """Return what makes a finished alpha's recipe; `plate` and `shares` give packed parts."""
    head = _packed("alpha", FINISH_REVISION)

    @lru_cache(REMEMBERED)
    def same_for(view: ShotView) -> tuple[_Parts, _Parts]:
        """Return what is before the guides, and behind them."""
        refine = spec.refine_of(view.first)
        values = finish_values(replace(spec.knobs, refine=refine.value))
        parts: list[_Part] = [spec.reference, depth, spec.engine.licence.name, *values]
        if refine is not Refine.NONE:
            parts.append(spec.engine.spread)
        if refine is Refine.TILES:
            grid = spec.tile_grid
            parts += ["tiles", TILES_REVISION, grid.width, grid.height, *astuple(grid.canvas)]
        parts += astuple(spec.geometry.display)  # the file's windows depend on it
        region = view.region
        cut = () if region is None else ("region", REGION_REVISION, *astuple(region), view.scale)
        return _packed(*parts), _packed(*cut)

    def recipe(frame: int) -> bytes:
        finish, region = same_for(spec.shot_view(frame))
        guides = _packed(*spec.guides.key_parts(frame))
        return _hashed(b"".join((head, plate(frame), finish, guides, region, shares(frame))))

    return recipe


_Part = bytes | str | int | float | None


def _packed(*parts: _Part) -> _Parts:
    """Return bytes that depend on every part, its kind and its place."""
    packed = []
    for part in parts:
        data = _bytes_of(part)
        packed.append(struct.pack("<4sI", type(part).__name__[:4].encode(), len(data)) + data)
    return b"".join(packed)


def _hashed(parts: _Parts) -> bytes:
    return hashlib.blake2b(parts, digest_size=KEY_BYTES).digest()


def _bytes_of(part: _Part) -> bytes:
    if isinstance(part, bytes):
        return part
    if isinstance(part, Enum):
        return str(part.value).encode()
    if isinstance(part, float):
        return struct.pack("<d", part)
    return str(part).encode()
