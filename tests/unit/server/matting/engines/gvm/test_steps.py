"""The faster ways on a GPU, run on the CPU: each is the plain way, and one that is not is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gvm_client.errors import SettingsError
from gvm_client.settings import WindowSettings
from gvm_server.matting.engines.backoff import SEAMLESS_HALO
from gvm_server.matting.engines.base import DeviceLost
from gvm_server.matting.engines.gvm import group_norm, info, placement, steps
from gvm_server.matting.engines.gvm.blocks import (
    ImageAttention,
    SpatialResnet,
    TemporalResnet,
    Transformer,
)
from gvm_server.matting.engines.gvm.checkpoint import read_tensor, stored_tensors
from gvm_server.matting.engines.gvm.config import RELEASED, GvmOptions, resolve
from gvm_server.matting.engines.gvm.config_files import read_config
from gvm_server.matting.engines.gvm.engine import GvmEngine
from gvm_server.matting.engines.gvm.group_norm import is_last
from gvm_server.matting.engines.gvm.latents import LARGEST_COUNT
from gvm_server.matting.engines.gvm.load import assemble
from gvm_server.matting.engines.gvm.memory import WindowShape, plan_memory
from gvm_server.matting.engines.gvm.network import Decoder, Encoder, UNet, take_steps
from gvm_server.matting.engines.gvm.operators import DoublingConvolution, GroupNorm
from gvm_server.matting.engines.gvm.placement import Placement, place_on
from gvm_server.matting.engines.machine import EXACT, MachineOptions, Step, steps_named
from gvm_server.matting.working_size import padded

CPU = torch.device("cpu")
NARROW = replace(
    RELEASED,
    unet=replace(RELEASED.unet, widths=(32, 96)),
    vae=replace(RELEASED.vae, widths=(32, 64)),
)
SMALL = replace(
    NARROW.unet,
    widths=(32,),
    layers=(1,),
    heads=(1,),
    depths=(1,),
    contexts=(8,),
    down_attention=(False,),
    up_attention=(False,),
)
SHAPE = steps.JobShape(height=16, width=32, frames=3, decoded=2)
LARGER = replace(SHAPE, height=32)


def _placed(*chosen: Step, vae: torch.dtype = torch.float32) -> Placement:
    return Placement(
        device=CPU, unet=torch.float32, vae=vae, channels_last=False, steps=frozenset(chosen)
    )


@pytest.fixture(autouse=True)
def forget_trials() -> Iterator[None]:
    """A trial is run once a process; here each test has its own."""
    steps._tried.cache_clear()
    yield
    steps._tried.cache_clear()


@pytest.mark.parametrize("step", Step)
def test_a_step_gives_the_plain_way_s_result(step: Step):
    """Within rounding at a job's sizes; what is in float16 within float16's."""
    found = steps.outcome(step, _placed(step), NARROW, SHAPE)
    assert found.holds
    assert found.off < (2e-3 if step is Step.HALF_DECODER else 1e-5)


def test_steps_are_tried_in_the_type_that_another_step_says():
    """All at once, the decoder in float16: every trial holds, and none touches the random state."""
    state = torch.get_rng_state()
    taken, said = steps.in_effect(_placed(*Step), NARROW, [SHAPE, LARGER])
    assert (taken, said) == (tuple(Step), ())
    assert torch.equal(torch.get_rng_state(), state)


Break = Callable[[pytest.MonkeyPatch], None]


def _break_attention(monkeypatch: pytest.MonkeyPatch) -> None:
    attend = steps.attend
    monkeypatch.setattr(
        steps, "attend", lambda *parts, whole=False: attend(*parts) * (1.02 if whole else 1)
    )


def _break_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    fold = steps.fold_upsampling

    def swapped(weights: dict[str, Tensor]) -> None:
        fold(weights)
        for name, weight in weights.items():
            weights[name] = weight.flip(0)

    monkeypatch.setattr(steps, "fold_upsampling", swapped)


def _break_norm(monkeypatch: pytest.MonkeyPatch) -> None:
    reduced = group_norm._reduced
    monkeypatch.setattr(
        group_norm, "_reduced", lambda value, norm, silu: reduced(value, norm, silu=silu) + 0.1
    )


def _no_shift(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "SHIFT", 1.0)  # so values go beyond float16


WRONG: list[tuple[Step, Break, tuple[Step, ...]]] = [
    (Step.WHOLE_ATTENTION, _break_attention, ()),
    (Step.FOLD, _break_fold, ()),
    (Step.GROUP_NORM, _break_norm, (Step.CHANNELS_LAST,)),
    (Step.HALF_DECODER, _no_shift, ()),
]


@pytest.mark.parametrize(("step", "fault", "others"), WRONG, ids=[step.value for step, *_ in WRONG])
def test_a_wrong_step_is_left_out_aloud(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    step: Step,
    fault: Break,
    others: tuple[Step, ...],
):
    """With what needs it; the others stay, and the sentence says how far off it was."""
    fault(monkeypatch)
    taken, said = steps.in_effect(_placed(*Step), NARROW, [SHAPE])
    assert set(taken) == set(Step) - {step, *others}
    assert f"The GPU step {step.value} is not taken on cpu: at 32x16, 3 frames it is" in said[0]
    assert len(said) == 1 + len(others)
    assert all(sentence in caplog.text for sentence in said)


def test_a_step_that_is_wrong_at_one_of_a_job_s_sizes_is_left_out(monkeypatch: pytest.MonkeyPatch):
    """It is tried at the sizes of the job, not at one of its own."""
    reduced = group_norm._reduced

    def wrong(value: Tensor, norm: nn.GroupNorm, *, silu: bool) -> Tensor:
        return reduced(value, norm, silu=silu) + (value.shape[2] == LARGER.height)

    monkeypatch.setattr(group_norm, "_reduced", wrong)
    assert steps.in_effect(_placed(Step.GROUP_NORM), NARROW, [SHAPE])[0] == (Step.GROUP_NORM,)
    taken, said = steps.in_effect(_placed(Step.GROUP_NORM), NARROW, [SHAPE, LARGER])
    assert taken == ()
    assert "at 32x32, 3 frames it is" in said[0]


def test_a_step_without_room_to_try_it_is_left_out_and_tried_again(
    monkeypatch: pytest.MonkeyPatch,
):
    """A lack of memory is said, and is no answer for the next job."""
    reduced = group_norm._reduced

    def none_free(*_: object, **__: object) -> Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(group_norm, "_reduced", none_free)
    taken, said = steps.in_effect(_placed(Step.GROUP_NORM), NARROW, [SHAPE])
    assert (taken, "could not be tried (no memory is free for it)" in said[0]) == ((), True)
    monkeypatch.setattr(group_norm, "_reduced", reduced)
    assert steps.in_effect(_placed(Step.GROUP_NORM), NARROW, [SHAPE])[0] == (Step.GROUP_NORM,)


@pytest.mark.parametrize("error", [TypeError("a kernel does not compile"), OSError("no compiler")])
def test_a_step_that_cannot_be_tried_is_left_out(monkeypatch: pytest.MonkeyPatch, error: Exception):
    """Whatever is raised; the plain way is still there."""
    monkeypatch.setattr(group_norm, "_reduced", Mock(side_effect=error))
    taken, said = steps.in_effect(_placed(Step.GROUP_NORM, Step.FOLD), NARROW, [SHAPE])
    assert taken == (Step.FOLD,)
    assert f"it could not be tried ({error})" in said[0]


def test_a_device_that_is_lost_in_a_trial_is_said_with_the_step(monkeypatch: pytest.MonkeyPatch):
    """Every later call would fail too: it is no matter of one step left out."""
    error = RuntimeError("CUDA error: an illegal memory access was encountered")
    monkeypatch.setattr(group_norm, "_reduced", Mock(side_effect=error))
    with pytest.raises(DeviceLost, match="GPU step group-norm was tried") as caught:
        steps.in_effect(_placed(Step.GROUP_NORM), NARROW, [SHAPE])
    assert "without group-norm in --gpu-steps" in caught.value.remedy


def test_steps_are_for_cuda_and_none_is_taken_unasked():
    """The CPU has its own ways, which any count of threads must agree on."""
    everything = GvmOptions(gpu_steps=", ".join(step.value for step in Step))
    assert resolve("cuda", GvmOptions(), RELEASED.vae).steps == ()
    assert set(resolve("cuda", everything, RELEASED.vae).steps) == set(Step)
    assert resolve("cpu", everything, RELEASED.vae).steps == ()


def test_a_step_of_unknown_name_is_refused_with_those_that_there_are():
    """Before a server starts with it."""
    with pytest.raises(SettingsError, match="gpu_steps names folds; there are whole-attention"):
        MachineOptions(gpu_steps="folds,fold")


def test_channels_last_alone_is_refused():
    """It makes the networks slower; the sentence says with what it helps."""
    with pytest.raises(SettingsError, match="channels-last without group-norm, which it needs"):
        MachineOptions(gpu_steps="channels-last,fold")


def test_the_engine_with_all_steps_gives_the_plain_matte(tiny: Path, smallest: Path):
    """Alphas within rounding, or float16's; so the steps reach the layers that they are for."""
    frames = np.random.default_rng(0).random((2, 3, 32, 48), np.float32)

    def read(folder: Path, network: str) -> dict[str, torch.Tensor]:
        entries = stored_tensors(folder / network.lower())
        return {name: read_tensor(entry) for name, entry in entries.items()}

    def matte(folder: Path, *chosen: Step) -> tuple[np.ndarray, set[bool], set[bool]]:
        config = read_config(folder)
        placed = replace(place_on(CPU, GvmOptions(), config.vae), steps=frozenset(chosen))
        engine = GvmEngine(
            assemble(config, placed, GvmOptions(), partial(read, folder)), GvmOptions(), print
        )
        denoised = engine.denoise([engine.encode(frame) for frame in frames], steps=1)
        networks = (engine.networks.encoder, engine.networks.unet, engine.networks.decoder)
        layers = [module for network in networks for module in network.modules()]
        whole = {layer.whole for layer in layers if isinstance(layer, ImageAttention)}
        fills = {layer.fills for layer in layers if isinstance(layer, GroupNorm)}
        return engine.decode(denoised, chunk=2), whole, fills

    plain, *none = matte(tiny)
    exact = set(Step) - {Step.HALF_DECODER}
    fast, *all_of_them = matte(tiny, *exact)
    assert (none, all_of_them) == ([{False}, {False}], [{True}, {True}])
    assert abs(fast - plain).max() <= 1e-4
    half, *_ = matte(smallest, *Step)  # of one level: float16 is slow on a CPU
    assert 0 < abs(half - matte(smallest)[0]).max() <= 1e-2


