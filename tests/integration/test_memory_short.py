"""When memory is short: fail with the numbers, or begin anew with less where that is allowed."""

from __future__ import annotations

import json
import time
from pathlib import Path

import OpenImageIO as oiio

from tests.support.plates import read_alpha, write_plate


def _settings(path: Path) -> dict:
    return json.loads(oiio.ImageInput.open(str(path)).spec().getattribute("gvm:settings"))


def test_by_default_the_artist_s_settings_stand_and_the_job_fails(site, tmp_path):
    """Exit code 4, the numbers, the remedy, and nothing written."""
    site.environment["GVM_TEST_ENGINE_ROOM"] = "4"
    plate = write_plate(tmp_path / "plate", range(1, 13))
    ran = site.matte(plate, "out")
    assert ran.code == 4
    assert "room for 4 frames, not 6" in ran.stderr
    assert "--on-oom backoff" in ran.stderr
    assert not list((tmp_path / "out").glob("*.exr"))


def test_backoff_makes_the_whole_clip_with_one_smaller_window(site, tmp_path):
    """It is said aloud, stands in the metadata, and is never kept under the asked-for settings."""
    site.environment["GVM_TEST_ENGINE_ROOM"] = "4"
    plate = write_plate(tmp_path / "plate", range(1, 13))
    backed = site.matte(plate, "out", "--on-oom", "backoff")
    assert any("4 frames per window" in note for note in backed.done["notes"])
    assert backed.done["frames_written"] == 12
    for path in (tmp_path / "out").glob("*.exr"):
        assert _settings(path)["frames_per_window"] == 4
    asked = site.matte(plate, "small", "--frames-per-window", "4")
    assert asked.done["windows_run"] == 0, "the smaller settings' work is under their own key"
    for frame in (1, 7, 12):
        name = f"plate.{frame:04d}.exr"
        assert (
            read_alpha(tmp_path / "out" / name).tobytes()
            == read_alpha(tmp_path / "small" / name).tobytes()
        )
    site.gvm("stop")
    del site.environment["GVM_TEST_ENGINE_ROOM"]
    whole = site.matte(plate, "out")
    assert whole.done["windows_run"] > 0
    assert whole.done["frames_written"] == 12


def test_a_window_that_cannot_shrink_fails_at_last(site, tmp_path):
    """Backing off ends, with the error."""
    site.environment["GVM_TEST_ENGINE_ROOM"] = "1"
    plate = write_plate(tmp_path / "plate", range(1, 7))
    ran = site.matte(plate, "out", "--on-oom", "backoff")
    assert ran.code == 4
    assert "room for 1 frames" in ran.stderr


def test_release_gives_the_model_back_and_the_next_job_loads_it_again(site, tmp_path, eventually):
    """The status names the engine in memory; the next job says that it loads."""
    plate = write_plate(tmp_path / "plate", range(1, 7))
    assert site.matte(plate, "one").code == 0

    def engine() -> str:
        return json.loads(site.gvm("status", "--json").stdout)["engine_loaded"]

    assert engine() == "test"
    assert site.gvm("release").code == 0
    eventually(lambda: engine() == "")
    again = site.matte(plate, "two", "--gamma", "1.1", "--steps", "2")
    notes = [event["note"] for event in again.events if event["type"] == "progress"]
    assert any("Loading the test engine" in note for note in notes)


def test_an_idle_model_is_unloaded_and_an_idle_server_leaves(site, tmp_path, eventually):
    """`--idle-unload` frees the model, `--idle-minutes` ends the server."""
    plate = write_plate(tmp_path / "plate", range(1, 4))
    server = site.start("serve", "--idle-unload", "0.01", "--idle-minutes", "0.08")
    eventually(site.server)
    assert site.matte(plate, "out").code == 0
    unloaded = eventually(
        lambda: (
            '"engine_loaded": ""' in site.gvm("status", "--json").stdout or site.server() is None
        )
    )
    assert unloaded
    started = time.monotonic()
    server.communicate(timeout=20)
    assert server.returncode == 0
    assert time.monotonic() - started < 15
