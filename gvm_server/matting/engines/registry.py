"""The engine that a request means, and the one that is in memory.

Which engines there are is declared in `gvm_client.engines`. Each is the module of its name beside
this one, imported when it is asked for, and tells of itself by its `ENTRY` (`base.EngineEntry`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module

from gvm_client.engines import EngineName, named_engines
from gvm_client.errors import EngineError, ErrorCode
from gvm_client.settings import ModelSettings
from gvm_server.matting.engines.base import Engine, EngineEntry, EngineInfo
from gvm_server.matting.engines.gvm.weights_folder import find_weights
from gvm_server.matting.engines.machine import Machine
from gvm_server.matting.engines.maker import Maker

_LOG = logging.getLogger(__name__)

AUTO_NOTE = (
    "No GVM weights were found, so the preview engine makes this matte: a garbage or core matte of"
    " people, without hair. `gvm weights pull` gets the weights."
)


def entry_of(engine: EngineName) -> EngineEntry:
    """Return what an engine tells of itself; not of `auto`, which is none."""
    entry: EngineEntry = import_module(f"{__package__}.{engine.value}").ENTRY
    return entry


def find_engine(name: str, model: ModelSettings, machine: Machine) -> EngineInfo:
    """Return an engine by name; `auto` is gvm where its weights are, else preview.

    Args:
        name: as a request says it.
        model: which weights the request names.
        machine: how this server runs engines; the request's own choices go over it.

    Raises:
        EngineError: there is no such engine, or its weights are not here.
    """
    if name == EngineName.AUTO:
        return _automatic(model, machine)
    if name not in [engine.value for engine in EngineName]:
        raise EngineError(
            f"There is no engine {name!r}; there are {', '.join(named_engines())}.",
            remedy=f"Use --engine {EngineName.AUTO.value}.",
            code=ErrorCode.ENGINE_UNAVAILABLE,
        )
    return entry_of(EngineName(name)).describe(model, machine)


def _automatic(model: ModelSettings, machine: Machine) -> EngineInfo:
    if model.weights or machine.weights or find_weights(None):
        return entry_of(EngineName.GVM).describe(model, machine)
    preview = entry_of(EngineName.PREVIEW).describe(model, machine)
    return replace(preview, notes=(AUTO_NOTE,))


class LoadedEngine:
    """The one engine whose model is in memory; used by the thread that owns the GPU."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._loaded: tuple[str, Maker] | None = None
        self.name = self.licence = ""

    def ready(self, info: EngineInfo, say: Callable[[str], None]) -> Engine:
        """Return the engine, loading it first where another one, or none, is in memory.

        Args:
            info: the engine that is wanted.
            say: called with sentences that say how far the loading is; "" when it is done.

        Raises:
            EngineError: it cannot be loaded.
        """
        wanted = (info.revision, info.maker())
        if self._engine is None or self._loaded != wanted:
            self.release()
            say(f"Loading the {info.name} engine.")
            self._engine = info.load(say)
            self._loaded, self.name, self.licence = wanted, info.label, info.licence.name
            say("")
            _LOG.info("Loaded the engine %s, revision %s.", info.name, info.revision)
        return self._engine

    def release(self) -> None:
        """Give the device's memory back; the next `ready` loads again."""
        if self._engine is not None:
            self._engine.release()
            _LOG.info("Released the engine %s.", self.name)
        self._engine, self._loaded = None, None
        self.name = self.licence = ""
