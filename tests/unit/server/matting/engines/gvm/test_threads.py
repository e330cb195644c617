"""Bit for bit the same on one thread and on seven: every kind of layer, and every stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gvm_client.settings import Noise
from gvm_server.matting.engines.gvm import blocks, network, operators
from gvm_server.matting.engines.gvm.config import GvmOptions
from gvm_server.matting.engines.gvm.engine import GvmEngine
from gvm_server.matting.engines.gvm.operators import GroupNorm
from gvm_server.matting.engines.gvm.simplify import sinusoids
from gvm_server.matting.engines.machine import Switch
from tests.support.threads import hashes

# Images [C, h, w] as small frames and odd levels make them, to beyond one thread's share.
IMAGES = [(3, 1), (3, 2), (5, 5), (5, 8), (7, 15), (12, 20), (13, 28), (23, 41)]
FORMATS = [torch.contiguous_format, torch.channels_last]
WHOLE_STAGE = (1, 2, 5)  # its layers are tried on every count; a stage joins them


def _image(*sides: int, width: int = 64, frames: int = 3) -> Tensor:
    return torch.randn(frames, width, *sides, generator=torch.Generator().manual_seed(1))


def _one(*sides: int) -> Tensor:
    return _image(*sides, frames=1)


def _window(*sides: int, width: int = 64) -> Tensor:
    return _image(*sides, width=width).transpose(0, 1).flatten(2)[None].contiguous()


def _tokens(*sides: int, width: int = 64) -> Tensor:
    return _image(*sides, width=width).permute(0, 2, 3, 1).flatten(1, 2)


# Each class of layer that computes: how the networks make one, and what it is given.
LEAVES: dict[type[nn.Module], list[tuple[Callable[[], nn.Module], Callable[..., Tensor]]]] = {
    operators.Convolution: [
        (lambda: operators.Convolution(64, 96), _image),
        (lambda: operators.Convolution(64, 64, stride=2), _image),
        (lambda: operators.Convolution(64, 3), _image),
        (lambda: operators.Convolution(4, 32, bias=False), lambda *s: _image(*s, width=4)),
        # One frame alone, as the VAE sees them: its small images are summed otherwise.
        (lambda: operators.Convolution(64, 64), _one),
        (lambda: operators.Convolution(64, 64, stride=2), _one),
    ],
    operators.DoublingConvolution: [
        (lambda: operators.DoublingConvolution(64), _image),
        (lambda: operators.DoublingConvolution(64), _one),
    ],
    operators.PointConvolution: [(lambda: operators.PointConvolution(64, 96), _image)],
    operators.TimeConvolution: [(lambda: operators.TimeConvolution(64), _window)],
    operators.Linear: [
        (lambda: operators.Linear(64, 64, bias=False), _tokens),
        (lambda: operators.Linear(64, 512), _tokens),
        (lambda: operators.Linear(320, 320), lambda *s: _tokens(*s, width=320)),
    ],
    nn.LayerNorm: [(lambda: nn.LayerNorm(64), _tokens)],
    GroupNorm: [(lambda: GroupNorm(64, 1e-6), _image), (lambda: GroupNorm(64, 1e-6), _window)],
    # Not leaves, but with products of their own between their layers.
    blocks.SelfAttention: [
        (lambda: blocks.SelfAttention(64, 2, over_time=False), _tokens),
        (lambda: blocks.SelfAttention(64, 2, over_time=True), _tokens),
    ],
    blocks.ImageAttention: [
        (lambda: blocks.ImageAttention(64), _image),
        (lambda: blocks.ImageAttention(320), lambda *s: _image(*s, width=320)),
    ],
    blocks.GatedFeedForward: [(lambda: blocks.GatedFeedForward(64), _tokens)],
    blocks.Transformer: [(lambda: blocks.Transformer(64, 2, 1, 8), _image)],
}
# Classes that only call what they hold, and elementwise operators that are exact or covered below.
FRAMES = {
    nn.ModuleList,
    nn.ModuleDict,
    blocks.SpatialResnet,
    blocks.TemporalResnet,
    blocks.Resnet,
    blocks.SpatialBlock,
    blocks.TemporalBlock,
    network.UNet,
    network.UNetLevel,
    network.DownLevel,
    network.UpLevel,
    network._Resampler,
    network.Encoder,
    network.EncoderLevel,
    network.EncoderMiddle,
    network.Decoder,
    network._Stage,
    network._FoldedUpsampler,
    network._Downsampler,
}
OPERATORS = {
    "silu": lambda value: operators.silu_(value.clone()),
    "gelu of a half": lambda value: operators.gelu(value.chunk(2, dim=-1)[1]),
    "norm and silu": lambda value: blocks.norm_silu(GroupNorm(64, 1e-6), value),
    "lerp": lambda value: torch.lerp(value, value * 2 + 1, torch.tensor(0.3)),
    "twice the size": lambda value: nn.functional.interpolate(value, scale_factor=2.0),
}


@pytest.fixture(autouse=True)
def inference() -> Iterator[None]:
    """Run as the engine does."""
    with torch.inference_mode():
        yield


def _seeded(layer: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    for parameter in layer.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=generator) / 8)
    return layer


CASES = [
    pytest.param(make, value, id=f"{kind.__name__}-{number}")
    for kind, cases in LEAVES.items()
    for number, (make, value) in enumerate(cases)
]


@pytest.mark.parametrize(("make", "value"), CASES)
def test_a_layer_gives_the_same_bits_on_any_count_of_threads(
    make: Callable[[], nn.Module], value: Callable[..., Tensor]
):
    """In both formats and whatever the size, also where a thread's share ends in a vector."""
    layer = _seeded(make())
    for sides in IMAGES:
        given = value(*sides)
        for memory_format in FORMATS if given.dim() == 4 else FORMATS[:1]:
            formatted = given.contiguous(memory_format=memory_format)
            said = hashes(lambda formatted=formatted: layer(formatted))
            assert len(set(said)) == 1, (sides, memory_format, said)