def test_the_networks_keep_the_format_that_they_are_given(tiny: Path):
    """Channels last goes through every block: a lost format is a copy at each layer."""
    config = read_config(tiny)
    with torch.device("meta"):
        networks = (Encoder(config.vae), UNet(config.unet), Decoder(config.vae, folded=True))
    given = ((2, 3, 64, 96), (2, 4, 8, 12), (2, 4, 8, 12))
    seen = []
    kinds = (SpatialResnet, TemporalResnet, ImageAttention, Transformer, DoublingConvolution)

    def look(module: nn.Module, _: object, result: Tensor) -> None:
        seen.append((type(module), is_last(result)))

    for network, shape in zip(networks, given, strict=True):
        network.to_empty(device="cpu").requires_grad_(False).to(memory_format=torch.channels_last)
        take_steps(network, set(Step))
        for parameter in network.parameters():
            parameter.fill_(0.01)
        for module in network.modules():
            if isinstance(module, kinds):
                module.register_forward_hook(look)
        value = torch.zeros(shape).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            network(*((value, None) if isinstance(network, UNet) else (value,)))
    assert {kind for kind, _ in seen} == set(kinds)
    assert [kind for kind, last in seen if not last] == []


def test_the_plan_knows_the_steps():
    """Whole attention holds no scores; the folded decoder no doubled image, but larger kernels."""
    cuda = torch.device("cuda")
    shape = WindowShape(height=512, width=512, frames=1, chunk=1, halo=0)

    def plan(names: str):
        placed = place_on(cuda, GvmOptions(gpu_steps=names), RELEASED.vae)
        return plan_memory(replace(RELEASED, unet=SMALL), placed, shape)

    plain, folded, whole = plan(""), plan("fold"), plan("whole-attention")
    assert folded.weights["decode"] > plain.weights["decode"]
    assert folded.working["decode"] <= plain.working["decode"]
    assert whole.working["encode"] <= plain.working["encode"]


