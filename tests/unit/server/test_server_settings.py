"""What the machine sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvm_client.errors import SettingsError
from gvm_server.settings import CACHE_LIMIT_BYTES, GIB, ServerSettings, default_cache_dir


def test_defaults_are_the_platforms_folder_and_20_gigabytes():
    """Nothing set: the user's cache folder."""
    settings = ServerSettings.from_environment({})
    assert settings.cache_dir == default_cache_dir()
    assert settings.cache_limit_bytes == CACHE_LIMIT_BYTES == 20 * GIB
    assert settings == ServerSettings()


def test_the_cache_folder_follows_xdg(monkeypatch, tmp_path):
    """XDG_CACHE_HOME moves it, as for every other program."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert ServerSettings.from_environment({}).cache_dir == tmp_path / "gvm"


def test_the_environment_overrides_both():
    """GVM_CACHE_DIR and GVM_CACHE_LIMIT_GB are taken; fractions are fine."""
    settings = ServerSettings.from_environment(
        {"GVM_CACHE_DIR": "/fast/gvm", "GVM_CACHE_LIMIT_GB": "1.5"}
    )
    assert settings.cache_dir == Path("/fast/gvm")
    assert settings.cache_limit_bytes == GIB * 3 // 2


@pytest.mark.parametrize("text", ["lots", "-1", "nan", "inf"])
def test_a_limit_that_is_no_number_is_refused_by_name(text):
    """The variable and its value are in the sentence."""
    with pytest.raises(SettingsError, match=f"GVM_CACHE_LIMIT_GB is '{text}'"):
        ServerSettings.from_environment({"GVM_CACHE_LIMIT_GB": text})


@pytest.mark.parametrize(
    "change", [{"readers": 0}, {"writers": 65}, {"cache_limit_bytes": -1}, {"idle_seconds": -1.0}]
)
def test_values_out_of_range_are_refused(change):
    """A settings object that exists is valid."""
    with pytest.raises(SettingsError, match=next(iter(change))):
        ServerSettings(**change)
