"""`gvm serve`: what its options may be; the server itself is the integration tests'."""

from __future__ import annotations

import pytest

from gvm_server.cli.main import main


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """A run-time folder and a cache of the test's own."""
    monkeypatch.setenv("GVM_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("GVM_CACHE_DIR", str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (["--idle-minutes", "-1"], 2, "--idle-minutes is -1; it must be 0 or more minutes."),
        (["--idle-minutes=-0.50"], 2, "--idle-minutes is -0.50; it must be 0 or more minutes."),
        (["--idle-unload", "nan"], 2, "--idle-unload is nan; it must be 0 or more minutes."),
        (["--device", "tpu"], 2, "--device is 'tpu'; it must be one of"),
        (["--gpu-steps", "fast"], 2, "--gpu-steps names fast; there are"),
        (["--root", "nowhere"], 2, "--root is nowhere; there is no such folder."),
        (["--log-file", "nowhere/x.log"], 5, "nowhere/x.log cannot be written: No such file"),
    ],
)
def test_an_option_is_named_as_it_was_typed(words, exit_code, said, capsys):
    """Fields are named otherwise and count seconds; a folder that is not there is no server's."""
    assert main(["serve", *words]) == exit_code
    assert said in capsys.readouterr().err