@pytest.mark.parametrize("memory_format", FORMATS, ids=["contiguous", "last"])
@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)
def test_what_is_done_between_layers_gives_the_same_bits(
    operator: Callable[[Tensor], Tensor], memory_format: torch.memory_format
):
    """Elementwise operators over more than one thread's share, with ends in every place."""
    for sides in ((12, 20), (23, 42), (41, 66)):
        given = _image(*sides).contiguous(memory_format=memory_format)
        said = hashes(lambda given=given: operator(given))
        assert len(set(said)) == 1, (sides, said)


def test_every_kind_of_layer_of_the_networks_is_in_the_list(engine: GvmEngine):
    """A new layer is hashed, or said to compute nothing of its own, before it can be used."""
    networks = (engine.networks.encoder, engine.networks.unet, engine.networks.decoder)
    modules = [module for network in networks for module in network.modules()]
    assert {type(module) for module in modules} <= LEAVES.keys() | FRAMES
    leaves = {type(module) for module in modules if not list(module.children())}
    assert leaves <= LEAVES.keys() | {nn.ModuleList}


@pytest.fixture(scope="module")
def rows_first(tiny: Path) -> GvmEngine:
    """An engine whose images are contiguous."""
    options = GvmOptions(device="cpu", channels_last=Switch.OFF)
    return GvmEngine.load(tiny, options, lambda _: None)


@pytest.mark.parametrize(
    ("sides", "which"),
    [
        ((32, 32), "engine"),
        ((64, 64), "engine"),
        ((96, 160), "engine"),
        ((96, 160), "rows_first"),
        ((160, 200), "engine"),  # its levels are 20x25, 10x13, 5x7 and 3x4
    ],
)
def test_every_stage_gives_the_same_bits_on_any_count_of_threads(
    request: pytest.FixtureRequest, sides: tuple[int, int], which: str
):
    """The promise for a farm: machines of one kind agree, however many cores a task was lent."""
    engine = request.getfixturevalue(which)
    random = np.random.default_rng(0)
    frame = random.random((3, *sides), np.float32)
    latents = list(random.standard_normal((2, 4, *(side // 8 for side in sides)), np.float32))
    assert len(set(hashes(lambda: engine.encode(frame), WHOLE_STAGE))) == 1
    again = hashes(lambda: np.stack(engine.denoise(latents, steps=2)), WHOLE_STAGE)
    assert len(set(again)) == 1
    assert len(set(hashes(lambda: engine.decode(latents, chunk=2), WHOLE_STAGE))) == 1


def test_gaussian_noise_and_what_is_made_at_load_give_the_same_bits(tiny: Path):
    """Noise of its seed, time embeddings of each step, and tables that the loader computes."""
    options = GvmOptions(device="cpu", noise=Noise.GAUSSIAN)
    latents = list(np.random.default_rng(0).standard_normal((3, 4, 12, 20), np.float32))

    def work() -> np.ndarray:
        engine = GvmEngine.load(tiny, options, lambda _: None)
        return np.stack(engine.denoise(latents, steps=2))

    assert len(set(hashes(work, WHOLE_STAGE))) == 1
    assert len(set(hashes(lambda: sinusoids(torch.arange(257), 640)))) == 1


def test_the_operators_are_those_of_pytorch(engine: GvmEngine):
    """What was made steady computes what it computed: each agrees with PyTorch's in float64."""
    pairs = [
        (operators.PointConvolution(64, 96), nn.Conv2d(64, 96, 1), _image),
        (operators.TimeConvolution(64), nn.Conv2d(64, 64, (3, 1), padding=(1, 0)), _window),
        (operators.Linear(64, 96), nn.Linear(64, 96), _tokens),
        (operators.Convolution(64, 96), nn.Conv2d(64, 96, 3, padding=1), _one),
    ]
    for ours, theirs, value in pairs:
        theirs.load_state_dict(_seeded(ours).state_dict())
        for sides in IMAGES:
            expected = theirs.double()(value(*sides).double())
            torch.testing.assert_close(ours(value(*sides)).double(), expected, rtol=0, atol=2e-5)
    value = _image(23, 41)
    torch.testing.assert_close(operators.silu_(value.clone()), nn.functional.silu(value))
    torch.testing.assert_close(operators.gelu(value), nn.functional.gelu(value))
