"""Each exact simplification, alone, in float64, against diffusers' stock blocks."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from gvm_server.matting.engines.gvm import simplify
from gvm_server.matting.engines.gvm.blocks import Resnet
from gvm_server.matting.engines.gvm.checkpoint import read_tensor, stored_tensors
from gvm_server.matting.engines.gvm.config_files import read_config
from gvm_server.matting.engines.gvm.network import Decoder, Encoder, UNet, _join_taps
from gvm_server.matting.engines.gvm.operators import DoublingConvolution
from gvm_server.matting.engines.gvm.stock import Straightforward, stock_unet, stock_vae

EXACT = 1e-10


@pytest.fixture(scope="module")
def blocks() -> SimpleNamespace:
    """The stock blocks. diffusers takes seconds to import: only where these tests run."""
    from diffusers.models import attention, embeddings, resnet  # noqa: PLC0415 - heavy

    return SimpleNamespace(**vars(attention) | vars(embeddings) | vars(resnet))


@pytest.fixture(autouse=True)
def doubles() -> None:
    """Seed and grow the values of one test; torch's own state is put back after it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def _randomised(module: nn.Module) -> nn.Module:
    """Return the module in float64 with weights that leave nothing at its neutral value."""
    module.double().eval().requires_grad_(False)
    for parameter in module.parameters():
        parameter.copy_(torch.randn_like(parameter) * 0.3)
    return module


def _weights(prefix: str, module: nn.Module) -> dict[str, Tensor]:
    return {f"{prefix}{name}": value for name, value in module.state_dict().items()}


def _below(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}


def _same(one: Tensor, other: Tensor) -> None:
    assert one.shape == other.shape
    assert other.abs().max() > 0.01
    torch.testing.assert_close(one, other, rtol=0, atol=EXACT)


def test_cross_attention_to_a_zero_token_is_a_bias(blocks: SimpleNamespace):
    """A spatial and a temporal block without cross-attention give the same with the bias folded."""
    tokens = torch.randn(3, 20, 32).double()
    zero = torch.zeros(3, 1, 16).double()
    spatial = _randomised(blocks.BasicTransformerBlock(32, 2, 16, cross_attention_dim=16))
    weights = _weights("b.", spatial)
    simplify.fold_cross_attention(weights)
    bare = blocks.BasicTransformerBlock(32, 2, 16).double()
    bare.load_state_dict(_below(weights, "b."))
    _same(bare(tokens), spatial(tokens, encoder_hidden_states=zero))

    zero = torch.zeros(20, 1, 16).double()
    temporal = _randomised(
        blocks.TemporalBasicTransformerBlock(32, 32, 2, 16, cross_attention_dim=16)
    )
    weights = _weights("b.", temporal)
    simplify.fold_cross_attention(weights)
    bare = blocks.TemporalBasicTransformerBlock(32, 32, 2, 16).double()
    bare.load_state_dict(_below(weights, "b."))
    _same(bare(tokens, 3), temporal(tokens, 3, encoder_hidden_states=zero))


def test_a_constant_timestep_is_a_bias_of_the_resnet_blocks(blocks: SimpleNamespace):
    """A stock block without time embedding gives the same with the biases folded."""
    embed = _randomised(blocks.TimestepEmbedding(32, 128))
    stock = _randomised(blocks.SpatioTemporalResBlock(32, 64, temb_channels=128))
    frames, zeros = torch.randn(3, 32, 5, 4).double(), torch.zeros(1, 3).double()
    time = embed(blocks.Timesteps(32, True, 0)(torch.tensor([999])).double()).repeat(3, 1)
    weights = _weights("r.", stock) | _weights("time_embedding.", embed)
    simplify.fold_timestep(weights, 999)
    assert not any("time_emb" in name for name in weights)
    bare = blocks.SpatioTemporalResBlock(32, 64, temb_channels=None).double()
    bare.load_state_dict(_below(weights, "r."))
    _same(bare(frames, None, zeros), stock(frames, time, zeros))


