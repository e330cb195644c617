"""The engine: pure verbs, bounded memory, and faults that are met and said."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gvm_client.errors import EngineError, ErrorCode, SettingsError
from gvm_client.settings import Noise
from gvm_server.matting.engines.base import Image
from gvm_server.matting.engines.gvm import blocks
from gvm_server.matting.engines.gvm.config import GvmOptions, SchedulerConfig
from gvm_server.matting.engines.gvm.engine import GvmEngine, noise_levels
from gvm_server.matting.engines.gvm.info import info
from gvm_server.matting.engines.gvm.load import Networks, load_networks
from gvm_server.matting.engines.gvm.operators import GroupNorm
from gvm_server.matting.engines.machine import Precision, Switch


def _frames(count: int, seed: int = 0) -> Image:
    return np.random.default_rng(seed).random((count, 3, 32, 48), np.float32)


def _small_frames() -> Image:
    return _frames(2)[:, :, :16, :24]


def _matte(engine: GvmEngine, frames: Image, *, steps: int = 1, chunk: int = 8) -> Image:
    latents = [engine.encode(frame) for frame in frames]
    return engine.decode(engine.denoise(latents, steps=steps), chunk=chunk)


@pytest.fixture(scope="module")
def matte_of_two(networks: Networks) -> Image:
    """The matte of `_frames(2)` that an engine without a fault makes."""
    return _matte(GvmEngine(networks, GvmOptions(device="cpu"), lambda _: None), _frames(2))


def _load(folder: Path, **options: object) -> GvmEngine:
    return GvmEngine.load(folder, GvmOptions(device="cpu", **options), lambda _: None)


class Fault(nn.Module):
    """Stands before a network and fails its first `times` calls."""

    def __init__(self, network: nn.Module, times: int, fault: Callable[..., Tensor]) -> None:
        super().__init__()
        self.network, self.times, self.fault, self.calls = network, times, fault, 0

    def forward(self, *args: Tensor) -> Tensor:
        """Run the network or the fault."""
        self.calls += 1
        if self.calls <= self.times:
            return self.fault(self.network, *args)
        return self.network(*args)


def _inject(engine: GvmEngine, stage: str, times: int, fault: Callable[..., Tensor]) -> Fault:
    broken = Fault(engine.stages.networks[stage], times, fault)
    engine.stages.networks[stage] = broken
    return broken


def _out_of_memory(network: nn.Module, *args: Tensor) -> Tensor:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def _host_out_of_memory(network: nn.Module, *args: Tensor) -> Tensor:
    raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried")


def _not_a_number(network: nn.Module, *args: Tensor) -> Tensor:
    return network(*args) * float("nan")


def _infinite(network: nn.Module, *args: Tensor) -> Tensor:
    return network(*args) + float("inf")


def _defect(network: nn.Module, *args: Tensor) -> Tensor:
    raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")


STAGES = ["encode", "denoise", "decode"]


def test_the_same_window_gives_the_same_bits_whatever_ran_before(engine: GvmEngine):
    """No state between calls, no global random state, and no flag of PyTorch is touched."""
    state, flags = torch.get_rng_state(), _flags()
    first = _matte(engine, _frames(3))
    _matte(engine, _frames(5, seed=1), steps=2, chunk=2)
    assert _matte(engine, _frames(3)).tobytes() == first.tobytes()
    assert torch.equal(torch.get_rng_state(), state)
    assert _flags() == flags


def _flags() -> tuple[object, ...]:
    return (
        torch.backends.cudnn.benchmark,
        torch.are_deterministic_algorithms_enabled(),
        torch.get_float32_matmul_precision(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
    )


@pytest.fixture(scope="module")
def matte_of_smallest(smallest: Path) -> Image:
    """The matte of `_small_frames()` in float32, nothing compiled."""
    return _matte(_load(smallest), _small_frames())


@pytest.fixture(scope="module", params=[Precision.FLOAT16, Precision.BFLOAT16])
def half(request: pytest.FixtureRequest, smallest: Path) -> tuple[Networks, Image]:
    """Networks in a half type, and the matte of `_small_frames()` by them."""
    options = GvmOptions(device="cpu", precision=request.param, vae_precision=request.param)
    networks = load_networks(smallest, options, lambda _: None)
    return networks, _matte(GvmEngine(networks, options, lambda _: None), _small_frames())


def test_two_loads_give_the_same_bits(matte_of_two: Image, tiny: Path):
    """A server that was started again makes the same matte."""
    assert _matte(_load(tiny), _frames(2)).tobytes() == matte_of_two.tobytes()


def test_alphas_are_bounded_float32_and_latents_host_arrays(engine: GvmEngine):
    """The verbs keep the contract's shapes, types and range."""
    latent = engine.encode(_frames(1)[0])
    assert isinstance(latent, np.ndarray)
    assert (latent.shape, latent.dtype) == ((4, 4, 6), np.float32)
    assert latent.nbytes == 4 * 4 * 6 * 4
    alphas = _matte(engine, _frames(3))
    assert (alphas.shape, alphas.dtype) == ((3, 32, 48), np.float32)
    assert alphas.min() >= 0
    assert alphas.max() <= 1
    assert alphas.std() > 0.01


