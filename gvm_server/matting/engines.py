"""Which engines there are, what `auto` means here, and which one is in memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType

from gvm_client.errors import EngineError, ErrorCode
from gvm_server.matting.engine import Engine, EngineInfo

_LOG = logging.getLogger(__name__)


def _preview() -> EngineInfo:
    from gvm_server.matting import preview  # noqa: PLC0415 (an engine costs its import)

    return preview.info()


def _stand_in() -> EngineInfo:
    from gvm_server.matting import stand_in  # noqa: PLC0415

    return stand_in.info()


ENGINES: Mapping[str, Callable[[], EngineInfo]] = MappingProxyType(
    {"preview": _preview, "test": _stand_in}
)
AUTO = "auto"
AUTO_NOTE = (
    "No GVM weights were found, so the preview engine makes this matte: a usable garbage or core"
    " matte for one person, not true matting."
)


def find_engine(name: str) -> tuple[EngineInfo, tuple[str, ...]]:
    """Return an engine by name, and what the artist should know of the choice.

    Raises:
        EngineError: there is no such engine here.
    """
    if name == AUTO:
        return ENGINES["preview"](), (AUTO_NOTE,)
    if name not in ENGINES:
        raise EngineError(
            f"The engine {name!r} is not here; there are {', '.join(ENGINES)}.",
            remedy="Use --engine preview.",
            code=ErrorCode.ENGINE_UNAVAILABLE,
        )
    return ENGINES[name](), ()


class LoadedEngine:
    """The one engine whose model is in memory; used by the thread that owns the GPU."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._revision = ""
        self.name = ""

    def ready(self, info: EngineInfo, say: Callable[[str], None]) -> Engine:
        """Return the engine, loading it first where another one, or none, is in memory.

        Args:
            info: the engine that is wanted.
            say: called with sentences that say how far the loading is.

        Raises:
            EngineError: it cannot be loaded.
        """
        if self._engine is None or self._revision != info.revision:
            self.release()
            say(f"Loading the {info.name} engine.")
            self._engine = info.load(say)
            self._revision, self.name = info.revision, info.name
            _LOG.info("Loaded the engine %s, revision %s.", info.name, info.revision)
        return self._engine

    def release(self) -> None:
        """Give the device's memory back; the next `ready` loads again."""
        if self._engine is not None:
            self._engine.release()
            _LOG.info("Released the engine %s.", self.name)
        self._engine, self._revision, self.name = None, "", ""