def test_the_place_in_the_window_is_a_table(blocks: SimpleNamespace):
    """Row k of the table is the embedding of place k."""
    embed = _randomised(blocks.TimestepEmbedding(32, 128, out_dim=32))
    weights = _weights("a.time_pos_embed.", embed)
    simplify.tabulate_positions(weights, 12)
    assert list(weights) == ["a.positions"]
    _same(weights["a.positions"], embed(blocks.Timesteps(32, True, 0)(torch.arange(12)).double()))


def test_zero_noise_needs_half_of_the_input_convolution():
    """The RGB half alone gives the first step; both halves give any step."""
    stock = _randomised(nn.Conv2d(8, 16, 3, padding=1))
    weights = _weights("conv_in.", stock)
    simplify.split_noise_input(weights, 4)
    colour, noise = torch.randn(2, 3, 4, 6, 5).double()
    bare = nn.functional.conv2d(
        colour, weights["conv_in.weight"], weights["conv_in.bias"], padding=1
    )
    _same(bare, stock(torch.cat((torch.zeros_like(noise), colour), dim=1)))
    full = bare + nn.functional.conv2d(noise, weights["conv_noise.weight"], padding=1)
    _same(full, stock(torch.cat((noise, colour), dim=1)))


def test_the_mean_of_the_posterior_is_one_convolution():
    """The folded convolution gives the first half of the two stock ones in a row."""
    last, mixing = _randomised(nn.Conv2d(32, 8, 3, padding=1)), _randomised(nn.Conv2d(8, 8, 1))
    weights = _weights("encoder.conv_out.", last) | _weights("quant_conv.", mixing)
    simplify.fold_posterior_mean(weights)
    bare = nn.Conv2d(32, 4, 3, padding=1).double()
    bare.load_state_dict(_below(weights, "encoder.conv_out."))
    frames = torch.randn(2, 32, 6, 5).double()
    _same(bare(frames), mixing(last(frames))[:, :4])
    assert not any("quant_conv" in name for name in weights)


@pytest.mark.parametrize("switched", [False, True])
def test_the_blend_of_space_and_time_is_a_share_of_the_last_convolution(
    blocks: SimpleNamespace, *, switched: bool
):
    """Our block, which only adds, gives the stock block's blend, in the UNet's and VAE's sense."""
    strategy = "learned" if switched else "learned_with_images"
    stock = _randomised(
        blocks.SpatioTemporalResBlock(
            32,
            64,
            temb_channels=None,
            eps=1e-6,
            temporal_eps=1e-5,
            merge_strategy=strategy,
            switch_spatial_to_temporal_mix=switched,
        )
    )
    weights = _weights("r.", stock)
    simplify.fold_mix_factors(weights, switched=switched)
    simplify.flatten_time_kernels(weights)
    ours = Resnet(32, 64, 1e-6, 1e-5).double()
    ours.load_state_dict(_below(weights, "r."))
    frames = torch.randn(4, 32, 5, 4).double()
    with torch.inference_mode():
        _same(ours(frames), stock(frames, None, torch.zeros(1, 4).double()))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_mean_of_the_channels_is_folded_into_the_last_convolution(count: int):
    """Three taps per frame and one bias give the decoder's tail, at the ends of a window too."""
    last = _randomised(nn.Conv2d(32, 3, 3, padding=1))
    over_time = _randomised(nn.Conv3d(3, 3, (3, 1, 1), padding=(1, 0, 0)))
    weights = _weights("decoder.conv_out.", last) | _weights("decoder.time_conv_out.", over_time)
    simplify.fold_channel_mean(weights)
    frames = torch.randn(count, 32, 6, 5).double()
    stock = over_time(last(frames).transpose(0, 1)[None])[0].mean(dim=0)
    bare = nn.Conv2d(32, 3, 3, padding=1).double()
    bare.load_state_dict(_below(weights, "decoder.conv_out."))
    _same(_join_taps(bare(frames)) + weights["decoder.bias"], stock)


