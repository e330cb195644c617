"""A matte's layers beside the alpha: the raw matte, its edge and core, and the subject's colours.

- Each is a pure function of the frame's raw matte, its alpha and its plate: what else was asked
  for changes no bit of it (tests/integration/test_channels.py).
- The raw matte is the core, and in the band the edge times itself.
- Where the plate has no pixels, outside its data window, every layer is 0.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gvm_client.file_content import Despill, FileContent
from gvm_server.matting.engines.base import Image
from gvm_server.matting.foreground import despill, foreground
from gvm_server.media.outputs.parts import CORE, EDGE, FG, RAW, RGBA, colours_of
from gvm_server.media.pixels import Pixels

# From 0 or 1: a model's alpha of what is solid is seldom quite that. The original program cuts
# more, 10 % below and 6 % above.
SOLID = 0.02


def layers_of(
    content: FileContent,
    *,
    alpha: Callable[[], Image],
    raw: Callable[[], Image],
    plate: Callable[[], Pixels],
    data: tuple[slice, slice],
) -> dict[str, Image]:
    """Return the planes [H, W] of what is wanted beside the alpha, by their channels' names.

    Args:
        content: what is wanted.
        alpha: gives [H, W], finished.
        raw: gives [H, W], refined, before knobs and guides.
        plate: gives [h, w, 3] in linear light, over the data window.
        data: the rows and columns of the data window in these planes.
    """
    planes: dict[str, Image] = {}
    if content.matte_raw or content.matte_edge or content.matte_core:
        matte = raw()
        band = (matte > np.float32(SOLID)) & (matte < np.float32(1 - SOLID))
        if content.matte_raw:
            planes[RAW] = matte
        if content.matte_edge:
            planes[EDGE] = band.astype(np.float32)
        if content.matte_core:
            planes[CORE] = np.where(band, np.float32(0), matte)
    if content.has_colours:
        matted = alpha()
        colours = np.zeros((*matted.shape, 3), np.float32)
        straight = foreground(plate(), np.ascontiguousarray(matted[data]))
        colours[data] = despill(straight, Despill(content.despill))
        if content.foreground:
            planes |= _planes(FG, colours)
        if content.premultiplied:
            planes |= _planes(RGBA, colours * matted[..., np.newaxis])
    return planes


def host_colours(
    content: FileContent,
    *,
    alpha: Image,
    plate: Pixels,
    linear: Pixels,
    way_back: Callable[[Pixels], Pixels],
    data: tuple[slice, slice],
) -> Pixels:
    """Return the straight foreground [H, W, 3] in the plate's own space, as a host lays it.

    Where the alpha is 1 it is the plate, bit for bit, unless it is despilled.

    Args:
        content: what is done to it.
        alpha: [H, W], finished.
        plate: [h, w, 3] over the data window.
        linear: the same in linear light.
        way_back: from that to the plate's own space.
        data: the rows and columns of the data window in the alpha.
    """
    seen, screen = np.ascontiguousarray(alpha[data]), Despill(content.despill)
    made = way_back(despill(foreground(linear, seen), screen))
    if screen is Despill.NONE:
        made = np.where((seen == 1)[..., np.newaxis], plate, made)
    colours = np.zeros((*alpha.shape, 3), np.float32)
    colours[data] = made
    return colours


def _planes(word: str, colours: Pixels) -> dict[str, Image]:
    names = colours_of(word)
    return {name: np.ascontiguousarray(colours[..., at]) for at, name in enumerate(names)}
