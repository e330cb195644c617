"""Measures and proves the GVM engine on a card, in one command and at most ten minutes.

    python -m benchmarks.gpu [--out gpu.json] [--device cuda] [--minutes 10]

Run it in this tree, on a machine with PyTorch, numpy and safetensors; diffusers is optional. Each
row is printed, and written to the JSON file at once: a run that is cut loses nothing it had said.
It ends with 1 where a row failed or does not hold.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
from importlib import metadata
from pathlib import Path

# Before PyTorch loads its OpenMP: on a busy machine its threads otherwise spin at every barrier.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from benchmarks.gpu import exact, parity, stock, table
from benchmarks.gpu.measure import Effort
from benchmarks.gpu.model import Model, Size
from benchmarks.gpu.report import Report, Row
from gvm_server.matting.engines.determinism import set_determinism
from gvm_server.matting.engines.gvm.group_norm import made_by

USUAL = Size(height=576, width=1024, frames=8)
SIZES = table.Sizes(
    usual=USUAL,
    others=(
        Size(height=1024, width=1824, frames=8),
        Size(height=1024, width=1824, frames=12),
        Size(height=256, width=256, frames=4),
    ),
    capped=Size(height=1024, width=1824, frames=8),
)
_TINY = Size(height=32, width=48, frames=2)
TINY_SIZES = table.Sizes(usual=_TINY, others=(Size(height=32, width=64, frames=2),), capped=_TINY)
_MUST_HOLD = ("holds", "same bits", "released", "sha equal", "plan holds")


def main() -> int:
    """Run all parts; return 1 where something failed or does not hold."""
    given = _parser().parse_args()
    gc.freeze()  # each row looks for the garbage of the last one; PyTorch's modules are none
    device = torch.device(given.device)
    deterministic = set_determinism()
    if given.hash:
        print(parity.digest_of(str(device)))
        return 0
    if given.tiny:
        torch.set_num_threads(1)
    model = Model.of(device, tiny=given.tiny)
    if given.first:
        print(exact.first_window(model, given.first, given.kernels))
        return 0
    report = Report(
        path=given.out,
        machine=_machine(device) | {"deterministic": deterministic},
        seconds=60 * given.minutes - 30,
    )
    effort = Effort(warm_ups=0, rounds=1) if given.tiny else Effort()
    sizes = TINY_SIZES if given.tiny else SIZES
    parity.run(report, device)
    table.run(report, model, sizes, effort)
    exact.run(report, model, (sizes.usual, sizes.others[-1]), effort)
    stock.run(report, model, sizes.usual, effort)
    report.write(finished=True)
    return int(any(map(_failed, report.rows)))


def _failed(row: Row) -> bool:
    return "error" in row or any(row.get(name) is False for name in _MUST_HOLD)


def _machine(device: torch.device) -> Row:
    said: Row = {
        "device": str(device),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "triton": _version("triton"),
        "diffusers": _version("diffusers"),
        "tf32 convolutions": torch.backends.cudnn.allow_tf32,
        "tf32 products": torch.backends.cuda.matmul.allow_tf32,
        "group norm": made_by(),
    }
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        said |= {
            "card": properties.name,
            "card GiB": properties.total_memory / 2**30,
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
        }
    return said


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("gpu.json"))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--tiny", action="store_true", help="tiny widths, to try the kit on a CPU")
    parser.add_argument("--hash", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--first", default="", help=argparse.SUPPRESS)
    parser.add_argument("--kernels", type=Path, default=Path(), help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