def test_a_halo_brings_chunks_closer_to_the_whole_window(engine: GvmEngine):
    """Chunks with halo differ from the whole window less than bare ones; D >= W is the whole."""
    denoised = engine.denoise([engine.encode(frame) for frame in _frames(8)], steps=1)
    whole = engine.decode(denoised, chunk=8)
    assert engine.decode(denoised, chunk=100).tobytes() == whole.tobytes()
    haloed = abs(engine.decode(denoised, chunk=4) - whole).mean()
    bare = abs(engine.decode(denoised, chunk=4, halo=0) - whole).mean()
    assert 0 < haloed < bare


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("fault", [_out_of_memory, _host_out_of_memory])
def test_one_lack_of_memory_is_met_without_changing_the_matte(
    engine: GvmEngine, matte_of_two: Image, stage: str, fault: Callable[..., Tensor]
):
    """The stage runs again and gives the same pixels, bit for bit: memory is in no key."""
    broken = _inject(engine, stage, 1, fault)
    assert _matte(engine, _frames(2)).tobytes() == matte_of_two.tobytes()
    assert broken.calls >= 2


@pytest.mark.parametrize("stage", STAGES)
def test_a_lasting_lack_of_memory_ends_with_numbers_and_a_remedy(engine: GvmEngine, stage: str):
    """The error says which stage, how much, and what to reduce in the guide's order."""
    _inject(engine, stage, 100, _out_of_memory)
    with pytest.raises(EngineError, match=r"2\.00 GiB") as caught:
        _matte(engine, _frames(2))
    assert caught.value.code is ErrorCode.OUT_OF_MEMORY
    assert stage in caught.value.message
    order = [caught.value.remedy.index(word) for word in ("window", "chunk", "size")]
    assert order == sorted(order)


def test_idle_networks_leave_the_device_when_memory_runs_out(
    tiny: Path, matte_of_two: Image, monkeypatch: pytest.MonkeyPatch
):
    """On a GPU the first thing reduced is what does not run; the pixels stay, bit for bit."""
    engine = _load(tiny)
    moved: list[str] = []
    residence = engine.stages.residence
    monkeypatch.setattr(residence, "_moved", moved.append)
    said: list[str] = []
    monkeypatch.setattr(engine.stages, "_say", said.append)
    device = engine.networks.placement.device
    # The real thing happens on a GPU; here the engine only believes that the host is one.
    placement = engine.networks.placement
    object.__setattr__(placement, "device", _Gpu())
    residence._device = engine.stages.copies._device = placement.device
    monkeypatch.setattr(torch.Tensor, "to", _to_host(torch.Tensor.to))
    monkeypatch.setattr(nn.Module, "to", _to_host(nn.Module.to))
    _inject(engine, "denoise", 1, _out_of_memory)
    result = _matte(engine, _frames(2))
    object.__setattr__(placement, "device", device)
    assert result.tobytes() == matte_of_two.tobytes()
    assert moved == ["encode", "decode", "denoise", "decode"]  # leave, leave; leave, come
    assert any("host memory" in sentence for sentence in said)