def test_the_plan_knows_what_exact_steps_hold_and_chooses_no_window_by_it():
    """They are in the peak with all networks there, and not where memory is short."""
    shape = WindowShape(height=64, width=64, frames=2, chunk=2, halo=0)

    def plan(names: str):
        placed = place_on(torch.device("cuda"), GvmOptions(gpu_steps=names), RELEASED.vae)
        return plan_memory(replace(NARROW, unet=SMALL), placed, shape)

    plain = plan("")
    latents, copies = plan("device-latents"), plan("pinned-copies")
    graphs = plan("cuda-graphs,pinned-weights")
    assert latents.beside == LARGEST_COUNT * 4 * 4 * (64 // NARROW.vae.reduction) ** 2
    assert copies.beside == 4 * 64 * 64 * (3 + 2)
    assert graphs.beside == plain.working["denoise"]
    for one in (latents, copies, graphs):
        assert one.peak == plain.peak + one.beside
        assert one.peak_offloaded == plain.peak_offloaded


def test_the_set_in_effect_is_in_the_maker_of_a_job(monkeypatch: pytest.MonkeyPatch, tiny: Path):
    """Two sets may round differently, so they are never mixed; what was left out is said."""
    for module in (info, placement):
        monkeypatch.setattr(module, "resolved_device", lambda _: "cuda")
    monkeypatch.setattr(info, "torch_maker", lambda _: (("device", "cuda, a card"),))
    tried = []

    def in_effect(placed: Placement, _: object, shapes: list[steps.JobShape]):
        tried.append((placed.steps, shapes))
        return (Step.FOLD, Step.GROUP_NORM), ("The GPU step whole-attention is not taken.",)

    monkeypatch.setattr(steps, "in_effect", in_effect)
    chosen = "fold,whole-attention,group-norm"
    known = info.info(tiny, GvmOptions(gpu_steps=chosen))
    assert "step" not in dict(known.maker())  # no step before a job's sizes are known
    assert known.for_job is not None
    window = WindowSettings(frames_per_window=8, decode_chunk=2)
    sizes = [padded(50, 90, 32), padded(64, 96, 32), padded(30, 30, 32)]
    engine = known.for_job(window, sizes)
    said = [word for word in engine.maker() if word[0] in ("step", "group norm")]
    assert said[:2] == [("step", "fold"), ("step", "group-norm")]
    assert said[2][1].startswith(("PyTorch", "Triton"))
    assert engine.notes[-1] == "The GPU step whole-attention is not taken."
    shapes = [
        steps.JobShape(height=side, width=width, frames=8, decoded=2 + 2 * SEAMLESS_HALO)
        for side, width in ((64, 96), (32, 32))
    ]
    assert tried == [(frozenset(steps_named(chosen)), shapes)]
    assert engine.revision == known.revision
    monkeypatch.setattr(steps, "in_effect", lambda *_: (tuple(EXACT), ()))
    exact = known.for_job(window, sizes)
    assert exact.maker() == known.maker()  # no bit of a matte says them
    (options,) = (part for part in exact.load.args if isinstance(part, GvmOptions))
    assert set(steps_named(options.gpu_steps)) == EXACT  # and yet they are taken
    assert info.info(tiny, GvmOptions()).for_job is None


def test_flags_by_which_bits_stay_are_set_and_said(monkeypatch: pytest.MonkeyPatch):
    """A workspace of the user's own stays, and is in the words."""
    from gvm_server.matting.engines import determinism  # noqa: PLC0415

    matmul = torch.backends.cuda.matmul
    matmul.allow_fp16_reduced_precision_reduction = True
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", False)
    monkeypatch.delenv(determinism.WORKSPACE, raising=False)
    assert determinism.set_determinism().endswith("cublas :4096:8")
    flags = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
    assert (*flags, matmul.allow_fp16_reduced_precision_reduction) == (False, True, False)
    monkeypatch.setenv(determinism.WORKSPACE, ":16:8")
    assert determinism.set_determinism().endswith("cublas :16:8")
