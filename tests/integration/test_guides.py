"""Garbage and holdout mattes through the command line and the real server: real files."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from tests.support.mattes import write_matte
from tests.support.plates import read_alpha, write_plate

WIDTH, HEIGHT = 96, 64
FRAMES = range(1, 13)


def box(x: int, y: int, width: int, height: int) -> np.ndarray:
    """Return a matte that is 1 in a box."""
    matte = np.zeros((HEIGHT, WIDTH), np.float32)
    matte[y : y + height, x : x + width] = 1.0
    return matte


def moving(frame: int) -> np.ndarray:
    """Return a garbage matte that moves."""
    return box(2 * frame, 5, 30, 40)


CORE = box(30, 20, 25, 25)


@pytest.fixture
def guided(tmp_path: Path) -> tuple[str, str, str]:
    """A plate, a garbage sequence and a holdout still."""
    plate = write_plate(tmp_path / "plate", FRAMES, width=WIDTH, height=HEIGHT)
    for frame in FRAMES:
        write_matte(tmp_path / "garbage" / f"g.{frame:04d}.exr", moving(frame))
    core = write_matte(tmp_path / "core.png", CORE)
    return plate, str(tmp_path / "garbage" / "g.%04d.exr"), str(core)


def pixels(folder: Path) -> dict[str, bytes]:
    """Return every alpha's bytes by its file's name."""
    return {path.name: read_alpha(path).tobytes() for path in sorted(folder.glob("*.exr"))}


def test_forced_pixels_are_exact_and_the_others_stay(site, tmp_path, guided):
    """After every knob, 0 in the garbage, 1 in the holdout, which wins; elsewhere nothing moves."""
    plate, garbage, core = guided
    knobs = ("--gamma", "1.4", "--grow", "2.5", "--blur", "1.5", "--invert")
    assert site.matte(plate, "plain", *knobs).code == 0
    assert site.matte(plate, "out", *knobs, "--garbage", garbage, "--holdout", core).code == 0
    for frame in FRAMES:
        plain, alpha = (
            read_alpha(tmp_path / folder / f"plate.{frame:04d}.exr") for folder in ("plain", "out")
        )
        held, gone = CORE == 1, (moving(frame) == 1) & (CORE == 0)
        assert (alpha[held] == 1.0).all()
        assert (alpha[gone] == 0.0).all()
        np.testing.assert_array_equal(alpha[~(held | gone)], plain[~(held | gone)])
        assert plain[gone].max() > 0.1, "the garbage matte had something to take"


def test_only_the_changed_guide_frame_is_finished_again(site, tmp_path, guided):
    """No window runs for a guide; one changed frame is one alpha; another guide is all of them."""
    plate, garbage, core = guided
    words = ("--garbage", garbage, "--holdout", core)
    assert site.matte(plate, "out").done["windows_run"] > 0
    denoised = len(site.windows_denoised())
    guided_first = site.matte(plate, "out", *words).done
    assert (guided_first["windows_run"], guided_first["frames_written"]) == (0, len(FRAMES))

    write_matte(Path(garbage % 7), box(0, 0, 10, 10))
    changed = site.matte(plate, "out", *words).done
    assert (changed["windows_run"], changed["frames_written"]) == (0, 1)
    assert changed["frames_kept"] == len(FRAMES) - 1
    alpha = read_alpha(tmp_path / "out" / "plate.0007.exr")
    assert (alpha[:10, :10] == 0).all()

    write_matte(Path(core), box(0, 0, 5, 5))
    still = site.matte(plate, "out", *words).done
    assert (still["windows_run"], still["frames_written"]) == (0, len(FRAMES))
    feather = site.matte(plate, "out", *words, "--guide-feather", "6").done
    assert (feather["windows_run"], feather["frames_written"]) == (0, len(FRAMES))
    without = site.matte(plate, "out").done
    assert (without["windows_run"], without["frames_written"]) == (0, len(FRAMES))
    assert len(site.windows_denoised()) == denoised


def test_a_guide_that_is_copied_elsewhere_makes_nothing(site, tmp_path, guided):
    """A guide is what is in its files, wherever they lie."""
    plate, garbage, _ = guided
    assert site.matte(plate, "out", "--garbage", garbage).code == 0
    Path(garbage).parent.rename(tmp_path / "moved")
    again = site.matte(plate, "out", "--garbage", str(tmp_path / "moved")).done
    assert (again["frames_written"], again["frames_kept"]) == (0, len(FRAMES))


def test_ranges_orders_and_a_restart_give_the_same_bits(site, tmp_path, guided):
    """The whole clip, halves, shuffled frames and a new server with another count of threads."""
    plate, garbage, core = guided
    words = ("--garbage", garbage, "--holdout", core, "--guide-feather", "7.5", "--blur", "1")

    def from_nothing(folder: str, *frames: str) -> None:
        site.gvm("cache", "clear")
        site.gvm("release")
        assert site.matte(plate, folder, *words, *frames).code == 0

    from_nothing("whole")
    from_nothing("parts", "--frames", "1-5")
    from_nothing("parts", "--frames", "6-12")
    shuffled = list(FRAMES)
    random.Random(5).shuffle(shuffled)
    for start in range(0, len(shuffled), 4):
        from_nothing("single", "--frames", ",".join(map(str, shuffled[start : start + 4])))
    assert site.gvm("stop").code == 0
    site.environment |= {"OPENCV_FOR_THREADS_NUM": "3", "OMP_NUM_THREADS": "3"}
    from_nothing("restarted")
    expected = pixels(tmp_path / "whole")
    assert len(expected) == len(FRAMES)
    for folder in ("parts", "single", "restarted"):
        assert pixels(tmp_path / folder) == expected, folder


def test_missing_guide_frames_are_named_or_stood_in_for(site, tmp_path, guided):
    """All that the asked-for frames need, before any work; then as --missing says."""
    plate, garbage, _ = guided
    for frame in (4, 5, 9):
        Path(garbage % frame).unlink()
    words = ("--garbage", garbage)
    refused = site.matte(plate, "out", *words)
    assert refused.code == 3
    assert "garbage matte" in refused.stderr
    assert "no frames 4-5, 9" in refused.stderr.replace("4-5,9", "4-5, 9")
    assert "--missing" in refused.stderr
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
    assert site.matte(plate, "some", *words, "--frames", "1-3").code == 0, "others need none"

    assert site.matte(plate, "plain").code == 0
    held = site.matte(plate, "held", *words, "--missing", "hold")
    assert "held" in json.dumps([event for event in held.events if event["type"] == "accepted"])
    assert (read_alpha(tmp_path / "held" / "plate.0005.exr")[moving(3) == 1] == 0).all()
    assert site.matte(plate, "black", *words, "--missing", "black").code == 0
    for frame, same in ((5, True), (3, False)):
        black, plain = (
            read_alpha(tmp_path / folder / f"plate.{frame:04d}.exr")
            for folder in ("black", "plain")
        )
        assert np.array_equal(black, plain) is same


def test_a_guide_of_another_size_is_scaled_or_refused(site, tmp_path, guided):
    """Of the plate's shape: scaled, and said. Of another: both sizes, and what to do."""
    plate, _, _ = guided
    half = write_matte(tmp_path / "half.png", CORE[::2, ::2])
    ran = site.matte(plate, "out", "--holdout", str(half))
    assert "scaled from 48x32 to the plate's 96x64" in json.dumps(ran.events)
    alpha = read_alpha(tmp_path / "out" / "plate.0001.exr")
    assert (alpha[22:43, 32:53] == 1).all()
    other = write_matte(tmp_path / "other.png", np.ones((60, 96), np.float32))
    refused = site.matte(plate, "out", "--holdout", str(other))
    assert refused.code == 3
    assert "96x60" in refused.stderr
    assert "96x64" in refused.stderr


