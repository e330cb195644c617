"""From the model's alpha to the plate's size: bilinear, guided, octave by octave, or by tiles.

- Every radius is in working pixels: what is done scales with the plate.
- Outside the band, where 3 x 3 working pixels have one value, every way is bilinear to the bit.
- The result is a function of this frame's alpha and plate, whatever was asked for beside it.
- Plate-size work is done some rows at a time: besides the frame's own planes little is held.

`tests/unit/server/matting/test_refine.py` holds these; `python -m benchmarks.truth` has figures.
"""

from __future__ import annotations

from math import ceil, gcd, log2

import numpy as np
from numpy.typing import NDArray

from gvm_client.settings import Refine
from gvm_server.matting.edges.climb import Said, applied, bilinear, brought_back, hold, laid_over
from gvm_server.matting.edges.fit import fit, flat, spread_out
from gvm_server.matting.edges.guide import Guide
from gvm_server.matting.edges.sampling import average
from gvm_server.matting.engines.base import Image
from gvm_server.matting.tiles import Closer

Size = tuple[int, int]
"""Height and width."""

DETAIL_FROM = 2.5  # times the working size: below it `detail` gains nothing over `guided`
# Of the grain's variance, what counts where a fit's guide is as shot, and where it is smoothed.
GRAIN, GRAIN_LEFT = 0.5, 0.25
HALO = 24  # working pixels around the band: more than the fits and projections reach
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
    plain = bilinear(alpha, *guide.size)
    still = flat(alpha)
    if way is Refine.NONE or still.all():
        return plain
    band = np.argwhere(~still)
    rows, columns = (_span(band[:, axis], working[axis], guide.size[axis]) for axis in (0, 1))
    here, there = (rows[0], columns[0]), (rows[1], columns[1])
    said = Said(alpha=alpha[here], still=still[here], spread=spread)
    made = _climbed(said, guide.part(*there), way)
    if closer is not None:
        made = closer.over(made, there)
        brought_back(made, said)
    laid_over(plain[there], made, said.still)
    return plain


def _span(band: NDArray[np.intp], side: int, plate: int) -> tuple[slice, slice]:
    """Return the working pixels of a side that the band needs, and the plate's pixels of them.

    Both begin and end on common borders of working and plate pixels; where these are rare, which
    is up to the sizes, it is the whole side.
    """
    common = side // gcd(side, plate)
    first = max(int(band.min()) - HALO, 0) // common * common
    last = min(-(-(int(band.max()) + 1 + HALO) // common) * common, side)
    return slice(first, last), slice(first * plate // side, last * plate // side)


def _climbed(said: Said, guide: Guide, way: Refine) -> Image:
    """Bring an alpha to its guide's size by a fit, or by one for each octave.

    One step has to tell from one fit what lies in a working pixel of many plate pixels; small ones
    find their way along a strand.
    """
    sizes, grain = [said.alpha.shape[:2], guide.size], GRAIN
    if way is Refine.DETAIL:
        sizes, grain, guide = octaves(sizes[0], guide.size), GRAIN_LEFT, guide.smoothed()
    colours = [guide.averaged(*sizes[-2])]
    for size in reversed(sizes[:-2]):
        colours.insert(0, average(colours[0], *size))
    colours[0] = spread_out(colours[0], said.spread)
    here, made = said, said.alpha
    for index, size in enumerate(sizes[1:], start=1):
        fitted = fit(here.alpha, colours[index - 1], here.still, grain * guide.grain**2)
        rows = colours[index].__getitem__ if index < len(colours) else guide.linear
        made = applied(fitted, rows, *size)
        hold(made, said)
        if index < len(colours):
            made = laid_over(bilinear(said.alpha, *size), made, said.still)
            here = Said.of(made, 0.0)
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
