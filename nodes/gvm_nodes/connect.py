"""Which way to the server a host's Python has."""

from __future__ import annotations

from importlib.util import find_spec

from gvm_client.errors import ErrorCode, ServerError
from gvm_nodes.line import DirectLine, Line
from gvm_nodes.side import SideLine, side_python


def open_line() -> Line:
    """Return the direct line where pyzmq and msgpack can be loaded, else the one by side process.

    Raises:
        ServerError: they cannot, and no Python for a side process is named.
    """
    if _loads("zmq") and _loads("msgpack"):
        return DirectLine()
    python = side_python()
    if not python:
        raise ServerError(
            "This host's Python cannot load pyzmq and msgpack.",
            remedy="Install the node again with `gvm install`, which names another Python for it.",
            code=ErrorCode.SERVER_START_FAILED,
        )
    return SideLine(python)


def _loads(module: str) -> bool:
    if find_spec(module) is None:
        return False
    try:
        __import__(module)
    except ImportError:  # its compiled part is for another Python
        return False
    return True
