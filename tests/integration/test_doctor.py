"""`gvm doctor` and the other words to a server: what they find, and what to do about it."""

from __future__ import annotations

import json

from tests.support.plates import write_plate


def _findings(site) -> dict[str, dict]:
    ran = site.gvm("doctor", "--json")
    return {finding["name"]: finding for finding in json.loads(ran.stdout)}


def test_a_machine_that_is_well_has_nothing_bad(site):
    """Every thing that a matte needs is looked at."""
    found = _findings(site)
    looked_at = {"Python", "packages", "torch", "GVM weights", "OpenImageIO", "colour", "cache"}
    assert looked_at | {"run-time folder", "server"} <= set(found)
    assert not [name for name, finding in found.items() if finding["health"] == "bad"]
    assert "none runs" in found["server"]["says"]


def test_the_running_server_is_named(site, tmp_path):
    """Its process and its log."""
    assert site.matte(write_plate(tmp_path / "plate", range(1, 3)), "out").code == 0
    says = _findings(site)["server"]["says"]
    assert str(site.server().pid) in says
    assert "server.log" in says


def test_an_open_run_time_folder_is_bad_and_the_remedy_is_a_command(site):
    """Mode 0755: exit code 4, and chmod in the remedy."""
    site.runtime.chmod(0o755)
    ran = site.gvm("doctor")
    assert ran.code == 4
    assert f"chmod 700 {site.runtime}" in ran.stdout


def test_a_server_command_that_is_not_there_is_bad(site):
    """The first job would fail with it: doctor says so before, and where it is set."""
    for command in ("/no/such/gvm serve", "'gvm serve"):
        site.environment["GVM_SERVER"] = command
        ran = site.gvm("doctor", "--json")
        (server,) = [one for one in json.loads(ran.stdout) if one["name"] == "server"]
        assert ran.code == 4
        assert server["health"] == "bad"
        assert command in server["says"]
        assert server["remedy"]


def test_a_cache_that_cannot_be_written_is_a_note(site, tmp_path):
    """Work goes on without it."""
    (tmp_path / "file").write_text("in the way")
    site.environment["GVM_CACHE_DIR"] = str(tmp_path / "file" / "cache")
    found = _findings(site)["cache"]
    assert found["health"] == "note"
    assert "GVM_CACHE_DIR" in found["remedy"]
    ran = site.matte(write_plate(tmp_path / "plate", range(1, 3)), "out")
    assert ran.code == 0
    (accepted,) = [event for event in ran.events if event["type"] == "accepted"]
    assert any("Nothing is kept" in note and "cache" in note for note in accepted["notes"])


def test_a_plan_without_a_size_is_a_usage_error(site):
    """`--plan` says what it wants."""
    ran = site.gvm("doctor", "--plan", "big")
    assert ran.code == 2
    assert "1920x1080" in ran.stderr


def test_the_cache_is_shown_and_cleared(site, tmp_path):
    """Bytes and files, then none."""
    assert site.matte(write_plate(tmp_path / "plate", range(1, 5)), "out").code == 0
    before = json.loads(site.gvm("cache", "show", "--json").stdout)
    assert before["files"] >= 5
    assert before["bytes"] > 0
    assert "Freed" in site.gvm("cache", "clear").stdout
    assert json.loads(site.gvm("cache", "show", "--json").stdout)["files"] == 0


def test_stopping_what_does_not_run_is_no_error(site):
    """What was wanted is so."""
    ran = site.gvm("stop")
    assert ran.code == 0
    assert "No server runs" in ran.stdout
