"""The original program's own numbers: the engine gives them, and so does the stock pipeline.

The stock pipeline is the network before the simplifications, the engine the one after them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file
from torch.nn import functional

from gvm_client.settings import Noise, WindowSettings
from gvm_server.matting.engines.base import Image
from gvm_server.matting.engines.gvm.compare import ALPHA, LATENT
from gvm_server.matting.engines.gvm.config import PAD_MULTIPLE, GvmOptions
from gvm_server.matting.engines.gvm.engine import GvmEngine
from gvm_server.matting.engines.gvm.stock import Straightforward
from gvm_server.matting.engines.machine import Switch
from gvm_server.matting.working_size import working_size

# A random net fed with its own output: the original is 2.05e-2 from float64 there, ours 6e-4.
ITERATED = 3e-2


@pytest.fixture(scope="module", params=[Switch.ON, Switch.OFF])
def original(request: pytest.FixtureRequest, golden: Path) -> GvmEngine:
    """The engine over the reference checkpoint, which is kept in shards, in both formats."""
    options = GvmOptions(device="cpu", channels_last=request.param)
    return GvmEngine.load(golden / "checkpoint", options, lambda _: None)


def _frames(case: dict[str, NDArray[np.generic]]) -> Image:
    return case["input_u8"].astype(np.float32) / np.float32(255)


def _near(one: object, other: object, tolerance: float) -> None:
    np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", ["a2_one_frame", "c_steps3"])
def test_one_window_has_the_originals_latents_and_alpha(
    original: GvmEngine, golden: Path, name: str
):
    """Encode, one UNet step and decode each agree with the original."""
    case = load_file(golden / f"{name}.safetensors")
    latents = [original.encode(frame) for frame in _frames(case)]
    _near(latents, case["w0.rgb_latent"], LATENT)
    first = case.get("w0.unet_out.step0", case["w0.out_latent"])
    _near(original.denoise(latents, steps=1), first, LATENT)
    alphas = original.decode(list(case["latent_all"]), chunk=8, halo=0)
    _near(alphas, case["alpha"][:, 0], ALPHA)


def test_three_steps_follow_the_original(original: GvmEngine, golden: Path):
    """The result of a step is the noise latent of the next."""
    case = load_file(golden / "c_steps3.safetensors")
    latents = [original.encode(frame) for frame in _frames(case)]
    for steps in (2, 3):
        result = original.denoise(latents, steps=steps)
        _near(result, case[f"w0.unet_out.step{steps - 1}"], ITERATED)
    _near(original.decode(result, chunk=8, halo=0), case["alpha"][:, 0], 1e-2)


@pytest.mark.parametrize("window", ["b.w0", "b.w1", "b.w2", "b3.w0", "b3.w1", "b3.w2"])
def test_windows_of_any_length_have_the_originals_latents(
    original: GvmEngine, golden: Path, window: str
):
    """Full windows, short tails and single frames denoise as in the original."""
    case = load_file(golden / "b_windows.safetensors")
    result = original.denoise(list(case[f"{window}.rgb_latent"]), steps=1)
    _near(result, case[f"{window}.out_latent"], LATENT)


def test_gaussian_noise_takes_the_schedulers_step(golden: Path):
    """From the original's own noise the Euler step lands where the original landed."""
    case = load_file(golden / "b_windows.safetensors")
    options = GvmOptions(device="cpu", noise=Noise.GAUSSIAN)
    engine = GvmEngine.load(golden / "checkpoint", options, lambda _: None)
    for index in range(3):
        names = (f"b2.w{index}.{name}" for name in ("rgb_latent", "noise"))
        window, noise = (torch.from_numpy(case[name]) for name in names)
        with torch.inference_mode():
            result = engine._euler(engine.networks.unet, window, noise, 1)
        _near(result, case[f"b2.w{index}.out_latent"], LATENT)


@pytest.mark.parametrize("given", ["lora", "lora/pytorch_lora_weights.pt"])
def test_an_adapter_is_merged_as_the_original_applies_it(golden: Path, given: str):
    """With the adapter's folder, or a file of it, alpha and latents are the original's."""
    case = load_file(golden / "f_lora.safetensors")
    folder = golden / "checkpoint"
    engine = GvmEngine.load(
        folder, GvmOptions(device="cpu", lora=str(folder / given)), lambda _: None
    )
    denoised = engine.denoise([engine.encode(frame) for frame in _frames(case)], steps=1)
    _near(denoised, case["latent_all"], LATENT)
    _near(engine.decode(denoised, chunk=8, halo=0), case["alpha"][:, 0], ALPHA)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        (
            "d_wrapper_landscape",
            WindowSettings(
                frames_per_window=3, decode_chunk=2, size=48, max_resolution=200, overlap=0
            ),
        ),
        ("e_wrapper_portrait", WindowSettings(size=44, max_resolution=76)),
    ],
)
def test_the_whole_way_of_the_original_program(
    original: GvmEngine, golden: Path, name: str, settings: WindowSettings
):
    """Resize, pad, batches, chunks without halo, crop, even size and thresholds give its files."""
    case = load_file(golden / f"{name}.safetensors")
    frames = torch.from_numpy(_frames(case))
    working = working_size(*frames.shape[2:], settings, PAD_MULTIPLE)
    sides = (working.height, working.width)
    resized = functional.interpolate(frames, sides, mode="bilinear", antialias=True).numpy()
    _near(resized[0], case["resized_frame0"], 1e-6)
    latents = [original.encode(working.pad(frame)) for frame in resized]
    alphas = []
    batch = settings.frames_per_window
    for start in range(0, len(latents), batch):
        denoised = original.denoise(latents[start : start + batch], steps=1)
        _near(denoised, case[f"batch{start // batch}.out_latent"], LATENT)
        alphas.append(original.decode(denoised, chunk=settings.chunk, halo=0))
    cropped = working.crop(np.concatenate(alphas))
    _near(cropped, case["alpha_cropped"][:, 0], ALPHA)
    _near(*_thresholded(cropped, case["alpha_final"][:, 0]), ALPHA)


def _thresholded(cropped: Image, final: Image) -> tuple[Image, Image]:
    """Return ours and theirs where ours is not within a tolerance of a threshold."""
    even = tuple(side // 2 * 2 for side in cropped.shape[1:])
    ours = functional.interpolate(torch.from_numpy(cropped.copy())[None], even, mode="bilinear")
    alphas = ours[0].numpy()
    low, high = np.float32(25 / 255), np.float32(240 / 255)
    clear = (abs(alphas - low) > ALPHA) & (abs(alphas - high) > ALPHA)
    assert clear.mean() > 0.9
    cut = np.where(alphas >= high, 1.0, np.where(alphas <= low, 0.0, alphas)).astype(np.float32)
    return cut[clear], final[clear]


def test_the_stock_pipeline_gives_the_originals_numbers(golden: Path):
    """The tests' independent reference is itself the original's network."""
    stock = Straightforward.load(golden / "checkpoint")
    case = load_file(golden / "c_steps3.safetensors")
    latents = stock.encode(torch.from_numpy(_frames(case)))
    _near(latents, case["w0.rgb_latent"], LATENT)
    _near(stock.denoise(latents), case["w0.unet_out.step0"], LATENT)
    _near(stock.decode(torch.from_numpy(case["latent_all"]), 8), case["alpha"][:, 0], ALPHA)
