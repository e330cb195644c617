"""`gvm doctor --support`: what goes with a question is in it, and nothing that nobody needs."""

from __future__ import annotations

import json
import os
import signal
import time
import zipfile
from pathlib import Path

import pytest

from gvm_client.connection import read_connection
from tests.support.plates import write_plate
from tests.support.site import Site

PARTS = {
    *("README.txt", "doctor.txt", "hosts.txt", "versions.txt", "environment.txt"),
    *("status.json", "server.log", "crashes.txt"),
    *(f"configuration/{name}.json" for name in ("server", "installed", "node_defaults")),
}
SHOW, TOKEN, OTHER = "SECRETSHOW", "hf_abcdefghijklmnop", "NobodysBusiness"


@pytest.fixture
def artist(site: Site, tmp_path: Path) -> Site:
    """Kim's machine: a home folder, a configuration, and secrets in the environment."""
    home = tmp_path / "kimlee"
    site.environment |= {
        "HOME": str(home),
        "USER": "kimlee",
        "XDG_CONFIG_HOME": str(home / ".config"),
        "GVM_CACHE_DIR": str(home / ".cache" / "gvm"),
        "HF_TOKEN": TOKEN,
        "MY_PIPELINE": OTHER,
        "OCIO": "",
        "OFX_PLUGIN_PATH": f"{home}/.nuke:/shows/{SHOW}/ofx",
    }
    (home / ".config" / "gvm").mkdir(parents=True)
    return site


def packed(artist: Site, name: str = "question.zip") -> dict[str, str]:
    """Pack and return each file's text; what programs are told of it is so."""
    file = artist.folder / name
    ran = artist.gvm("doctor", "--support", str(file), "--json", timeout=300)
    assert ran.code == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert said["file"] == str(file)
    assert said["bytes"] == file.stat().st_size
    assert set(said["parts"]) == PARTS
    assert file.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        return {part: archive.read(part).decode() for part in archive.namelist()}


def configure(artist: Site, name: str, text: str) -> None:
    """Write a file of the configuration."""
    (Path(artist.environment["XDG_CONFIG_HOME"]) / "gvm" / name).write_text(text)


def test_a_question_about_a_running_server(artist: Site, tmp_path: Path):
    """Its jobs, its log and how it is started, without plate, user, home, keys and tokens."""
    configure(
        artist,
        "server.json",
        json.dumps({"env": {"OMP_NUM_THREADS": "2", "STUDIO": OTHER, "HF_TOKEN": TOKEN}}),
    )
    configure(artist, "node_defaults.json", '{"defaults": {"preset": "balanced"}}')
    plate = write_plate(tmp_path / SHOW / "my shot", range(1, 3))
    assert artist.matte(plate, tmp_path / SHOW / "out dir").code == 0
    missing = plate.replace("%04d", "9999")
    assert artist.matte(missing, "out").code == 3
    connection = read_connection(artist.runtime)

    texts = packed(artist)
    whole = "\n".join(texts.values())
    assert set(texts) == PARTS
    for hidden in (SHOW, "my shot", "out dir", TOKEN, OTHER, "kimlee", str(tmp_path / "kimlee")):
        assert hidden not in whole
    for key in ("client_secret_key", "client_public_key", "server_public_key"):
        assert getattr(connection, key) not in whole

    status = json.loads(texts["status.json"])
    assert status["pid"] == connection.pid
    (done,) = [job for job in status["jobs"] if job["state"] == "done"]
    assert done["plate"].startswith("<path-")
    assert done["plate"].endswith(">.exr")
    assert "Serving in" in texts["server.log"]
    assert str(artist.runtime) in texts["server.log"]
    assert json.loads(texts["configuration/server.json"])["env"] == {
        "OMP_NUM_THREADS": "2",
        "STUDIO": "<not packed>",
        "HF_TOKEN": "<not packed>",
    }
    assert "balanced" in texts["configuration/node_defaults.json"]
    assert "GVM_CACHE_DIR=<home>/.cache/gvm" in texts["environment.txt"]
    assert "OFX_PLUGIN_PATH=<home>/.nuke:<path-" in texts["environment.txt"]
    assert "[good] server: process" in texts["doctor.txt"]
    assert "] farms:" in texts["hosts.txt"]
    assert "gvm-bridge 0.1.0" in texts["versions.txt"]
    assert "No crash" in texts["crashes.txt"]


def test_a_file_that_is_there_stays(artist: Site):
    """Whatever it is; a folder, a link to nowhere too."""
    file = artist.folder / "question.zip"
    file.write_text("mine")
    (artist.folder / "link.zip").symlink_to("/there/is/none")
    for name in ("question.zip", "link.zip", "."):
        ran = artist.gvm("doctor", "--support", name)
        assert ran.code == 5
        assert "is there already" in ran.stderr
    assert file.read_text() == "mine"


def test_a_folder_that_is_not_there_is_an_error(artist: Site):
    """Nothing is made up for a typing error."""
    ran = artist.gvm("doctor", "--support", "none/question.zip", timeout=300)
    assert ran.code == 5
    assert "cannot be written" in ran.stderr
    assert not (artist.folder / "none").exists()


def test_what_is_damaged_says_so_and_the_rest_is_there(artist: Site):
    """A configuration that is no JSON, a run-time folder that others can read."""
    configure(artist, "server.json", f'{{"env": {{"HF_TOKEN": "{TOKEN}"')
    artist.runtime.chmod(0o755)
    texts = packed(artist)
    assert "cannot be had" in json.loads(texts["configuration/server.json"])["says"]
    assert "chmod 700" in texts["doctor.txt"]
    assert "(exit code 4)" in texts["doctor.txt"]
    assert TOKEN not in "\n".join(texts.values())
    assert "No server answers" in texts["status.json"]


def test_a_server_that_fell_leaves_its_trace(artist: Site, tmp_path: Path):
    """The fault of a library: the log has the threads' stacks, and the archive too."""
    assert artist.matte(write_plate(tmp_path / "plate", range(1, 3)), "out").code == 0
    server = artist.server()
    assert server is not None
    server.send_signal(signal.SIGSEGV)
    while artist.server() is not None:
        time.sleep(0.05)
    texts = packed(artist)
    assert "Fatal Python error: Segmentation fault" in texts["crashes.txt"]
    assert "most recent call first" in texts["crashes.txt"]


def test_a_server_that_hangs_keeps_nobody_waiting(artist: Site, tmp_path: Path):
    """It is told as such; the keys that it holds stay here."""
    assert artist.matte(write_plate(tmp_path / "plate", range(1, 3)), "out").code == 0
    connection = read_connection(artist.runtime)
    os.kill(connection.pid, signal.SIGSTOP)
    try:
        texts = packed(artist)
    finally:
        os.kill(connection.pid, signal.SIGCONT)
    assert "No server answers" in texts["status.json"]
    assert "[ bad] server:" in texts["doctor.txt"]
    assert connection.client_secret_key not in "\n".join(texts.values())