def test_a_guide_s_own_files_are_never_replaced(site, tmp_path, guided):
    """Though they are mattes of ours, and though it was said that files may be replaced."""
    plate, _, _ = guided
    assert site.matte(plate, "out").code == 0
    before = pixels(tmp_path / "out")
    refused = site.matte(
        plate, "out", "--holdout", str(tmp_path / "out"), "--overwrite", "--invert"
    )
    assert refused.code == 5
    assert "the holdout matte's own file" in refused.stderr
    assert pixels(tmp_path / "out") == before
    assert site.matte(plate, "two", "--holdout", str(tmp_path / "out"), "--invert").code == 0


@pytest.mark.parametrize("what", ["--movie", "--png", "--comp-over"])
def test_deliverables_never_replace_what_the_job_reads(site, tmp_path, guided, what):
    """Made by us, and found by its folder or its pattern; dry runs say it too."""
    plate, _, _ = guided
    shutil.copytree(tmp_path / "plate", tmp_path / "behind")
    made = {"--movie": "roto.mov", "--png": "png", "--comp-over": "behind"}[what]
    if what != "--comp-over":
        assert site.matte(plate, "out", what, made).code == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    out, *reads = {
        "--movie": ("out", "--movie", made, "--holdout", made, "--missing", "hold"),
        "--png": ("out", "--png", made, "--garbage", made),
        "--comp-over": (made, "--comp", "comp.mov", "--comp-over", made),
    }[what]
    for dry in ((), ("--dry-run",)):
        refused = site.matte(plate, out, *reads, "--overwrite", *dry)
        assert refused.code == 5, refused.stderr
        assert "would replace the" in refused.stderr
    assert all(path.read_bytes() == content for path, content in before.items())


