"""The GPU kit on a CPU, with tiny widths: every part runs, and a cut loses nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from gvm_server.matting.engines.machine import EXACT, Step
from tests.support.tree import ROOT

# PyTorch, numpy and safetensors, and what PyTorch itself is installed with.
ALLOWED = {
    "torch", "torchgen", "functorch", "numpy", "safetensors", "sympy", "mpmath", "networkx",
    "jinja2", "markupsafe", "fsspec", "filelock", "typing_extensions", "triton", "setuptools",
}  # fmt: skip
# Stands for a machine where nothing else is installed, this tree included: it is a copy there.
ALONE = f"""
import importlib.machinery, importlib.metadata, runpy, sys
installed = set(importlib.metadata.packages_distributions()) - {ALLOWED!r}
ours = {{"benchmarks", "tests", "gvm_client", "gvm_nodes", "gvm_server"}}

class Path(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in installed - ours:
            return None
        return super().find_spec(name, path, target)

sys.meta_path[:] = [importlib.machinery.BuiltinImporter, importlib.machinery.FrozenImporter, Path]
tree = {{{str(ROOT)!r}, {str(ROOT / "nodes")!r}, ""}}
sys.path[:] = [{str(ROOT)!r}, *(path for path in sys.path if path not in tree)]
sys.argv = ["benchmarks.gpu", *sys.argv[1:]]
runpy.run_module("benchmarks.gpu", run_name="__main__")
"""


def _command(out: Path) -> list[str]:
    return [sys.executable, "-c", ALONE, "--tiny", "--device", "cpu", "--out", str(out)]


def test_every_part_runs_with_pytorch_numpy_and_safetensors_alone(tmp_path: Path):
    """The rows say what holds; what a CPU or this machine has not is said, and no error."""
    out = tmp_path / "gpu.json"
    ran = subprocess.run(_command(out), capture_output=True, text=True, timeout=170)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    said = json.loads(out.read_text())
    assert said["finished"] is True
    assert said["machine"]["torch"]
    parts = {row["part"] for row in said["rows"]}
    assert parts == {"parity", "trials", "table", "exact", "memory", "bits", "diffusers"}
    rows = {row["what"]: row for row in said["rows"]}
    assert rows["original, UNet float32"]["holds"] is True
    assert rows["two processes"]["sha equal"] is True
    for step in set(Step) - EXACT:
        assert rows[f"48x32 T2 {step.value}"]["holds"] is True
    for step in set(Step) - {Step.HALF_DECODER} - EXACT:  # the first takes long on a CPU
        assert rows[f"48x32 T2 + {step.value}"]["max off"] < 1e-4
    for step in EXACT:
        assert rows[f"48x32 T2 {step.value}"]["same bits"] is True
    assert rows["64x32 T2 cuda-graphs"]["same bits"] is True
    assert rows["48x32 T2 pinned-weights, others at home"]["same bits"] is True
    assert "a CPU" in rows["kernels are kept"]["left_out"]
    assert "pip install diffusers" in rows["48x32 T2 plain pipeline"]["left_out"]


def test_a_cut_run_leaves_the_rows_that_it_printed(tmp_path: Path):
    """Killed after its first row, the file is whole and says that the run was not."""
    out = tmp_path / "gpu.json"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(_command(out), stdout=subprocess.PIPE, env=environment) as running:
        assert running.stdout is not None
        printed = running.stdout.readline()
        running.send_signal(signal.SIGKILL)
    said = json.loads(out.read_text())
    assert said["finished"] is False
    assert said["rows"][0]["what"] == "original, UNet float32"
    assert said["rows"][0]["what"].encode() in printed