class _Gpu:
    """A device of another type than the host's."""

    type = "test"


def _to_host(to: Callable[..., object]) -> Callable[..., object]:
    def moved(self: object, *args: object, **kwargs: object) -> object:
        return to(self, *("cpu" if isinstance(arg, _Gpu) else arg for arg in args), **kwargs)

    return moved


@pytest.mark.parametrize("stage", STAGES)
def test_a_defect_is_not_taken_for_a_lack_of_memory(engine: GvmEngine, stage: str):
    """Another error passes through at once."""
    broken = _inject(engine, stage, 1, _defect)
    with pytest.raises(RuntimeError, match="shapes"):
        _matte(engine, _frames(2))
    assert broken.calls == 1


@pytest.mark.parametrize("stage", STAGES)
def test_nan_in_a_half_type_is_made_again_in_float32_and_said(
    half: tuple[Networks, Image], stage: str
):
    """One retry, one sentence, a finite matte, and the network is back in its type."""
    said: list[str] = []
    networks, expected = half
    engine = GvmEngine(networks, GvmOptions(device="cpu"), said.append)
    before = [parameter.clone() for parameter in engine.stages.networks[stage].parameters()]
    _inject(engine, stage, 1, _not_a_number)
    result = _matte(engine, _small_frames())
    assert np.isfinite(result).all()
    assert abs(result - expected).mean() < 0.1
    assert [sentence for sentence in said if f"{stage} stage gave NaN" in sentence] == said
    assert len(said) == 1
    after = engine.stages.networks[stage].parameters()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_wider_network_that_does_not_fit_is_a_lack_of_memory(
    smallest: Path, monkeypatch: pytest.MonkeyPatch
):
    """The retry in float32 may itself find no room; the network is then as it was."""
    engine = _load(smallest, precision=Precision.BFLOAT16)
    _inject(engine, "denoise", 1, _not_a_number)
    monkeypatch.setattr(engine.stages.networks["denoise"], "float", lambda: _out_of_memory(engine))
    with pytest.raises(EngineError, match="float32 ran out of memory") as caught:
        _matte(engine, _small_frames())
    assert caught.value.code is ErrorCode.OUT_OF_MEMORY
    dtypes = {parameter.dtype for parameter in engine.networks.unet.parameters()}
    assert dtypes == {torch.bfloat16}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("fault", [_not_a_number, _infinite])
def test_nan_in_float32_is_an_error(engine: GvmEngine, stage: str, fault: Callable[..., Tensor]):
    """There is nothing wider to try; the error says so, and infinity is not clipped to white."""
    _inject(engine, stage, 1, fault)
    with pytest.raises(EngineError, match=f"{stage} stage gave NaN") as caught:
        _matte(engine, _frames(2))
    assert caught.value.code is ErrorCode.ENGINE_FAILED


@pytest.mark.parametrize(
    ("options", "tolerance"),
    [
        ({"channels_last": Switch.ON}, 1e-4),
        ({"channels_last": Switch.OFF}, 1e-4),
        ({"compile_backend": "aot_eager"}, 1e-4),
        ({"vae_precision": Precision.BFLOAT16}, 0.1),
        ({"vae_precision": Precision.FLOAT16}, 0.02),
        ({"precision": Precision.BFLOAT16}, 0.3),
        ({"precision": Precision.FLOAT16}, 0.05),
    ],
)
def test_every_option_gives_the_matte_within_its_tolerance(
    smallest: Path, matte_of_smallest: Image, options: dict[str, object], tolerance: float
):
    """Formats and compilation keep 1e-4; half types come as near as a random net lets them."""
    result = _matte(_load(smallest, **options), _small_frames())
    np.testing.assert_allclose(result, matte_of_smallest, rtol=0, atol=tolerance)


