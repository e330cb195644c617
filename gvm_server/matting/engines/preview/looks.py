"""How a frame is looked at: once as a whole, then closely at each person in it.

A close look is the mean of several: in boxes of different sizes, each as it is and mirrored. The
network errs otherwise at each, so its errors fade; a look counts less towards its box's border, so
that no straight edge is left where a box ends. Whom the frame's lower border cuts is looked at once
more for what lies there. Who goes on beyond the largest box, because the look at the whole frame
missed his head, is looked at once more in larger ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import cv2
import numpy as np

from gvm_server.matting.engines.base import Image
from gvm_server.matting.engines.preview.boxes import Box, beyond, people, without_specks
from gvm_server.matting.engines.preview.matting import settled
from gvm_server.matting.engines.preview.nets import LANDSCAPE, SQUARE, Net, Nets

# The network's alphas that become 0 and 1, for it is hardly ever wholly sure.
BLACK, WHITE = 0.1, 0.9
ENOUGH = 0.5  # of a look at the person itself, to be trusted wholly
# The look for the lower border: how far the picture goes on below it, and from how far above it the
# look counts, as parts of a person's longer side; and what it counts at the border. There hair was
# a grey patch; a picture that goes on so far in every look errs more elsewhere.
GOES_ON, COUNTS_FROM, COUNTS = 0.4, 0.25, 6.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Looks:
    """How closely a frame is looked at.

    Attributes:
        margins: of the boxes around a person, as parts of the longer side.
        mirrored: whether each box is also seen mirrored.
        lower_border: whether whom the frame's lower border cuts is looked at once more for it.
        each_part: whether people who stand apart get boxes of their own.
        matting: whether what is unsure in a box follows its colours then.
    """

    margins: tuple[float, ...] = (0.06, 0.12, 0.25)
    mirrored: bool = True
    lower_border: bool = True
    each_part: bool = True
    matting: bool = False


def look(frame: Image, nets: Nets, looks: Looks) -> Image:
    """Return the alpha [h, w] in 0..1 of a frame [h, w, 3], sRGB in 0..1.

    Outside the boxes, and where the look at the whole frame finds nobody, it is 0.
    """
    height, width = frame.shape[:2]
    net = LANDSCAPE if width > height else SQUARE
    seen = nets.see(net, _shrunk(frame, net)[np.newaxis])[0]
    rough = levelled(seen)
    boxes = people(rough, height, width)
    if not looks.each_part:
        boxes = _one(boxes)
    alpha = np.zeros((height, width), np.float32)
    for box in boxes:
        place, close, trust = _close_look(frame, box, nets, looks)
        more = beyond(close, place, height, width)
        if more is not None:
            place, close, trust = _close_look(frame, more.united(box), nets, looks)
        if looks.matting:
            close = settled(frame[place.slices], close)
        part = alpha[place.slices]
        np.maximum(part, close * trust, out=part)
    return without_specks(alpha, rough) if boxes else alpha


def levelled(alpha: Image) -> Image:
    """Bring BLACK and below to 0, WHITE and above to 1."""
    return cast("Image", np.clip((alpha - BLACK) / (WHITE - BLACK), 0.0, 1.0, dtype=np.float32))


def _one(boxes: tuple[Box, ...]) -> tuple[Box, ...]:
    if not boxes:
        return ()
    whole, *others = boxes
    for box in others:
        whole = whole.united(box)
    return (whole,)


def _close_look(frame: Image, person: Box, nets: Nets, looks: Looks) -> tuple[Box, Image, Image]:
    """Return the largest box around a person, the levelled mean of all looks in it, and its trust.

    The trust, 0 to 1, falls where the largest box alone looks, and ends: haze has no edge there.
    """
    height, width = frame.shape[:2]
    views = _views(person, height, width, looks)
    pictures = [_shrunk(_continued(frame[one.box.slices], one.below), SQUARE) for one in views]
    alphas = _see(np.stack(pictures), nets, mirrored=looks.mirrored)
    whole = person.widened(looks.margins[-1], height, width)
    total, weights = np.zeros((2, whole.bottom - whole.top, whole.right - whole.left), np.float32)
    for one, alpha in zip(views, alphas, strict=True):
        rows, columns = one.weight.shape
        place = one.box.within(whole)
        total[place] += one.weight * _stretched(alpha, rows + one.below, columns)[:rows]
        weights[place] += one.weight
    return whole, levelled(total / weights), np.minimum(weights / ENOUGH, np.float32(1.0))


@dataclass(frozen=True, kw_only=True, slots=True)
class _View:
    """What one look shows the network, and what it counts.

    Attributes:
        box: of the frame.
        below: rows by which its picture goes on below the frame.
        weight: [box height, box width].
    """

    box: Box
    below: int
    weight: Image


def _views(person: Box, height: int, width: int, looks: Looks) -> list[_View]:
    """Return the looks at a person in a frame: one for each margin, and for a border that cuts."""
    cut, views = person.bottom == height, list[_View]()
    for margin in looks.margins:
        box = person.widened(margin, height, width)
        below = person.pixels(margin) if cut else 0
        views.append(_View(box=box, below=below, weight=_trust(box, person, height, width)))
    if cut and looks.lower_border:
        nearest = views[0]
        above = np.arange(nearest.box.bottom - nearest.box.top, 0, -1, dtype=np.float32)
        near = np.maximum(1.0 - above / max(1, person.pixels(COUNTS_FROM)), 0.0, dtype=np.float32)
        weight = nearest.weight * (np.float32(COUNTS) * near)[:, np.newaxis]
        views.append(replace(nearest, below=person.pixels(GOES_ON), weight=weight))
    return views


def _continued(picture: Image, rows: int) -> Image:
    """Let a picture [h, w, 3] go on below the frame, as its own reflection.

    Where a body is cut by the frame the network is unsure of what is beside it: loose hair there
    became a grey block. A head that is cut is not so, and would be closed by a reflection.
    """
    if not rows:
        return picture
    longer = cv2.copyMakeBorder(picture, 0, rows, 0, 0, cv2.BORDER_REFLECT_101)
    return np.asarray(longer, dtype=np.float32)


def _see(pictures: Image, nets: Nets, *, mirrored: bool) -> Image:
    if not mirrored:
        return nets.see(SQUARE, pictures)
    both = nets.see(SQUARE, np.concatenate([pictures, pictures[..., ::-1]]))
    plain, flipped = np.split(both, 2)
    return cast("Image", (plain + flipped[..., ::-1]) / 2)


def _trust(box: Box, person: Box, height: int, width: int) -> Image:
    """Return what a look counts [box height, box width]: 1 at the person, less outwards."""
    rows = _ramp(box.top, box.bottom, person.top, person.bottom, height)
    columns = _ramp(box.left, box.right, person.left, person.right, width)
    return np.minimum(rows[:, np.newaxis], columns)


def _ramp(first: int, end: int, inner_first: int, inner_end: int, side: int) -> Image:
    """Return the weights of `first..end - 1`: they fall where the box ends within the frame."""
    places = np.arange(first, end, dtype=np.float32)
    weights: Image = np.ones(end - first, np.float32)
    if first > 0:
        weights = np.minimum(weights, (places - first + 1) / (inner_first - first + 1))
    if end < side:
        weights = np.minimum(weights, (end - places) / (end - inner_end + 1))
    return weights


def _shrunk(picture: Image, net: Net) -> Image:
    """Bring a picture [h, w, 3] to [3, net height, net width]: area means, bilinear to grow."""
    height, width = picture.shape[:2]
    small = (min(net.width, width), min(net.height, height))
    shrunk = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    grown = cv2.resize(shrunk, (net.width, net.height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(grown, dtype=np.float32).transpose(2, 0, 1)


def _stretched(alpha: Image, height: int, width: int) -> Image:
    """Bring an alpha to a size; a net's is hardly ever larger than what it shows."""
    resized = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.float32)
