"""The home folder, folders below it, and the private run-time folder."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

import pytest

from gvm_client.errors import ErrorCode, ServerError, SettingsError
from gvm_client.folders import (
    check_private,
    expanded,
    home,
    pixels_dir,
    private_dir,
    runtime_dir,
    runtime_path,
    socket_path,
)
from gvm_client.platform import max_socket_path
from gvm_client.server_config import config_dir, read_server_file, server_file
from gvm_server.cli.install.bundle import search_folders
from gvm_server.matting.engines.gvm.weights_folder import find_weights, weights_dir
from gvm_server.settings import ServerSettings


@pytest.fixture
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user number without an account, as containers have, and no HOME."""

    def unknown(number: int) -> None:
        raise KeyError(number)

    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


def test_what_needs_a_home_folder_says_so(nobody: None):
    """The remedy is the variable."""
    for find in (home, lambda: expanded("~/plate"), ServerSettings, lambda: weights_dir(None)):
        with pytest.raises(SettingsError, match="home folder"):
            find()


def test_what_can_do_without_goes_on(nobody: None, tmp_path: Path):
    """No configuration, no weights; a cache that is named is used."""
    assert config_dir() == Path("/.config/gvm")  # where the OpenFX plug-in looks, too
    assert read_server_file(server_file()) is not None
    assert find_weights(None) is None
    assert search_folders()
    assert ServerSettings.from_environment({"GVM_CACHE_DIR": str(tmp_path)}).cache_dir == tmp_path


@pytest.mark.parametrize("said", ["somewhere", ""])
def test_a_home_folder_that_is_no_absolute_path_is_none(said, monkeypatch: pytest.MonkeyPatch):
    """It would mean another folder in every folder."""
    monkeypatch.setenv("HOME", said)
    with pytest.raises(SettingsError, match=f"'{said}'"):
        home()


def test_a_user_who_is_not_there_is_named():
    """`~nobody-here` is an error with the path."""
    with pytest.raises(SettingsError, match="~no-such-user/plate"):
        expanded("~no-such-user/plate")


def test_a_cache_folder_that_is_no_text_is_refused():
    """Its path travels in the status."""
    with pytest.raises(SettingsError, match="not UTF-8"):
        ServerSettings.from_environment({"GVM_CACHE_DIR": "/caf\udce9"})


def refused(path: Path) -> ServerError:
    with pytest.raises(ServerError) as caught:
        private_dir(path)
    assert caught.value.code is ErrorCode.RUNTIME_UNSAFE
    assert caught.value.remedy
    assert str(path) in caught.value.message
    return caught.value


def test_our_own_variable_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """`GVM_RUNTIME_DIR` is the folder itself."""
    monkeypatch.setenv("GVM_RUNTIME_DIR", str(tmp_path / "here"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "xdg"))
    assert runtime_dir() == tmp_path / "here"
    assert stat.S_IMODE((tmp_path / "here").stat().st_mode) == 0o700


def test_then_the_sessions_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """In the session's folder it is a folder of our name."""
    monkeypatch.delenv("GVM_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert runtime_path() == tmp_path / "gvm"


def test_then_the_temporary_folder_with_the_users_number(monkeypatch: pytest.MonkeyPatch):
    """Two users of a machine without sessions do not meet."""
    monkeypatch.delenv("GVM_RUNTIME_DIR", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    assert runtime_path().name == f"gvm-{os.geteuid()}"


def test_it_is_private_whatever_the_umask(tmp_path: Path):
    """A careless umask does not open it."""
    before = os.umask(0)
    try:
        folder = private_dir(tmp_path / "run")
        pixels = pixels_dir(folder)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, pixels)} == {0o700}


def test_a_link_is_refused(tmp_path: Path):
    """Nobody may lead us elsewhere."""
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert "is a link" in refused(tmp_path / "link").message


def test_a_folder_that_others_can_enter_is_refused(tmp_path: Path):
    """The remedy is the line to type."""
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o750)
    assert f"chmod 700 {folder}" in refused(folder).remedy


def test_a_folder_of_another_user_is_refused(tmp_path: Path):
    """Whoever made it could look into it."""
    status = tmp_path.lstat()
    theirs = os.stat_result((*status[:4], os.geteuid() + 1, *status[5:]))
    with pytest.raises(ServerError, match=f"belongs to user {os.geteuid() + 1}"):
        check_private(tmp_path, theirs)


def test_a_file_in_its_place_is_refused(tmp_path: Path):
    """The error is ours, not Python's."""
    (tmp_path / "file").touch()
    refused(tmp_path / "file")
    refused(tmp_path / "file" / "below")


def test_the_longest_socket_path_is_taken_and_one_byte_more_is_not(tmp_path: Path):
    """The bound is the system's, in bytes."""
    room = max_socket_path() - len(os.fsencode(tmp_path)) - 1
    assert socket_path(tmp_path, "x" * room)
    with pytest.raises(ServerError, match=f"at most {max_socket_path()}"):
        socket_path(tmp_path, "x" * (room - 1) + "é")