def test_gaussian_noise_is_of_its_seed_and_of_nothing_else(tiny: Path):
    """The same seed gives the same bits, another seed another matte, any step count works."""
    state = torch.get_rng_state()
    one, two = (_load(tiny, noise=Noise.GAUSSIAN, seed=seed) for seed in (3, 4))
    first = _matte(one, _frames(2), steps=3)
    _matte(one, _frames(2), steps=1)
    assert _matte(one, _frames(2), steps=3).tobytes() == first.tobytes()
    assert abs(_matte(two, _frames(2), steps=3) - first).mean() > 1e-3
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_the_noise_levels_are_diffusers_own(steps: int, shift: float):
    """Bounds and steps are both shifted, as its scheduler does it."""
    from diffusers import FlowMatchEulerDiscreteScheduler  # noqa: PLC0415 - heavy

    scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(steps)
    levels = noise_levels(SchedulerConfig(train_steps=1000, shift=shift), steps)
    np.testing.assert_allclose(levels, scheduler.sigmas, rtol=0, atol=1e-6)


def test_wide_heads_attend_to_few_queries_at_a_time_with_the_same_result():
    """Slices of any length give the attention of all queries at once."""
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 50, 300).double()
    expected = nn.functional.scaled_dot_product_attention(query, key, value)
    for budget in (100, 1300, 1 << 20):
        result = blocks.attend(query, key, value, budget)
        torch.testing.assert_close(result, expected, rtol=0, atol=1e-12)


def test_more_pixels_than_a_kernel_takes_attend_in_parts():
    """Attention over time of a very large frame is that of its parts."""
    query, key, value = torch.randn(
        3, blocks.LARGEST_BATCH + 5, 1, 2, 8, generator=torch.Generator().manual_seed(0)
    )
    expected = nn.functional.scaled_dot_product_attention(query, key, value)
    torch.testing.assert_close(blocks.attend(query, key, value), expected)


@pytest.mark.parametrize("sides", [(40, 64), (3, 64 * 64), (33, 31), (2, 2)])
@pytest.mark.parametrize("offset", [0.0, 30.0])
def test_the_group_norm_is_exact_in_channels_last(sides: tuple[int, int], offset: float):
    """Blocks of pixels and their joined moments agree with float64, far from zero too."""
    torch.manual_seed(0)
    norm = GroupNorm(64, 1e-6).requires_grad_(False)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    value = torch.randn(2, 64, *sides) + offset
    value[..., : sides[1] // 2] *= 0
    expected = norm.double()(value.double())
    result = norm.float()(value.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(result.double(), expected, rtol=0, atol=2e-5)


def test_released_weights_are_gone(tiny: Path):
    """After release no tensor of the model holds memory."""
    engine = _load(tiny)
    engine.release()
    networks = (engine.networks.encoder, engine.networks.unet, engine.networks.decoder)
    assert all(parameter.is_meta for net in networks for parameter in net.parameters())


def test_a_device_that_is_not_there_is_an_error(tiny: Path):
    """The error names the device and what this PyTorch has."""
    absent = "mps" if not torch.backends.mps.is_available() else "cuda"
    with pytest.raises(EngineError, match=absent):
        GvmEngine.load(tiny, GvmOptions(device=absent), lambda _: None)


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "cpu:1", ""])
def test_a_device_of_unknown_name_is_refused(device: str):
    """Names are checked where they are given, without PyTorch."""
    with pytest.raises(SettingsError, match="device"):
        GvmOptions(device=device)


