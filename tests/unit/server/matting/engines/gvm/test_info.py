"""What tells two GVM engines apart before one is loaded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gvm_client.settings import ModelSettings
from gvm_server.matting.engines.gvm.config import GvmOptions
from gvm_server.matting.engines.gvm.info import describe, info
from gvm_server.matting.engines.machine import Machine, MachineOptions


@pytest.mark.parametrize("name", ["adapter_config.json", "pytorch_lora_weights.safetensors"])
def test_an_adapter_is_told_by_its_content(tiny: Path, tmp_path: Path, name: str):
    """Not by its file's time, which a farm that carries files changes; any byte of it counts."""
    file = tmp_path / name
    file.write_bytes(bytes(1 << 17))
    options = GvmOptions(lora=str(tmp_path))
    first = info(tiny, options).revision
    times = file.stat()
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns + 60_000_000_000))
    assert info(tiny, options).revision == first
    file.write_bytes(bytes((1 << 17) - 1) + b"1")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert info(tiny, options).revision != first


def test_the_folder_for_kernels_reaches_the_engine_and_no_key(tiny: Path, tmp_path: Path):
    """It says where something lies, and nothing of what is made."""
    model = ModelSettings(weights=str(tiny))
    plain = describe(model, Machine(options=MachineOptions(device="cpu")))
    kept = describe(model, Machine(options=MachineOptions(device="cpu"), kernels=tmp_path))
    (options,) = (part for part in kept.load.args if isinstance(part, GvmOptions))
    assert options.kernels == str(tmp_path)
    assert (kept.revision, kept.maker()) == (plain.revision, plain.maker())
