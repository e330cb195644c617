"""From the model's alpha to the plate's size: bilinear, guided, octave by octave, or by tiles.

- Every radius is in working pixels: what is done scales with the plate.
- Outside the band, where 3 x 3 working pixels have one value, every way is bilinear to the bit.
- The result is a function of this frame's alpha and plate, whatever was asked for beside it.
- Plate-size work is done near the band alone, some rows at a time: besides the frame's own planes
  little is held.

`tests/unit/server/matting/test_refine.py` holds these; `python -m benchmarks.truth` has figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import ceil, log2

import numpy as np

from gvm_client.settings import Refine
from gvm_server.matting.edges.climb import Said, applied, bilinear, brought_back, hold, laid_over
from gvm_server.matting.edges.fit import fit
from gvm_server.matting.edges.guide import Guide
from gvm_server.matting.edges.near import Near, around, near_band
from gvm_server.matting.edges.sampling import average
from gvm_server.matting.engines.base import Image
from gvm_server.matting.tiles import Closer

Size = tuple[int, int]
"""Height and width."""

DETAIL_FROM = 2.5  # times the working size: below it `detail` gains nothing over `guided`
# Of the grain's variance, what counts where a fit's guide is as shot, and where it is smoothed.
GRAIN, GRAIN_LEFT = 0.5, 0.25
_LAST_OCTAVE = 0.25  # as much longer than an octave the last step may be, in octaves


def fitting(way: Refine, plate: Size, working: Size, *, sees_parts: bool = False) -> Refine:
    """Return the way that a plate of this size is refined in when this one is asked for.

    Args:
        way: as it is asked for.
        plate: what the model sees of it.
        working: the size at which it does.
        sees_parts: whether the engine can look at tiles.
    """
    if plate[0] <= working[0] and plate[1] <= working[1]:
        return Refine.NONE  # the plate holds no more than the model saw
    if way is Refine.TILES and sees_parts:
        return way
    if way is Refine.TILES:
        way = Refine.DETAIL
    if way is Refine.DETAIL and ratio(plate, working) < DETAIL_FROM:
        return Refine.GUIDED
    return way


def ratio(plate: Size, working: Size) -> float:
    """Return how many times larger a plate is than the working size, on the side where most."""
    return max(plate[0] / working[0], plate[1] / working[1])


def refine(
    alpha: Image, guide: Guide, way: Refine, spread: float, closer: Closer | None = None
) -> Image:
    """Bring an alpha to the plate's size.

    Args:
        alpha: [h, w] in 0..1, the working size.
        guide: the plate, [H, W].
        way: as it is asked for.
        spread: sigma of the blur that the engine's alphas have, in working pixels.
        closer: what the engine said of tiles, where that is the way.

    Returns:
        [H, W] float32 in 0..1.
    """
    working = (alpha.shape[0], alpha.shape[1])
    way = fitting(way, guide.size, working)
    said = Said.of(alpha, spread)
    wide = around(said.still)
    band = near_band(wide, guide.size, guide.size[0])
    plain = bilinear(alpha, band, *guide.size)
    if way is Refine.NONE or not band:
        return plain
    steps, variance = [working, guide.size], GRAIN * guide.grain**2
    if way is Refine.DETAIL:
        # One step has to tell from one fit what lies in a working pixel of many plate pixels;
        # small ones find their way along a strand.
        steps, variance = octaves(*steps), GRAIN_LEFT * guide.grain**2
        guide = guide.smoothed()
    near = [*(near_band(wide, guide.size, height) for height, _ in steps[:-1]), band]
    made = _climbed(said, guide, variance, steps, near)
    if closer is not None:
        closer.over(made, band)
        brought_back(made, said, band, near[0])
    return laid_over(plain, made, said.still, band)


def _climbed(
    said: Said,
    guide: Guide,
    variance: float,
    steps: Sequence[Size],
    near: Sequence[Sequence[Near]],
) -> Image:
    """Bring an alpha to its guide's size by a fit for each step: [H, W], 0 far from the band.

    Args:
        said: the alpha.
        guide: the plate.
        variance: of its grain, as far as it counts.
        steps: the sizes, from the working one to the plate's.
        near: what of each lies near the band.
    """
    colours = [guide.averaged(*steps[-2], near[-1], near[-2])]
    for size in reversed(steps[:-2]):
        colours.insert(0, average(colours[0], *size))
    here, spread = said, said.spread
    for index, size in enumerate(steps[1:], start=1):
        where, last = near[index], index == len(colours)
        fitted = fit(here.alpha, colours[index - 1], here.still, variance, near[index - 1], spread)
        made: Image = np.zeros(size, np.float32)
        linear = guide.linear if last else partial(Near.cut, image=colours[index])
        applied(fitted, linear, where, made)
        hold(made, said, where, near[0])
        if not last:
            made = laid_over(bilinear(said.alpha, where, *size), made, said.still, where)
            here, spread = Said.of(made, 0.0), 0.0
    return made


def octaves(working: Size, plate: Size) -> list[Size]:
    """Return the sizes from the working one to the plate's, which may be no whole octave away.

    A side of the plate that is reached stays.
    """
    count = max(1, ceil(log2(ratio(plate, working)) - _LAST_OCTAVE))
    steps = [
        (min(working[0] << step, plate[0]), min(working[1] << step, plate[1]))
        for step in range(1, count)
    ]
    return [working, *steps, plate]
