"""The size at which the model sees a frame: short edge to `size`, padded by reflection.

Sizes follow torchvision's `Resize(size, max_size)`, which the original uses, in integers. A clip
that is smaller than `size` is brought up to it, as the original does. `crop(pad(x)) == x`, bit for
bit (test_pad_reflects_and_crop_undoes_it).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gvm_client.settings import WindowSettings
from gvm_server.media.pixels import Pixels


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkingSize:
    """The working frame and where it lies in the padded frame, in pixels.

    Attributes:
        height: of the resized frame.
        width: of the resized frame.
        padded_height: `height` brought up to the engine's multiple.
        padded_width: `width` brought up to the engine's multiple.
        top: rows of padding above; an odd row of padding goes below.
        left: columns of padding before; an odd column of padding goes after.
    """

    height: int
    width: int
    padded_height: int
    padded_width: int
    top: int
    left: int

    def pad(self, image: Pixels) -> Pixels:
        """Pad [3, height, width] to [3, padded_height, padded_width] by reflection.

        The reflection leaves the border pixel out (`dcb|abcd|cba`) and bounces as often as a
        frame that is smaller than its padding needs.
        """
        if (self.padded_height, self.padded_width) == (self.height, self.width):
            return image
        rows = _reflected(self.height, self.top, self.padded_height)
        columns = _reflected(self.width, self.left, self.padded_width)
        return image.take(rows, axis=1).take(columns, axis=2)

    def crop(self, alphas: Pixels) -> Pixels:
        """Cut [..., padded_height, padded_width] back to [..., height, width]; a view."""
        return alphas[..., self.top : self.top + self.height, self.left : self.left + self.width]


def working_size(
    height: int, width: int, settings: WindowSettings, pad_multiple: int
) -> WorkingSize:
    """Return the working size of a plate of height x width pixels.

    The short edge becomes `settings.size`; where the long edge would pass
    `settings.max_resolution`, it becomes that instead. Fractions are cut off. Unlike torchvision's
    rule this one takes square plates and a `max_resolution` below `size`.
    """
    short, long = sorted((height, width))
    new_short, new_long = settings.size, settings.size * long // short
    if new_long > settings.max_resolution:
        new_short = max(1, settings.max_resolution * new_short // new_long)
        new_long = settings.max_resolution
    new_height, new_width = (new_short, new_long) if height <= width else (new_long, new_short)
    return padded(new_height, new_width, pad_multiple)


def padded(height: int, width: int, pad_multiple: int) -> WorkingSize:
    """Return a working size of height x width pixels, in the middle of its padded frame."""
    padded_height, padded_width = (
        -(-side // pad_multiple) * pad_multiple for side in (height, width)
    )
    return WorkingSize(
        height=height,
        width=width,
        padded_height=padded_height,
        padded_width=padded_width,
        top=(padded_height - height) // 2,
        left=(padded_width - width) // 2,
    )


def _reflected(side: int, before: int, length: int) -> NDArray[np.intp]:
    """Return for each of `length` positions the pixel of 0..side-1 that it shows."""
    period = max(1, 2 * (side - 1))
    position = np.arange(-before, length - before, dtype=np.intp) % period
    return np.minimum(position, period - position) if side > 1 else np.zeros_like(position)
