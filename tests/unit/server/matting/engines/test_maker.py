"""What makes a result besides what was asked: told the same on every machine of a kind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gvm_server.matting.engines import test as test_engine
from gvm_server.matting.engines.maker import OVERRIDES, host_maker, processor

CODE = "from gvm_server.matting.engines.maker import host_maker; print(host_maker())"

XEON = """processor\t: {number}
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 143
model name\t: Intel(R) Xeon(R) Platinum 8480+
cpu cores\t: {cores}
"""
GRAVITON = """processor\t: 0
BogoMIPS\t: 2100.00
CPU implementer\t: 0x41
CPU architecture: 8
CPU part\t: 0xd40
"""


def _cpuinfo(folder: Path, text: str) -> str:
    path = folder / "cpuinfo"
    path.write_text(text)
    return processor(path)


def test_a_processor_is_told_by_its_kind_and_not_by_its_count_of_cores(tmp_path: Path):
    """Two machines of one kind, with one core and with four, have one name; another kind not."""
    one = _cpuinfo(tmp_path, XEON.format(number=0, cores=1))
    four = "\n".join(XEON.format(number=number, cores=4) for number in range(4))
    assert _cpuinfo(tmp_path, four) == one
    assert "143" in one
    assert _cpuinfo(tmp_path, XEON.replace("143", "106").format(number=0, cores=1)) != one
    assert "0xd40" in _cpuinfo(tmp_path, GRAVITON)


def test_a_system_without_the_kernels_list_still_has_a_name(tmp_path: Path):
    """A Mac and Windows say what Python knows of them."""
    assert processor(tmp_path / "none")


def _said(**environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name not in OVERRIDES}
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=clean | environment
    )
    return done.stdout


def test_threads_lent_are_no_part_and_forced_kernels_are():
    """A farm's core count changes nothing; an environment that forces other kernels does."""
    plain = _said()
    assert _said(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1") == plain
    assert _said(ATEN_CPU_CAPABILITY="default") != plain


@pytest.mark.parametrize(
    "library", ["opencv", "numpy", "pillow", "openimageio", "opencolorio", "av"]
)
def test_every_library_that_touches_a_pixel_says_its_version(library: str):
    """An upgrade of one is another maker."""
    assert dict(test_engine.info().maker())[library]
    assert host_maker() == test_engine.info().maker()