def test_files_and_status_say_the_guides(site, tmp_path, guided):
    """EXR metadata, the status of a job, and no word of guides where there are none."""
    plate, garbage, core = guided
    words = ("--garbage", garbage, "--holdout", core, "--guide-feather", "2")
    assert site.matte(plate, "out", *words).code == 0
    spec = oiio.ImageInput.open(str(tmp_path / "out" / "plate.0003.exr")).spec()
    assert spec.getattribute("gvm:garbage") == garbage
    assert spec.getattribute("gvm:holdout") == core
    assert spec.getattribute("gvm:guide_feather") == "2"
    (job,) = json.loads(site.gvm("status", "--json").stdout)["jobs"]
    assert (job["garbage"], job["holdout"]) == (garbage, core)
    assert f"garbage {garbage}, holdout {core}" in site.gvm("status").stdout
    assert site.matte(plate, "plain").code == 0
    spec = oiio.ImageInput.open(str(tmp_path / "plain" / "plate.0003.exr")).spec()
    assert not spec.getattribute("gvm:garbage")


def test_a_confined_server_reads_no_guide_outside(site, tmp_path, eventually):
    """By its path, by `..`, through a link of the folder and of a file."""
    root = tmp_path / "root"
    plate = write_plate(root / "plate", range(1, 4), width=WIDTH, height=HEIGHT)
    inside = write_matte(root / "core.png", CORE)
    outside = write_matte(tmp_path / "core.png", CORE)
    (root / "linked.png").symlink_to(outside)
    (root / "folder").symlink_to(tmp_path)
    server = site.start("serve", "--root", str(root))
    eventually(site.server)
    assert site.matte(plate, root / "out", "--garbage", str(inside)).code == 0
    paths = (outside, root / "linked.png", root / "folder" / "core.png", f"{root}/../core.png")
    for path in (*paths, tmp_path / "nowhere.png"):
        for option in ("--garbage", "--holdout"):
            ran = site.matte(plate, root / "out", option, str(path))
            assert ran.code == 3, (path, ran.stderr)
            assert "confined" in ran.stderr
    server.terminate()
    server.communicate(timeout=20)


def test_a_guide_that_cannot_be_read_is_an_error_of_its_own(site, tmp_path, guided):
    """Not there, no picture, NaN: the sentence says that it is the garbage matte's."""
    (tmp_path / "text.exr").write_text("no picture")
    nan = np.full((HEIGHT, WIDTH), np.nan, np.float32)
    write_matte(tmp_path / "nan.exr", nan)
    for name, says in (
        ("nowhere.exr", "No plate"),
        ("text.exr", "cannot be read"),
        ("nan.exr", "NaN"),
    ):
        ran = site.matte(guided[0], "out", "--garbage", str(tmp_path / name))
        assert ran.code == 3
        assert "The garbage matte: " in ran.stderr
        assert says in ran.stderr
        assert name in ran.stderr
    black = site.matte(
        guided[0], "o2", "--garbage", str(tmp_path / "nan.exr"), "--bad-pixels", "black"
    )
    assert black.code == 0, "as the plate's own"
