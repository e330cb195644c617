"""Times the GVM engine against the straightforward pipeline: the same weights, the same frames.

    python -m benchmarks.gvm_engine [--size 256 256] [--frames 4] [--threads 2] [--rounds 5]

Both sides have the released widths and the same seeded random weights, so their alphas can be
compared too. A round runs each side once, in a process of its own (the weights take 6.5 GB), and
every other round begins with the other side: a machine that is busy for a while is busy for both.
What may be published is the median of the rounds' ratios with its range, never one run of a side.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import numpy as np
import psutil
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from gvm_server.matting.engines.gvm.checkpoint import unet_shapes, vae_shapes
from gvm_server.matting.engines.gvm.config import CheckpointConfig, GvmOptions
from gvm_server.matting.engines.gvm.config_files import read_config
from gvm_server.matting.engines.gvm.engine import GvmEngine
from gvm_server.matting.engines.gvm.load import assemble
from gvm_server.matting.engines.gvm.memory import WindowShape, plan_memory
from gvm_server.matting.engines.gvm.network import Decoder, Encoder, UNet
from gvm_server.matting.engines.gvm.placement import place_on
from gvm_server.matting.engines.gvm.simplify import Weights
from gvm_server.matting.engines.gvm.stock import Straightforward, stock_unet, stock_vae
from tests.tools.make_tiny_checkpoint import SCHEDULER, UNET, VAE, random_tensors

STAGES = ("encode", "denoise", "decode")
SIDES = ("stock", "ours")
Figures: TypeAlias = dict[str, float]
RELEASED_UNET = UNET | {
    "block_out_channels": [320, 640, 1280, 1280],
    "cross_attention_dim": 1024,
    "layers_per_block": 2,
    "num_attention_heads": [5, 10, 20, 20],
}
RELEASED_VAE = VAE | {"block_out_channels": [128, 256, 512, 512], "layers_per_block": 2}


def main() -> None:
    """Run both sides and print the table, or run one side and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, nargs=2, default=(256, 256), metavar=("H", "W"))
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=5, help="runs of each side, in turns")
    parser.add_argument("--tiny", action="store_true", help="tiny widths, to try the benchmark")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--alphas", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.side:
        run = _stock if given.side == "stock" else _ours
        print(json.dumps(run(given)))
        return
    with TemporaryDirectory() as folder:
        rounds = [_round(Path(folder), number) for number in range(given.rounds)]
        alphas = [np.load(Path(folder) / f"{side}.npy") for side in SIDES]
    _print_table(given, rounds)
    print(f"largest difference of the alphas: {abs(alphas[0] - alphas[1]).max():.1e}")


def _round(folder: Path, number: int) -> dict[str, Figures]:
    """Run each side once; odd rounds begin with the other side."""
    order = SIDES if number % 2 == 0 else SIDES[::-1]
    return {side: _child(side, folder / f"{side}.npy") for side in order}


def _child(side: str, alphas: Path) -> Figures:
    command = [sys.executable, "-m", "benchmarks.gvm_engine", *sys.argv[1:]]
    done = subprocess.run(
        [*command, "--side", side, "--alphas", str(alphas)], stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout)


def _config(given: argparse.Namespace) -> tuple[CheckpointConfig, dict[str, dict[str, object]]]:
    fields = {
        "unet/config": UNET if given.tiny else RELEASED_UNET,
        "vae/config": VAE if given.tiny else RELEASED_VAE,
        "scheduler/scheduler_config": SCHEDULER,
    }
    with TemporaryDirectory() as folder:
        for name, values in fields.items():
            path = Path(folder) / f"{name}.json"
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(values))
        return read_config(Path(folder)), fields


def _weights(config: CheckpointConfig, network: str) -> Weights:
    shapes = unet_shapes(config.unet) if network == "UNet" else vae_shapes(config.vae)
    return {name: torch.from_numpy(value) for name, value in random_tensors(shapes, 0).items()}


def _stock(given: argparse.Namespace) -> Figures:
    """Measure the straightforward pipeline."""
    config, fields = _config(given)
    with torch.device("meta"):
        unet, vae = stock_unet(fields["unet/config"]), stock_vae(fields["vae/config"])
    for network in (unet, vae):
        network.to("meta")  # the mix factors, which diffusers always makes on the CPU
    figures = _flops(given, config, _stock_stages(unet, vae, given))
    for network, name in ((unet, "UNet"), (vae, "VAE")):
        network.load_state_dict(_weights(config, name), assign=True)
        network.requires_grad_(False)
    pipeline = Straightforward(unet, vae)
    frames = torch.from_numpy(_plate(given))
    figures["weights"] = _bytes(unet) + _bytes(vae)
    with _measured("encode", figures):
        latents = pipeline.encode(frames)
    with _measured("denoise", figures):
        denoised = pipeline.denoise(latents)
    with _measured("decode", figures):
        alphas = pipeline.decode(denoised, given.frames)
    np.save(given.alphas, alphas.numpy())
    return figures


