"""What a result depends on besides what was asked: the machine, its libraries, how it runs.

A key that says only what was asked is the recipe; this is the maker. Two makers may round
differently, so a cached result is used only where both agree.

A maker is pairs of words. The number of cores is no part of it: results do not depend on that
(docs/decisions/0009).
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeAlias

from gvm_server.matting.engines.determinism import set_determinism

Maker: TypeAlias = tuple[tuple[str, str], ...]

# Whatever touches a pixel besides OpenCV.
LIBRARIES = ("numpy", "pillow", "openexr", "openimageio", "opencolorio", "av")
# What makes a library take other kernels than the processor would let it.
OVERRIDES = (
    "ATEN_CPU_CAPABILITY",
    "DNNL_MAX_CPU_ISA",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "NPY_DISABLE_CPU_FEATURES",
    "NPY_ENABLE_CPU_FEATURES",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
    "OPENCV_CPU_DISABLE",
)
_CPUINFO = Path("/proc/cpuinfo")
# The words of the Linux kernel for a kind of processor: of x86-64, then of ARM.
_KIND = ("vendor_id", "cpu family", "model", "CPU implementer", "CPU architecture", "CPU part")


def torch_maker(device: str) -> Maker:
    """Return what an engine of PyTorch adds: its version, the device, and what rounds there.

    Args:
        device: torch's name of it, resolved. PyTorch is loaded for any but `cpu`.
    """
    torch_is = ("torch", version("torch"))
    if device == "cpu":
        return (torch_is, ("device", device))
    import torch  # noqa: PLC0415 - heavy

    if torch.device(device).type != "cuda":
        return (torch_is, ("device", device))
    backends = torch.backends
    cudnn = backends.cudnn.version()  # type: ignore[no-untyped-call] # PyTorch's own is untyped
    return (
        torch_is,
        ("device", f"cuda, {torch.cuda.get_device_name(device)}"),
        ("cuda", f"{torch.version.cuda}, cudnn {cudnn}"),
        ("tf32 convolutions", str(backends.cudnn.allow_tf32)),
        ("tf32 products", str(backends.cuda.matmul.allow_tf32)),
        ("deterministic", set_determinism()),
    )


@cache
def host_maker() -> Maker:
    """Return what every engine's result depends on: the processor's kind and the pixel libraries.

    Asked once: neither changes while the process lives.
    """
    import cv2  # noqa: PLC0415 - heavy

    return (
        ("processor", processor()),
        ("instructions", instructions()),
        *((name, os.environ[name]) for name in OVERRIDES if name in os.environ),
        ("opencv", cv2.__version__),
        *((name, version(name)) for name in LIBRARIES),
    )


def processor(cpuinfo: Path = _CPUINFO) -> str:
    """Return the processor's kind in words: vendor, family and model, never its count of cores."""
    words = dict.fromkeys(_KIND, "")
    for name, value in _fields(cpuinfo):
        if name in words:
            words[name] = words[name] or value
    said = " ".join(f"{name} {value}" for name, value in words.items() if value)
    return f"{platform.machine()} {said or platform.processor()}".strip()


def instructions() -> str:
    """Return the processor's vector instructions, as far as OpenCV knows them."""
    import cv2  # noqa: PLC0415 - heavy

    said: str = cv2.getCPUFeaturesLine()
    return " ".join(word.lstrip("*") for word in said.split() if not word.endswith("?"))


def version(distribution: str) -> str:
    """Return an installed package's version with its build; "" where it is not installed."""
    from importlib import metadata  # noqa: PLC0415 - `gvm --help` has no use for it

    try:
        return metadata.distribution(distribution).version
    except metadata.PackageNotFoundError:
        return ""


def _fields(cpuinfo: Path) -> Iterator[tuple[str, str]]:
    """Yield the names and values of the first processor; nothing where there is no such file."""
    try:
        first, *_ = cpuinfo.read_text(encoding="utf-8", errors="replace").split("\n\n")
    except OSError:
        return
    for line in first.splitlines():
        name, _, value = line.partition(":")
        yield name.strip(), value.strip()
