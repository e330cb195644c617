"""Without a home folder: said in a sentence, and only where one is needed."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest

from gvm_client.configuration import config_dir, read_server_file, server_file
from gvm_client.errors import SettingsError
from gvm_client.home import expanded, home
from gvm_server.cli.install.bundle import search_folders
from gvm_server.matting.engines.gvm.store import find_weights, weights_dir
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