@pytest.mark.parametrize("sides", [(1, 1), (3, 5), (4, 2), (17, 16)])
def test_upsampling_is_folded_into_the_convolution_after_it(sides: tuple[int, int]):
    """Four kernels on the small image give what one gave on the doubled one, borders included."""
    stock = _randomised(nn.Conv2d(8, 8, 3, padding=1))
    name = "decoder.up_blocks.0.upsamplers.0.conv."
    weights = _weights(name, stock)
    simplify.fold_upsampling(weights)
    ours = DoublingConvolution(8).double()
    ours.load_state_dict(_below(weights, name))
    frames = torch.randn(2, 8, *sides).double()
    _same(ours(frames), stock(nn.functional.interpolate(frames, scale_factor=2.0)))


def test_the_unets_upsampling_is_not_folded():
    """Its finer level may have an odd side, where the fold would see beyond the border."""
    weights = _weights("up_blocks.0.upsamplers.0.conv.", nn.Conv2d(8, 8, 3, padding=1))
    before = dict(weights)
    simplify.fold_upsampling(weights)
    assert weights == before


def _doubles(folder: Path) -> dict[str, Tensor]:
    return {name: read_tensor(entry).double() for name, entry in stored_tensors(folder).items()}


@pytest.fixture(scope="module")
def stock(tiny: Path) -> Straightforward:
    """The stock networks of the tiny checkpoint in float64."""
    return Straightforward.load(tiny, torch.float64)


@pytest.mark.parametrize("folded", [False, True])
def test_whole_networks_are_the_same_after_all_simplifications(
    tiny: Path, stock: Straightforward, *, folded: bool
):
    """In float64 the simplified UNet and VAE give the stock ones' results to 1e-10."""
    config = read_config(tiny)
    weights = _doubles(tiny / "unet")
    simplify.simplify_unet(weights, latent_channels=4, timestep=999)
    unet = UNet(config.unet).double()
    unet.load_state_dict(weights)
    weights = _doubles(tiny / "vae")
    simplify.simplify_vae(weights, folded=folded)
    encoder = Encoder(config.vae).double()
    decoder = Decoder(config.vae, folded=folded).double()
    encoder.load_state_dict(_below(weights, "encoder."))
    decoder.load_state_dict(_below(weights, "decoder."))
    frames = torch.rand(3, 3, 64, 96).double()
    with torch.inference_mode():
        latents = encoder(frames * 2 - 1) * config.vae.scaling_factor
        _same(latents, stock.encode(frames))
        denoised = unet(latents, None)
        _same(denoised, stock.denoise(latents))
        _same(unet(latents, denoised), stock.denoise(latents, 2))
        alphas = (decoder(denoised / config.vae.scaling_factor) * 0.5 + 0.5).clamp(0, 1)
        _same(alphas, stock.decode(denoised, 3))


def test_real_widths_lose_a_sixth_of_the_unets_parameters():
    """The report of the released UNet's shapes, on the meta device: 1522 M become 1271.5 M.

    The 3.2 M above the bare sum of the folds are the position tables' 256 rows.
    """
    released = {
        "block_out_channels": [128, 256, 512, 512],
        "layers_per_block": 2,
        "down_block_types": ["DownEncoderBlock2D"] * 4,
    }
    with torch.device("meta"):
        networks = stock_unet({}), stock_vae(released)
    weights, vae = (
        {name: tensor.to("meta") for name, tensor in network.state_dict().items()}
        for network in networks
    )
    report = simplify.simplify_unet(weights, latent_channels=4, timestep=999)
    assert report.parameters_before == 1_521_999_082
    assert report.parameters_after == pytest.approx(1_271_500_000, rel=1e-3)
    assert report.bytes_after == 4 * report.parameters_after
    assert simplify.simplify_vae(vae).parameters_before == 97_742_847
    assert "1522.0 M parameters became 1271" in str(report)
