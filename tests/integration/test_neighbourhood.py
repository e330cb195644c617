"""Promise 2: change one frame, pay only for its neighbourhood."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from gvm_client.windows import Plan, windows_covering, windows_for
from tests.support.plates import moving_disc, write_exr, write_plate

FRAMES = range(1001, 1201)
STAT = ("--plate-keys", "stat")
PLAN = Plan(first=1001, last=1200, frames_per_window=6, overlap=2)  # as the fixture's SMALL


def test_only_what_changed_is_made_again(site, tmp_path):
    """The same job runs nothing, a changed frame its windows, a changed knob no window."""
    folder = tmp_path / "plate"
    plate = write_plate(folder, FRAMES, width=48, height=32)
    everything = len(list(windows_for(PLAN, FRAMES)))

    first = site.matte(plate, "out").done
    assert (first["windows_run"], first["frames_written"]) == (everything, 200)

    again = site.matte(plate, "out").done
    assert (again["windows_run"], again["frames_written"], again["frames_kept"]) == (0, 0, 200)

    write_exr(folder / "plate.1100.exr", 1.0 - moving_disc(1100, 48, 32))
    changed = site.matte(plate, "out").done
    seen_by = windows_covering(PLAN, 1100)
    touched = {frame for window in seen_by for frame in window.frames}
    assert changed["windows_run"] == len(seen_by)
    assert changed["frames_written"] == len(touched)

    knob = site.matte(plate, "out", "--gamma", "1.2").done
    assert (knob["windows_run"], knob["windows_cached"]) == (0, 0), "what is before it is kept"
    assert knob["frames_written"] == 200

    back = site.matte(plate, "out").done
    assert (back["windows_run"], back["frames_written"]) == (0, 200), "the alphas are cached"
    assert len(site.windows_denoised()) == everything + len(seen_by)


def test_another_folder_gets_copies_without_a_window(site, tmp_path):
    """The same mattes asked for in another folder come from the cache."""
    plate = write_plate(tmp_path / "plate", range(1, 11))
    site.matte(plate, "one").done  # noqa: B018 (asserts that it went well)
    other = site.matte(plate, "two").done
    assert (other["windows_run"], other["frames_written"]) == (0, 10)
    one, two = (Path(tmp_path / name / "plate.0005.exr").read_bytes() for name in ("one", "two"))
    assert one == two


def test_a_deleted_matte_comes_back_and_the_others_stay(site, tmp_path):
    """Only the file that is gone is written again."""
    plate = write_plate(tmp_path / "plate", range(1, 11))
    site.matte(plate, "out").done  # noqa: B018
    (tmp_path / "out" / "plate.0004.exr").unlink()
    again = site.matte(plate, "out").done
    assert (again["frames_written"], again["frames_kept"], again["windows_run"]) == (1, 9, 0)


def test_a_plate_that_is_moved_copied_or_touched_runs_nothing(site, tmp_path):
    """A frame is what is in its file, whatever its folder, time or place on the disk."""
    write_plate(tmp_path / "plate", range(1, 11))
    site.matte(tmp_path / "plate" / "plate.%04d.exr", "out").done  # noqa: B018
    (tmp_path / "plate").rename(tmp_path / "moved")
    shutil.copytree(tmp_path / "moved", tmp_path / "copied", copy_function=shutil.copyfile)
    for path in (tmp_path / "copied").iterdir():
        os.utime(path, (1e9, 1e9))
    for folder in ("moved", "copied"):
        again = site.matte(tmp_path / folder / "plate.%04d.exr", "out").done
        assert (again["frames_kept"], again["frames_written"]) == (10, 0), folder
        by_time = site.matte(tmp_path / folder / "plate.%04d.exr", f"by time {folder}", *STAT).done
        assert by_time["windows_run"] > 0, "size and time tell it from the first"
