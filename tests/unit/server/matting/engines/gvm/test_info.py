"""What tells two GVM engines apart before one is loaded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gvm_server.matting.engines.gvm.config import GvmOptions
from gvm_server.matting.engines.gvm.info import info


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
