"""The light client: what a compositing host's Python may import (no numpy, no torch).

The names here are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gvm_client.client import Client
    from gvm_client.connection import ConnectionFile, read_connection
    from gvm_client.errors import ErrorCode, GvmError
    from gvm_client.folders import pixels_dir, runtime_dir
    from gvm_client.launcher import ensure_server, server_command
    from gvm_client.pixels import PixelBuffer, delete_frame, open_frame
    from gvm_client.protocol.lifecycle import error_of
    from gvm_client.session import Recovered, resilient_matte
    from gvm_client.settings import MatteKnobs, WindowSettings, window_settings
    from gvm_client.windows import Plan

__version__ = "0.1.0"

__all__ = [
    "Client",
    "ConnectionFile",
    "ErrorCode",
    "GvmError",
    "MatteKnobs",
    "PixelBuffer",
    "Plan",
    "Recovered",
    "WindowSettings",
    "__version__",
    "delete_frame",
    "ensure_server",
    "error_of",
    "open_frame",
    "pixels_dir",
    "read_connection",
    "resilient_matte",
    "runtime_dir",
    "server_command",
    "window_settings",
]

_HOMES = {
    "Client": "client",
    "ConnectionFile": "connection",
    "ErrorCode": "errors",
    "GvmError": "errors",
    "MatteKnobs": "settings",
    "PixelBuffer": "pixels",
    "Plan": "windows",
    "Recovered": "session",
    "WindowSettings": "settings",
    "delete_frame": "pixels",
    "ensure_server": "launcher",
    "error_of": "protocol.lifecycle",
    "open_frame": "pixels",
    "pixels_dir": "folders",
    "read_connection": "connection",
    "resilient_matte": "session",
    "runtime_dir": "folders",
    "server_command": "launcher",
    "window_settings": "settings",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
