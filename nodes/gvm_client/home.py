"""The user's home folder, which a process need not have: a container's user may have no account."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from gvm_client.errors import SettingsError


def home() -> Path:
    """Return the user's home folder.

    Raises:
        SettingsError: there is none.
    """
    return below_home(Path.home)


def below_home(find: Callable[[], Path]) -> Path:
    """Return the folder that a library finds below the home folder.

    Raises:
        SettingsError: there is no home folder; libraries then fail, or leave the `~` in the path.
    """
    said = os.environ.get("HOME")
    try:
        path = find()
    except RuntimeError:
        path = Path()
    if path.is_absolute() and said != "":  # which Python takes for the root folder
        return path
    why = "HOME is not set, and this user has no account" if said is None else f"HOME is {said!r}"
    raise SettingsError(
        f"There is no home folder: {why}.",
        remedy="Set HOME to a folder of your own, by its absolute path.",
    )


def xdg_folder(variable: str, below: str) -> Path:
    """Return a folder of the XDG Base Directory Specification: the variable's, else the default's.

    Args:
        variable: such as `XDG_CACHE_HOME`.
        below: the default, below the home folder.

    Raises:
        SettingsError: the variable is not set, and there is no home folder.
    """
    return Path(os.environ.get(variable) or home() / below)


def expanded(path: str | Path) -> Path:
    """Return a path with its leading `~` or `~user` as that home folder.

    Raises:
        SettingsError: there is no such folder.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise SettingsError(
            f"There is no home folder for {path}.",
            remedy="Write the path out, without `~`.",
            path=str(path),
        ) from error
