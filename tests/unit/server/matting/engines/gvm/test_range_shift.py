"""The decoder's range is moved by a power of two: nothing changes but the range."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from gvm_server.matting.engines.gvm.checkpoint import read_tensor, stored_tensors
from gvm_server.matting.engines.gvm.config_files import read_config
from gvm_server.matting.engines.gvm.network import Decoder
from gvm_server.matting.engines.gvm.range_shift import SHIFT, shift_norms, shift_range
from gvm_server.matting.engines.gvm.simplify import Weights, simplify_vae


def _decoder(folder: Path, shift: float, *, folded: bool, times: float = 1.0) -> nn.Module:
    """Return a shifted decoder; `times` multiplies what it adds up, and leaves norms alone."""
    weights: Weights = {
        name: read_tensor(entry) for name, entry in stored_tensors(folder / "vae").items()
    }
    simplify_vae(weights, folded=folded)
    shift_range(weights, times)
    decoder = Decoder(read_config(folder).vae, folded=folded)
    shift_range(weights, shift)
    shift_norms(decoder, shift)
    below = {name: weights[name] for name in weights if name.startswith("decoder.")}
    decoder.load_state_dict({name.removeprefix("decoder."): below[name] for name in below})
    return decoder.requires_grad_(False)


def _largest(decoder: nn.Module, latents: Tensor) -> tuple[Tensor, float]:
    """Run a decoder; return its result and the largest value that a block of it made."""
    seen = []
    for module in decoder.modules():
        module.register_forward_hook(lambda *said: seen.append(float(said[2].abs().max())))
    with torch.inference_mode():
        made = decoder(latents)
    return made, max(seen)


LATENTS = torch.randn(2, 4, 3, 5, generator=torch.Generator().manual_seed(0)) * 4


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize("shift", [SHIFT, 2.0**-7])
def test_the_shifted_decoder_gives_the_same_bits_in_float32(
    tiny: Path, shift: float, *, folded: bool
):
    """Powers of two round nothing; every block's values are smaller by it."""
    plain, most = _largest(_decoder(tiny, 1.0, folded=folded), LATENTS)
    made, shifted = _largest(_decoder(tiny, shift, folded=folded), LATENTS)
    assert made.numpy().tobytes() == plain.numpy().tobytes()
    assert shifted < most


def test_values_beyond_float16_are_brought_into_it(tiny: Path):
    """A decoder whose sums pass 65504 is infinite in float16, and the shifted one is near."""
    times = 2.0**15
    plain, most = _largest(_decoder(tiny, 1.0, folded=True, times=times), LATENTS)
    assert most > 65504
    half = _decoder(tiny, 1.0, folded=True, times=times).half()
    shifted = _decoder(tiny, 1 / times, folded=True, times=times).half()
    with torch.inference_mode():
        assert not half(LATENTS.half()).isfinite().all()
        made = shifted(LATENTS.half()).float()
    assert abs(made - plain).max() < 0.02 * abs(plain).max()


def test_nothing_but_the_decoder_is_touched():
    """The encoder stays, which is in float32."""
    weights = {
        "encoder.conv_in.weight": torch.ones(2),
        "decoder.conv_out.weight": torch.ones(2),
        "decoder.mid_block.attentions.0.to_q.weight": torch.ones(2),
        "decoder.up_blocks.0.upsamplers.0.conv.weight": torch.ones(2),
        "decoder.up_blocks.0.upsamplers.0.conv.bias": torch.ones(2),
    }
    shift_range(weights)
    moved = {name for name, value in weights.items() if value[0] != 1}
    assert moved == {"decoder.up_blocks.0.upsamplers.0.conv.bias"}
