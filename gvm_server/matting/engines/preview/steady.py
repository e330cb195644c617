"""The bilateral mean of alphas over time: it takes the flicker of an edge that stands still.

A neighbour frame counts as far as the plate shows the same there: where something moved, the
frame's own alpha is what is left. The mean is taken at a small size, for what flickers is as coarse
as what the network sees; what it changes is added to the frame's own alpha at full size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat

import cv2
import numpy as np

from gvm_client.engines import EngineName
from gvm_server.matting.engines.base import ALL, Image

REACH = EngineName.PREVIEW.reach  # frames on each side that a mean takes in
# How far two plates may differ and still be the same: the standard deviation, in sRGB 0..1, of a
# Gaussian over the distance of their colours.
TOLERANCE = 0.03
# How far two alphas may differ and still be one edge: a neighbour's outline, left behind by a dark
# subject on a dark ground, is no flicker.
ALPHA_TOLERANCE = 0.5
GUIDE_SIDE = 768  # pixels of the longer side at which plates are compared
AROUND = np.ones((3, 3), np.uint8)  # where one pixel moved its neighbours did, too
GUIDE_BLUR = 1.0  # pixels there: as much as 1.4 at 1024, grain must not count
_ROWS = 64  # that are compared at once: they stay in a core's cache


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """One frame as it was seen.

    Attributes:
        alpha: [h, w] in 0..1.
        small: [h', w'], the same.
        guide: [h', w', 3], the plate, without its grain.
    """

    alpha: Image
    small: Image
    guide: Image

    @property
    def nbytes(self) -> int:
        """The memory that it holds."""
        return self.alpha.nbytes + self.small.nbytes + self.guide.nbytes


def seen(frame: Image, alpha: Image) -> Seen:
    """Return what `steady` needs of a frame [h, w, 3] and its alpha [h, w]."""
    scale = min(1.0, GUIDE_SIDE / max(alpha.shape))
    height, width = (max(1, round(scale * side)) for side in alpha.shape)
    guide = cv2.GaussianBlur(_shrunk(frame, height, width), (0, 0), GUIDE_BLUR)
    return Seen(
        alpha=alpha,
        small=_shrunk(alpha, height, width),
        guide=np.asarray(guide, dtype=np.float32),
    )


def steady(frames: Sequence[Seen], threads: int, own: slice = ALL) -> Image:
    """Return the alphas [T, h, w] of T consecutive frames, each a mean over its neighbourhood.

    The neighbourhood is REACH frames on each side, cut at both ends of the sequence.

    Args:
        frames: the sequence.
        threads: that make them.
        own: of the sequence, those that are returned.
    """
    places = range(len(frames))[own]
    steadied = np.empty((len(places), *frames[0].alpha.shape), np.float32)
    if len(places) == 1:
        _steady_one(frames, places[0], steadied[0])
        return steadied
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(_steady_one, repeat(frames), places, steadied))
    return steadied


def _steady_one(frames: Sequence[Seen], place: int, out: Image) -> None:
    own, change = frames[place], np.empty_like(frames[place].small)
    others = (*frames[max(0, place - REACH) : place], *frames[place + 1 : place + 1 + REACH])
    for top in range(0, len(change), _ROWS):
        change[top : top + _ROWS] = _change(own, others, top, min(top + _ROWS, len(change)))
    height, width = own.alpha.shape
    grown = cv2.resize(change, (width, height), interpolation=cv2.INTER_LINEAR)
    np.add(own.alpha, grown, out=out)
    np.clip(out, 0.0, 1.0, out=out)


def _change(own: Seen, others: Sequence[Seen], top: int, end: int) -> Image:
    """Return by how much the mean differs from a frame's own small alpha in rows: [n, w']."""
    first = max(0, top - 1)  # likeness looks a row beyond
    seen, rows = slice(first, end + 1), slice(top - first, end - first)
    total = np.zeros((end - top, own.small.shape[1]), np.float32)
    weights = np.ones_like(total)
    for other in others:
        apart = other.small[seen] - own.small[seen]
        alike = _likeness(own.guide[seen], other.guide[seen], apart)[rows]
        weights += alike
        total += alike * apart[rows]
    return total / weights


def _likeness(one: Image, other: Image, apart: Image) -> Image:
    """Return in 0..1 how alike two frames are in each pixel, and in those around it.

    Args:
        one: the guide of the one.
        other: of the other.
        apart: by how much their alphas differ.
    """
    colours = (one - other) * np.float32(1 / (math.sqrt(2) * TOLERANCE))
    distance = cv2.transform(colours * colours, np.ones((1, 3), np.float32))
    distance = cv2.dilate(distance, AROUND)
    alphas = apart * np.float32(1 / (math.sqrt(2) * ALPHA_TOLERANCE))
    return np.exp(-distance - alphas * alphas)


def _shrunk(image: Image, height: int, width: int) -> Image:
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32)