def _ours(given: argparse.Namespace) -> Figures:
    """Measure the engine."""
    config, _ = _config(given)
    placement = place_on(torch.device("cpu"), GvmOptions(device="cpu"), config.vae)
    figures = _flops(given, config, _our_stages(config))
    options = GvmOptions(device="cpu")
    networks = assemble(config, placement, options, lambda name: _weights(config, name))
    engine = GvmEngine(networks, options, lambda _: None)
    frames = _plate(given)
    figures["weights"] = sum(map(_bytes, (networks.encoder, networks.unet, networks.decoder)))
    height, width = given.size
    job = WindowShape(height=height, width=width, frames=given.frames, chunk=given.frames, halo=2)
    plan = plan_memory(config, placement, job)
    figures |= {f"{stage} planned": plan.working[stage] for stage in STAGES}
    with _measured("encode", figures):
        latents = [engine.encode(frame) for frame in frames]
    with _measured("denoise", figures):
        denoised = engine.denoise(latents, steps=1)
    with _measured("decode", figures):
        alphas = engine.decode(denoised, chunk=given.frames)
    np.save(given.alphas, alphas)
    return figures


def _plate(given: argparse.Namespace) -> np.ndarray:
    return np.random.default_rng(0).random((given.frames, 3, *given.size), np.float32)


def _bytes(network: nn.Module) -> int:
    return sum(parameter.nbytes for parameter in network.parameters())


def _stock_stages(
    unet: nn.Module, vae: nn.Module, given: argparse.Namespace
) -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    pipeline = Straightforward(unet, vae)
    return {
        "encode": lambda frames, _: vae.encode(frames).latent_dist.mode(),
        "denoise": lambda _, latents: (
            pipeline.unet(
                torch.cat((latents, latents), dim=1)[None],
                torch.tensor(999, device="meta"),
                latents.new_zeros(1, 1, unet.config.cross_attention_dim),
                added_time_ids=latents.new_zeros(1, 3),
            ).sample
        ),
        "decode": lambda _, latents: vae.decode(latents, num_frames=given.frames).sample,
    }


def _our_stages(config: CheckpointConfig) -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    with torch.device("meta"):
        encoder, unet, decoder = Encoder(config.vae), UNet(config.unet), Decoder(config.vae)
    return {
        "encode": lambda frames, _: torch.cat([encoder(frame[None]) for frame in frames]),
        "denoise": lambda _, latents: unet(latents, None),
        "decode": lambda _, latents: decoder(latents),
    }


def _flops(
    given: argparse.Namespace,
    config: CheckpointConfig,
    stages: dict[str, Callable[[Tensor, Tensor], Tensor]],
) -> Figures:
    """Count each stage's floating-point operations on the meta device."""
    height, width = given.size
    latent = (config.vae.latent_channels, *(side // config.vae.reduction for side in given.size))
    frames = torch.empty(given.frames, 3, height, width, device="meta")
    latents = torch.empty(given.frames, *latent, device="meta")
    figures = {}
    for stage, run in stages.items():
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            run(frames, latents)
        figures[f"{stage} flops"] = float(counter.get_total_flops())
    return figures


@contextmanager
def _measured(stage: str, figures: Figures) -> Iterator[None]:
    """Record a stage's seconds, and the most memory that the process held above its start."""
    process = psutil.Process()
    before = peak = process.memory_info().rss
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.02):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    try:
        yield
    finally:
        figures[f"{stage} seconds"] = time.perf_counter() - start
        done.set()
        watcher.join()
        figures[f"{stage} peak"] = peak - before


def _print_table(given: argparse.Namespace, rounds: list[dict[str, Figures]]) -> None:
    height, width = given.size
    print(
        f"{height}x{width}, {given.frames} frames, {given.threads} threads, float32, CPU;"
        f" medians of {given.rounds} rounds in turns"
    )
    print(f"{'':22}{'straightforward':>16}{'ours':>12}{'ratio':>8}{'range':>14}{'planned':>10}")
    for unit, scale, form in (
        ("seconds", 1.0, ".1f"),
        ("flops", 1e12, ".2f"),
        ("peak", 2**30, ".2f"),
    ):
        join = max if unit == "peak" else sum
        for stage in (*STAGES, "all"):
            stages = STAGES if stage == "all" else (stage,)
            pairs = [
                tuple(
                    join(run[side][f"{part} {unit}"] for part in stages) / scale for side in SIDES
                )
                for run in rounds
            ]
            planned = rounds[0]["ours"].get(f"{stage} planned") if unit == "peak" else None
            last = f"{planned / scale:{form}}" if planned else ""
            _print_row(f"{stage} {_UNITS[unit]}", pairs, form, last)
    weights = [tuple(run[side]["weights"] / 2**30 for side in SIDES) for run in rounds]
    _print_row("weights GiB", weights, ".2f", "")


_UNITS = {"seconds": "s", "flops": "TFLOP", "peak": "peak GiB"}


def _print_row(name: str, pairs: list[tuple[float, ...]], form: str, last: str) -> None:
    """Print the medians of both sides, and of the rounds' own ratios with their range."""
    stock, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratios = sorted(mine / theirs if theirs else float("nan") for theirs, mine in pairs)
    ratio, between = statistics.median(ratios), f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
    print(f"{name:22}{stock:16{form}}{ours:12{form}}{ratio:8.2f}{between:>14}{last:>10}")


if __name__ == "__main__":
    main()
