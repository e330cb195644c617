"""Names of files that are no text, or that would steer a terminal."""

from __future__ import annotations

import json
import os
import shutil

from gvm_client.folders import LOG_NAME
from tests.support.plates import write_plate

LATIN_1 = os.fsdecode(b"caf\xe9")


def shown(ran) -> str:
    """Return what a command said, which is text without control codes."""
    said = ran.stdout + ran.stderr
    assert "Traceback" not in said
    assert "defect" not in said
    assert all(letter.isprintable() or letter == "\n" for letter in said)
    return said


def test_a_plate_in_a_folder_that_is_no_text_is_refused_and_a_link_to_it_is_matted(site, tmp_path):
    """The remedy that is said is one."""
    write_plate(tmp_path / "plate", range(1, 3))
    (tmp_path / "plate").rename(tmp_path / LATIN_1)
    ran = site.matte(f"{LATIN_1}/plate.%04d.exr", "out")
    assert ran.code == 2
    assert "caf\\xe9" in shown(ran)
    assert "ln -s" in ran.stderr
    (tmp_path / "link").symlink_to(tmp_path / LATIN_1)
    assert site.matte("link/plate.%04d.exr", "out").done["frames_written"] == 2


def test_files_that_are_no_text_are_refused_where_they_are_the_plate(site, tmp_path):
    """A folder is named in UTF-8, and its files are not; others beside the plate do no harm."""
    plate = write_plate(tmp_path / "plate", range(1, 3))
    (tmp_path / "bad").mkdir()
    for number, path in enumerate(sorted((tmp_path / "plate").iterdir())):
        shutil.copy(path, tmp_path / "bad" / f"{LATIN_1}.{number:04}.exr")
    ran = site.matte("bad", "out")
    assert ran.code == 3
    assert "caf\\xe9" in shown(ran)
    (tmp_path / "plate" / f"{LATIN_1}.txt").write_text("")
    assert site.matte(plate, "out").code == 0
    (tmp_path / "out" / f"{LATIN_1}.exr").write_bytes(b"")
    ran = site.gvm("verify", "out")
    assert ran.code == 5
    assert "caf\\xe9.exr" in shown(ran)


def test_every_option_that_is_no_text_is_wrong_usage(site, tmp_path):
    """It could not be sent."""
    plate = write_plate(tmp_path / "plate", range(1, 3))
    for words in (("--layer", LATIN_1), ("--frames", LATIN_1), ("--weights", LATIN_1)):
        ran = site.matte(plate, "out", *words)
        assert ran.code == 2, ran.stderr
        assert "caf\\xe9" in shown(ran)
    assert site.matte(plate, LATIN_1).code == 2
    assert site.gvm("matte", f"--{LATIN_1}").code == 2


def test_folders_of_the_environment_that_are_no_text_are_refused(site, tmp_path):
    """Sockets and messages cannot name them."""
    for name in ("GVM_CACHE_DIR", "GVM_RUNTIME_DIR"):
        before = site.environment[name]
        site.environment[name] = str(tmp_path / LATIN_1)
        ran = site.gvm("doctor")
        assert ran.code == 4
        assert "caf\\xe9" in shown(ran)
        site.environment[name] = before


def test_no_name_steers_a_terminal_or_makes_a_log_line(site, tmp_path):
    """In errors, in the status, in JSON and in the server's log."""
    name = "a\n\x1b]0;owned\x07\x1b[31m.%04d.exr"
    ran = site.gvm("matte", name, "-o", "out")
    assert ran.code == 3
    assert "\\x1b]0;owned\\x07" in shown(ran)
    status = site.gvm("status")
    assert "a\\x0a\\x1b]0;owned" in shown(status)
    (job,) = json.loads(site.gvm("status", "--json").stdout)["jobs"]
    assert job["plate"].endswith(name)
    log = (site.runtime / LOG_NAME).read_text()
    assert "\x1b" not in log
    assert all(line[:2] == "20" for line in log.splitlines()), log
