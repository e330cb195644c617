"""`make demo`: the README's first command, from a clip to its contact sheet."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.plates import MovieSpec, write_movie
from tests.support.site import Site
from tests.support.tree import ROOT


@pytest.mark.parametrize(("words", "count"), [((), 4), (("--frames", "2-3"), 2)])
def test_the_demo_makes_alphas_a_report_and_a_sheet(
    site: Site, tmp_path: Path, words: tuple[str, ...], count: int
):
    """Of a clip of one's own: only to get the demo's the network is needed."""
    clip = write_movie(tmp_path / "clip.mp4", MovieSpec(frames=4))
    script = tmp_path / "docs" / "demo.py"  # it writes beside its folder
    script.parent.mkdir()
    shutil.copyfile(ROOT / "docs" / "demo.py", script)
    ran = subprocess.run(
        [sys.executable, script, "--clip", clip, *words],
        env={**os.environ, **site.environment},
        cwd=site.folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    made = tmp_path / "demo"
    assert len([*(made / "alphas").glob("*.exr")]) == count
    assert {"report.html", "sheet.png"} <= {path.name for path in made.iterdir()}
    assert f"contact sheet: {made / 'sheet.png'}" in ran.stdout
