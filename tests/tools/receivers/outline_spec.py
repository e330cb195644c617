"""Run an outline script with the real pyoutline; print the job that it would send to cuebot."""

import sys
from pathlib import Path

import outline
import outline.cuerun


def launch(job, *, use_pycuerun):
    """Print instead of sending."""
    print(outline.cuerun.OutlineLauncher(job).serialize(use_pycuerun))


outline.cuerun.launch = launch
path = Path(sys.argv[1])
exec(compile(path.read_text(), str(path), "exec"), {"__name__": "__main__"})
