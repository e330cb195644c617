"""The faster ways on a GPU, run on the CPU: each is the plain way, and one that is not is left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gvm_client.errors import SettingsError
from gvm_server.matting.engines.gvm import placement, steps
from gvm_server.matting.engines.gvm.checkpoint import read_tensor, stored_tensors
from gvm_server.matting.engines.gvm.config import RELEASED, GvmOptions, resolve
from gvm_server.matting.engines.gvm.config_files import read_config
from gvm_server.matting.engines.gvm.engine import GvmEngine
from gvm_server.matting.engines.gvm.load import assemble
from gvm_server.matting.engines.gvm.memory import WindowShape, plan_memory
from gvm_server.matting.engines.gvm.placement import place_on
from gvm_server.matting.engines.machine import MachineOptions, Step

CPU = torch.device("cpu")


@pytest.mark.parametrize("step", Step)
def test_a_step_gives_the_plain_way_s_result(step: Step):
    """Within float32's rounding, at the width where attention is cut into slices."""
    assert steps.difference(step, CPU, torch.float32, 512) < 1e-5


def test_a_step_that_differs_here_is_left_out_aloud(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """The set in effect is without it, and the log says how far it was."""
    wrong = {step: lambda values, _: (values(4), values(4)) for step in Step}
    monkeypatch.setattr(steps, "_WAYS", {**steps._WAYS, Step.FOLD: wrong[Step.FOLD]})
    taken = steps.in_effect.__wrapped__(tuple(Step), CPU, torch.float32, 32)
    assert taken == (Step.WHOLE_ATTENTION,)
    assert "The step fold is not taken" in caplog.text


def test_steps_are_for_cuda_and_none_is_taken_unasked():
    """The CPU has its own ways, which any count of threads must agree on."""
    everything = GvmOptions(gpu_steps="fold, whole-attention")
    assert resolve("cuda", GvmOptions(), RELEASED.vae).steps == ()
    assert set(resolve("cuda", everything, RELEASED.vae).steps) == set(Step)
    assert resolve("cpu", everything, RELEASED.vae).steps == ()


def test_a_step_of_unknown_name_is_refused_with_those_that_there_are():
    """Before a server starts with it."""
    with pytest.raises(SettingsError, match="gpu_steps names folds; there are whole-attention"):
        MachineOptions(gpu_steps="folds,fold")


def test_the_engine_with_all_steps_gives_the_plain_matte(tiny: Path):
    """Alphas within rounding; so the steps reach the layers that they are for."""
    config = read_config(tiny)
    frames = np.random.default_rng(0).random((2, 3, 32, 48), np.float32)

    def read(network: str) -> dict[str, torch.Tensor]:
        entries = stored_tensors(tiny / network.lower())
        return {name: read_tensor(entry) for name, entry in entries.items()}

    def matte(chosen: frozenset[Step]) -> tuple[np.ndarray, set[bool]]:
        placed = replace(place_on(CPU, GvmOptions(), config.vae), steps=chosen)
        engine = GvmEngine(assemble(config, placed, GvmOptions(), read), GvmOptions(), print)
        denoised = engine.denoise([engine.encode(frame) for frame in frames], steps=1)
        whole = {m.whole for m in engine.networks.encoder.modules() if hasattr(m, "whole")}
        return engine.decode(denoised, chunk=2), whole

    plain, sliced = matte(frozenset())
    fast, whole = matte(frozenset(Step))
    assert (sliced, whole) == ({False}, {True})
    assert abs(fast - plain).max() <= 2e-5


def test_the_plan_knows_the_steps():
    """Whole attention holds no scores; the folded decoder no doubled image, but larger kernels."""
    cuda = torch.device("cuda")
    shape = WindowShape(height=512, width=512, frames=1, chunk=1, halo=0)
    small = replace(  # no step is the UNet's
        RELEASED.unet,
        **{"widths": (32,), "layers": (1,), "heads": (1,), "depths": (1,), "contexts": (8,)},
        **{"down_attention": (False,), "up_attention": (False,)},
    )

    def plan(names: str):
        placed = place_on(cuda, GvmOptions(gpu_steps=names), RELEASED.vae)
        return plan_memory(replace(RELEASED, unet=small), placed, shape)

    plain, folded, whole = plan(""), plan("fold"), plan("whole-attention")
    assert folded.weights["decode"] > plain.weights["decode"]
    assert folded.working["decode"] <= plain.working["decode"]
    assert whole.working["encode"] <= plain.working["encode"]


def test_the_set_in_effect_is_in_the_maker(monkeypatch: pytest.MonkeyPatch, tiny: Path):
    """Two sets may round differently, so their results are never mixed."""
    from gvm_server.matting.engines.gvm import info  # noqa: PLC0415 - the module that is patched

    monkeypatch.setattr(info, "resolved_device", lambda _: "cuda")
    monkeypatch.setattr(info, "torch_maker", lambda _: (("device", "cuda, a card"),))
    monkeypatch.setattr(placement, "resolved_device", lambda _: "cuda")
    monkeypatch.setattr(placement, "in_effect", lambda *_: (Step.FOLD,))
    both = GvmOptions(gpu_steps="fold,whole-attention")
    assert [word for word in info.gvm_maker(tiny, both) if word[0] == "step"] == [("step", "fold")]
    assert "step" not in dict(info.gvm_maker(tiny, GvmOptions()))
