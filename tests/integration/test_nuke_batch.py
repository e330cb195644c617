"""Nuke's batch renders as processes of their own: exit codes, and two scripts at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.plates import write_plate
from tests.support.site import Site
from tests.support.tree import ROOT

FIRST, LAST = 1001, 1012

SCRIPT = """
from gvm_nodes.nuke import group

read = nuke.createNode("Read")
read["file"].setValue({plate!r})
read["first"].setValue({first})
read["last"].setValue({last})
above = read
if {tree!r}:
    above = nuke.createNode("Blur")
    above.setInput(0, read)
node = group.create()
node.setInput(0, above)
for name, setting in {settings!r}.items():
    node[name].setValue(setting)
write = nuke.createNode("Write")
write.setInput(0, node)
write["file"].setValue({comp!r})
"""


@pytest.fixture
def shot(site: Site) -> Site:
    """A machine with a plate."""
    write_plate(site.folder / "plate", range(FIRST, LAST + 1), width=48, height=32)
    return site


def script(
    shot: Site, name: str, *, plate: str = "plate", tree: bool = False, **more: object
) -> Path:
    """Write a script with one node and one Write below it."""
    settings = {"engine": "test", "frames_per_window": 6, "overlap": 2, "size": 32,
                "missing_mattes": "error", **more}  # fmt: skip
    path = shot.folder / name / "shot.py"
    path.parent.mkdir()
    path.write_text(
        SCRIPT.format(
            plate=str(shot.folder / plate / "plate.%04d.exr"),
            first=FIRST,
            last=LAST,
            settings=settings,
            tree=tree,
            comp=str(path.parent / "comp.%04d.txt"),
        )
    )
    return path


def nuke(shot: Site, *words: str) -> subprocess.Popen[str]:
    """Start a Nuke without a GUI."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.nuke_terminal", *words],
        cwd=ROOT,
        env={**os.environ, **shot.environment, "PYTHONPATH": f"{ROOT}:{ROOT / 'nodes'}"},
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a Nuke, and return its exit code and what it complained of."""
    _, complaint = process.communicate(timeout=120)
    return process.returncode, complaint


def rendered(path: Path) -> list[str]:
    """Return the frames of a script's comp."""
    return sorted(frame.suffixes[0][1:] for frame in path.parent.glob("comp.*.txt"))


def test_a_batch_render_makes_its_range_and_ends_with_0(shot: Site) -> None:
    """`nuke -x -F 1003-1005`: these frames, and no more alphas than they need."""
    path = script(shot, "a")
    assert ended(nuke(shot, "-x", "-F", "1003-1005", str(path))) == (0, "")
    assert rendered(path) == ["1003", "1004", "1005"]
    assert len(list(path.parent.rglob("*_matte_v001.*.exr"))) == 3


def test_a_batch_render_without_its_plate_ends_with_1(shot: Site) -> None:
    """The complaint names the plate; nothing is rendered."""
    path = script(shot, "a", plate="lost")
    code, complaint = ended(nuke(shot, "-x", str(path)))
    assert code == 1
    assert "lost" in complaint
    assert rendered(path) == []


def test_a_render_that_goes_on_after_errors_has_no_frame_without_its_matte(shot: Site) -> None:
    """`--cont`, with missing mattes black: the farm gets no black alpha that looks finished."""
    path = script(shot, "a", plate="lost", missing_mattes="black")
    process = nuke(shot, "-x", "--cont", "-F", "1003-1005", str(path))
    ended(process)
    assert rendered(path) == []
    whole = script(shot, "b", missing_mattes="black")
    assert ended(nuke(shot, "-x", "--cont", "--gpu", "-F", "1003-1005", str(whole))) == (0, "")
    assert rendered(whole) == ["1003", "1004", "1005"]
    assert len(list(whole.parent.rglob("*_matte_v001.*.exr"))) == 3


def test_a_tree_is_written_when_the_script_is_loaded_to_be_rendered(shot: Site) -> None:
    """A farm's `nuke -x` needs nobody to press a button before; only what is seen is written."""
    path = script(shot, "a", tree=True)
    assert ended(nuke(shot, "-x", "-F", "1001-1002", str(path))) == (0, "")
    assert rendered(path) == ["1001", "1002"]
    assert len(list(path.parent.rglob("plate.*.exr"))) == 6


def test_what_stops_a_tree_s_mattes_stops_its_render(shot: Site) -> None:
    """The reason is the first one, and the exit code 1."""
    path = script(shot, "a", tree=True, colourspace="auto", ocio_colourspace="none such")
    code, complaint = ended(nuke(shot, "-x", "-F", "1001-1002", str(path)))
    assert code == 1
    assert "none such" in complaint
    assert rendered(path) == []


def test_only_reading_what_does_not_exist_ends_with_1_and_contacts_nobody(shot: Site) -> None:
    """The farm's Nuke recomputes nothing unless it is told to."""
    path = script(shot, "a", policy="only read what exists")
    code, _ = ended(nuke(shot, "-x", "-F", "1003-1003", str(path)))
    assert code == 1
    assert shot.server() is None


def test_two_scripts_render_at_once_with_one_server(shot: Site) -> None:
    """Both ask at the same moment; one server starts, and each gets all of its frames."""
    paths = [script(shot, name) for name in "ab"]
    processes = [nuke(shot, "-x", "-F", "1001-1012", str(path)) for path in paths]
    assert [ended(process)[0] for process in processes] == [0, 0]
    assert all(len(rendered(path)) == 12 for path in paths)
    assert len(shot.windows_denoised()) <= 2 * 3


def test_a_render_that_runs_twice_makes_nothing_twice(shot: Site) -> None:
    """A farm repeats a task: the mattes that stand are kept."""
    path = script(shot, "a", out="{dir}/mattes/v{version}/matte.%04d.exr")
    for _ in range(2):
        assert ended(nuke(shot, "-x", "-F", "1001-1006", str(path))) == (0, "")
    assert len(shot.windows_denoised()) == 2
