"""What a job means besides its settings, read from an environment."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from gvm_client.context import job_context, read_umask
from gvm_client.errors import LocalProtocolError


def test_paths_become_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A relative configuration is that of the asker's folder; a built-in one keeps its name."""
    monkeypatch.chdir(tmp_path)
    context = job_context({"OCIO": "a/../show.ocio", "GVM_WEIGHTS": "w"})
    assert context.ocio == str(tmp_path / "show.ocio")
    assert context.weights == str(tmp_path / "w")
    assert job_context({"OCIO": "ocio://default"}).ocio == "ocio://default"
    assert job_context({}).ocio == job_context({}).weights == ""


@pytest.mark.parametrize("umask", [0o022, 0o007, 0o077, 0o002])
def test_the_umask_is_the_processs_own(umask: int):
    """Read from the system where it says it."""
    code = "from gvm_client.context import read_umask; print(read_umask())"
    said = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, umask=umask)
    assert int(said.stdout) == umask


def test_where_the_system_does_not_say_it_is_put_back(tmp_path: Path):
    """Reading it leaves it as it was."""
    before = read_umask()
    assert read_umask(tmp_path / "none") == before
    after = os.umask(before)
    assert after == before


CONFIGURATION = "search_path: luts/$SHOT:${SEQUENCE}/%SHOW%\nlook: $LOOK_warm\n"


@pytest.mark.parametrize("packed", [False, True])
def test_the_variables_that_the_configuration_names_travel(tmp_path: Path, *, packed: bool):
    """And those that their values name; in an archive too. Nothing else of the shell does."""
    path = tmp_path / "show.ocio"
    if packed:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("config.ocio", CONFIGURATION)
    else:
        path.write_text(CONFIGURATION)
    shell = {
        "OCIO": str(path),
        "SHOT": "$REEL/010=a",
        "SEQUENCE": "s",
        "SHOW": "",
        "LOOK": "l",
        "REEL": "r",
        "SECRET": "x",
        "LUTS": "y",
    }
    context = job_context(shell)
    assert context.ocio_variables == (
        *("LOOK=l", "REEL=r", "SEQUENCE=s", "SHOT=$REEL/010=a", "SHOW="),
    )
    assert context.variables["SHOT"] == "$REEL/010=a"


@pytest.mark.parametrize("text", [None, "PK\x03\x04 is no archive", ""])
def test_a_configuration_that_cannot_be_read_names_no_variables(tmp_path: Path, text: str | None):
    """The server says why it cannot be loaded."""
    path = tmp_path / "show.ocio"
    if text is not None:
        path.write_text(text)
    assert job_context({"OCIO": str(path), "SHOT": "a"}).ocio_variables == ()


def test_more_variables_than_a_job_may_have_are_refused(tmp_path: Path):
    """With their number and the bound."""
    path = tmp_path / "show.ocio"
    shell = {f"V{number}": "x" for number in range(100, 201)}
    path.write_text(" ".join(f"${name}" for name in shell))
    with pytest.raises(LocalProtocolError, match=r"101 .* 64"):
        job_context({"OCIO": str(path), **shell})
