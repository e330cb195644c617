"""The join of windows: one frame's alphas from the windows that cover it, cross-faded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gvm_client.windows import Blend
from gvm_server.matting.engines.base import Image


def crossfade(shares: Sequence[tuple[Blend, Image]]) -> Image:
    """Fold one frame's window alphas into its alpha.

    Args:
        shares: what `gvm_client.windows.blends` gives for the frame, in its order, each with the
            alpha [h, w] that the share's window gave to the frame. The first share is 1/1.

    Returns:
        [h, w] float32, between the smallest and the largest of the alphas in every pixel.
    """
    alpha = np.zeros_like(shares[0][1])
    for share, of_window in shares:
        weight = np.float32(share.numerator / share.denominator)
        alpha += (of_window - alpha) * weight
    return alpha
