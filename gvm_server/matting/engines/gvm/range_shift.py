"""The decoder's values moved into float16's range, exactly.

float16 ends at 65504, and what the decoder's blocks add up may go beyond it. A group norm takes any
common factor out again, so all that is added up may be a power of two smaller: powers of two round
nothing, and in float32 the shifted decoder gives the same bits
(test_the_shifted_decoder_gives_the_same_bits_in_float32).
"""

from __future__ import annotations

from torch import nn

from gvm_server.matting.engines.gvm.operators import GroupNorm
from gvm_server.matting.engines.gvm.simplify import Weights

# Not measured on the released weights, which were not at hand: as far as a weight of the usual size
# (0.02) keeps its bits in float16.
SHIFT = 2.0**-4
# Convolutions whose whole result is smaller, and those that pass a smaller input on.
_WHOLE = (".conv1.", ".conv2.", ".to_out.0.")
_PASSING = (".conv_shortcut.bias", ".upsamplers.0.conv.bias")


def shift_range(weights: Weights, shift: float = SHIFT) -> None:
    """Make all that the decoder adds up smaller, by the factor `shift`, a power of two.

    Each tensor is replaced by another, one at a time.
    """
    for name, weight in weights.items():
        if not name.startswith("decoder."):
            continue
        first = name.startswith("decoder.conv_in.")
        if first or name.endswith(_PASSING) or any(part in name for part in _WHOLE):
            weights[name] = weight * shift


def shift_norms(network: nn.Module, shift: float = SHIFT) -> None:
    """Have group norms take the factor out: each adds its eps to a variance."""
    for module in network.modules():
        if isinstance(module, GroupNorm):
            module.eps *= shift**2