def test_the_revision_follows_weights_options_and_record(tiny: Path, tmp_path: Path):
    """Whatever was asked otherwise changes the revision; the same twice is the same."""
    plain = info(tiny, GvmOptions())
    assert plain.revision == info(tiny, GvmOptions()).revision
    assert (plain.name, plain.preview, plain.pad_multiple) == ("gvm", False, 32)
    others = {
        info(tiny, options).revision
        for options in (
            GvmOptions(noise=Noise.GAUSSIAN),
            GvmOptions(lora=str(tiny / "unet")),
            GvmOptions(unet=str(tiny / "unet")),
        )
    }
    assert len(others | {plain.revision}) == 4
    copy = Path(shutil.copytree(tiny, tmp_path / "copy"))
    assert info(copy, GvmOptions()).revision == plain.revision  # told by content, not by time
    weights = next((copy / "unet").glob("*.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert info(copy, GvmOptions()).revision != plain.revision


def test_the_maker_says_the_types_and_paths_that_options_come_to(tiny: Path):
    """Every choice that rounds otherwise shows, `auto` is what it comes to, the recipe stays."""
    plain = info(tiny, GvmOptions(device="cpu"))
    spelt_out = GvmOptions(
        device="cpu",
        precision=Precision.FLOAT32,
        vae_precision=Precision.FLOAT32,
        channels_last=Switch.ON,
    )
    assert info(tiny, spelt_out).maker() == plain.maker()
    others = [
        info(tiny, GvmOptions(device="cpu", **choice))
        for choice in (
            {"precision": Precision.FLOAT16},
            {"vae_precision": Precision.FLOAT16},
            {"channels_last": Switch.OFF},
            {"compile_backend": "aot_eager"},
        )
    ]
    assert len({plain.maker(), *(other.maker() for other in others)}) == 5
    assert {other.revision for other in others} == {plain.revision}
    said = dict(plain.maker())
    assert torch.__version__.startswith(said["torch"])  # which of PyPI's builds, it alone says
    assert (said["device"], said["unet"], said["vae"]) == ("cpu", "float32", "float32")


def test_the_maker_of_a_device_that_is_not_there_is_an_error(tiny: Path):
    """What cannot be made has no key either."""
    absent = "mps" if not torch.backends.mps.is_available() else "cuda"
    with pytest.raises(EngineError, match=absent):
        info(tiny, GvmOptions(device=absent)).maker()


def test_the_engine_is_described_without_loading_torch(tiny: Path):
    """Keys, the maker's part included, are computed where no model is loaded."""
    code = (
        "import sys; from pathlib import Path; "
        "from gvm_server.matting.engines.gvm.info import info; "
        "from gvm_server.matting.engines.gvm.config import GvmOptions; "
        "info(Path(sys.argv[1]), GvmOptions(device='cpu')).maker(); print('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tiny)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_description_loads_the_engine_and_says_how_far_it_is(tiny: Path):
    """`load` reports its reading and what the simplifications saved."""
    said: list[str] = []
    engine = info(tiny, GvmOptions(device="cpu")).load(said.append)
    assert isinstance(engine, GvmEngine)
    assert any("100 %" in sentence for sentence in said)
    assert "parameters became" in said[-1]


@pytest.mark.parametrize("field", ["precision", "vae_precision"])
def test_bfloat16_on_the_cpu_is_a_draft_with_its_own_key_and_label(tiny: Path, field: str):
    """Its revision, which is in the recipe and in the event, says it; so do label and note."""
    draft = info(tiny, GvmOptions(device="cpu", **{field: Precision.BFLOAT16}))
    final = info(tiny, GvmOptions(device="cpu"))
    assert (draft.label, final.label) == ("gvm (draft)", "gvm")
    assert "-draft-" in draft.revision
    assert draft.revision != final.revision
    assert "--precision float32" in draft.notes[-1]
    assert not any("draft" in note for note in final.notes)
    assert not info(tiny, GvmOptions(device="cpu", precision=Precision.FLOAT16)).draft
