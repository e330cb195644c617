"""What the machine sets: folders, limits and threads; the only reader of the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from platformdirs import user_cache_path

from gvm_client.errors import SettingsError
from gvm_client.folders import below_home, expanded
from gvm_client.text import is_text
from gvm_server.cores import READERS, WRITERS
from gvm_server.matting.engines.machine import Machine, MachineOptions

CACHE_VARIABLE = "GVM_CACHE_DIR"
GIB = 1 << 30
MIB = 1 << 20

CACHE_LIMIT_BYTES = 20 * GIB
LATENT_LIMIT_BYTES = 64 * MIB
IDLE_SECONDS = 1800.0  # an idle server leaves after half an hour and frees the device


def default_cache_dir() -> Path:
    """Return the user's cache folder for this program, as the platform has it.

    Raises:
        SettingsError: there is no home folder.
    """
    return below_home(lambda: Path(user_cache_path("gvm")))


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSettings:
    """How a server runs on this machine.

    Attributes:
        cache_dir: the folder of finished alphas and window alphas.
        cache_limit_bytes: what it may hold; 0 keeps nothing.
        latent_limit_bytes: memory for encoded frames.
        readers: threads that read ahead of the model.
        writers: threads that refine and write behind it.
        root: the folder that reads and writes are confined to, or None.
        idle_seconds: how long a server without jobs stays; 0 means for ever.
        unload_seconds: how long a model stays in memory without jobs; 0 means for ever.
        engines: how this machine runs engines.
        weights: the folder of GVM's weights, or None for where `gvm weights pull` puts them.

    Raises:
        SettingsError: a value is out of its range.
    """

    cache_dir: Path = field(default_factory=default_cache_dir)
    cache_limit_bytes: int = CACHE_LIMIT_BYTES
    latent_limit_bytes: int = LATENT_LIMIT_BYTES
    readers: int = READERS
    writers: int = WRITERS
    root: Path | None = None
    idle_seconds: float = IDLE_SECONDS
    unload_seconds: float = 0.0
    engines: MachineOptions = MachineOptions()
    weights: Path | None = None

    @property
    def machine(self) -> Machine:
        """What engines are told of this machine; compiled kernels lie in the cache's folder."""
        return Machine(
            options=self.engines, weights=self.weights, kernels=self.cache_dir / "kernels"
        )

    def __post_init__(self) -> None:
        for name in ("cache_limit_bytes", "latent_limit_bytes", "idle_seconds", "unload_seconds"):
            if not getattr(self, name) >= 0:
                raise SettingsError(f"{name} is {getattr(self, name)}; it must not be negative.")
        if not is_text(str(self.cache_dir)):
            raise SettingsError(
                f"The cache's folder {self.cache_dir} is not UTF-8.",
                remedy=f"Set {CACHE_VARIABLE} to a folder with a plain name.",
            )
        for name in ("readers", "writers"):
            if not 1 <= getattr(self, name) <= 64:
                raise SettingsError(f"{name} is {getattr(self, name)}; it must be from 1 to 64.")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> ServerSettings:
        """Return the settings with what GVM_CACHE_DIR, GVM_CACHE_LIMIT_GB and GVM_WEIGHTS say.

        Raises:
            SettingsError: GVM_CACHE_LIMIT_GB is not a number, or negative.
        """
        folder = environment.get(CACHE_VARIABLE, "")
        weights = environment.get("GVM_WEIGHTS", "")
        return cls(
            cache_dir=expanded(folder).absolute() if folder else default_cache_dir(),
            cache_limit_bytes=_cache_limit(environment.get("GVM_CACHE_LIMIT_GB", "")),
            weights=expanded(weights).absolute() if weights else None,
        )


def _cache_limit(text: str) -> int:
    """Return a limit in bytes from a text in GiB; "" means the default."""
    if not text:
        return CACHE_LIMIT_BYTES
    try:
        gigabytes = float(text)
    except ValueError:
        gigabytes = -1.0
    if not isfinite(gigabytes) or gigabytes < 0:
        raise SettingsError(
            f"GVM_CACHE_LIMIT_GB is {text!r}; it must be a number of gigabytes.",
            remedy="Set it to a number such as 20, or unset it.",
        )
    return int(gigabytes * GIB)
