"""Where hosts keep what concerns the plug-in: scans, settings and logs, of this user."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from gvm_client.folders import home, user_id, xdg_folder


def settings_folder(*, linux: str, mac: str, windows: str) -> Path:
    """Return the folder that a host looks in, on this system, of this user."""
    if sys.platform == "darwin":
        return home() / "Library" / "Application Support" / mac
    if sys.platform == "win32":
        return Path(os.environ["APPDATA"]) / windows
    return home() / linux


def natron_cache() -> Path:
    """Return the folder in which Natron keeps its scans, as on Linux.

    Raises:
        SettingsError: there is no home folder.
    """
    return xdg_folder("XDG_CACHE_HOME", ".cache") / "INRIA" / "Natron" / "OFXLoadCache"


def nuke_cache() -> Path:
    """Return the folder in which Nuke keeps its scans, as on Linux."""
    named = os.environ.get("NUKE_TEMP_DIR")
    base = Path(named or f"/var/tmp/nuke-u{user_id()}")  # noqa: S108 - Nuke's own place
    return base / "ofxplugincache"


def resolve_folder() -> Path:
    """Return the folder in which Resolve keeps its settings, its scan and its logs."""
    return settings_folder(
        linux=".local/share/DaVinciResolve",
        mac="Blackmagic Design/DaVinci Resolve",
        windows="Blackmagic Design/DaVinci Resolve/Support",
    )


def fusion_profiles() -> Path:
    """Return the folder of Fusion's profiles."""
    own = settings_folder(
        linux=".fusion/BlackmagicDesign/Fusion",
        mac="Blackmagic Design/Fusion",
        windows="Blackmagic Design/Fusion",
    )
    return Path(os.environ.get("FUSION_PROFILE_DIR") or own / "Profiles")
