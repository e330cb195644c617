"""`gvm matte --dry-run`: what would run, as it then runs; and nothing is made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.plates import moving_disc, write_exr, write_plate
from tests.support.site import SMALL


@pytest.fixture
def plate(tmp_path) -> str:
    """Thirty frames: seven windows of six, two of each shared."""
    return write_plate(tmp_path / "plate", range(1001, 1031))


def everything(folder: Path) -> dict[str, bytes]:
    """Return all files and folders below one, but for the marks of SQLite's readers."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
        if not path.name.endswith("-shm")
    }


def foretold(site, plate: str, *words: str) -> dict:
    """Return what a dry run says, having made nothing."""
    before = everything(site.folder)
    ran = site.gvm("matte", plate, "-o", "out/deep", *SMALL, "--dry-run", "--json", *words)
    assert ran.code == 0, ran.stderr
    assert everything(site.folder) == before
    return json.loads(ran.stdout)


def test_what_is_foretold_is_what_then_runs(site, tmp_path, plate):
    """Of a new clip, of one that is finished, and after a frame has changed."""
    plan = foretold(site, plate)
    assert site.server() is None  # none was started
    assert (plan["frames_total"], plan["frames_to_make"], plan["frames_kept"]) == (30, 30, 0)
    assert plan["frames_seen"] == 6 * plan["windows_to_run"]
    assert plan["seconds"] is None
    done = site.matte(plate, "out/deep").done
    assert done["windows_run"] == plan["windows_to_run"] == 7
    made = sum(path.stat().st_size for path in (tmp_path / "out/deep").iterdir())
    assert plan["disk_bytes"] == 30 * 96 * 64 * 2
    assert made < plan["disk_bytes"] + 30 * 4096  # headers
    plan = foretold(site, plate)
    assert (plan["frames_kept"], plan["windows_to_run"]) == (30, 0)
    assert plan["seconds"] == 0
    write_exr(tmp_path / "plate" / "plate.1015.exr", moving_disc(7, 96, 64))
    plan = foretold(site, plate)
    assert 0 < plan["windows_to_run"] < 7
    assert plan["seconds"] > 0
    done = site.matte(plate, "out/deep").done
    assert done["windows_run"] == plan["windows_to_run"]
    assert done["frames_written"] == plan["frames_to_make"] + plan["frames_cached"]


def test_what_lies_in_the_cache_is_told(site, plate):
    """Alphas that another output has."""
    assert site.matte(plate, "first").code == 0
    plan = foretold(site, plate)
    assert (plan["frames_cached"], plan["frames_to_make"], plan["windows_to_run"]) == (30, 0, 0)


def test_a_person_reads_it_in_lines(site, plate):
    """With the time that the last job of its kind took."""
    assert site.matte(plate, "first", "--frames", "1001-1010").code == 0
    ran = site.gvm("matte", plate, "-o", "out", *SMALL, "--dry-run")
    assert ran.code == 0, ran.stderr
    for said in (
        "windows to run",
        "as long as the last job of its kind",
        "free",
        "Nothing was made",
    ):
        assert said in ran.stdout


def test_what_would_fail_fails_now(site, tmp_path, plate):
    """A frame that is missing, a file that is not ours."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "plate.1002.exr").write_bytes(b"somebody's")
    ran = site.gvm("matte", plate, "-o", "out", *SMALL, "--dry-run")
    assert ran.code == 5
    assert "not made by this program" in ran.stderr
    (tmp_path / "plate" / "plate.1003.exr").unlink()
    ran = site.gvm("matte", plate, "-o", "elsewhere", *SMALL, "--dry-run")
    assert ran.code == 3
    assert "1003" in ran.stderr
    assert not (tmp_path / "elsewhere").exists()


def test_a_movie_that_could_not_be_made_is_told(site, tmp_path, plate):
    """A codec that takes no pictures of that size, a name of no container, somebody's file."""
    (tmp_path / "theirs.mov").write_bytes(b"somebody's")
    before = everything(site.folder)
    for words, code, says in (
        (("--movie", "new/a.mov", "--movie-codec", "dnxhr444"), 2, "prores4444 takes every size"),
        (("--movie", "new/a.gif"), 2, ".gif"),
        (("--movie", "theirs.mov"), 5, "theirs.mov"),
        (("--comp", "new/a.mov", "--comp-over", "none.png"), 3, "none.png"),
    ):
        ran = site.gvm("matte", plate, "-o", "out", *SMALL, "--dry-run", *words)
        assert ran.code == code, ran.stderr
        assert says in ran.stderr
    assert everything(site.folder) == before
    foretold(site, plate, "--movie", "new/a.mov", "--png", "new/png")
