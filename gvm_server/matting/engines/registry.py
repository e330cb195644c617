"""Which engines there are, what `auto` means here, and which one is in memory."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from gvm_client.errors import EngineError, ErrorCode
from gvm_client.settings import ModelSettings
from gvm_server.matting.engines.base import Engine, EngineInfo
from gvm_server.matting.engines.gvm.config import GvmOptions
from gvm_server.matting.engines.maker import Maker

_LOG = logging.getLogger(__name__)

AUTO, GVM, PREVIEW, TEST = "auto", "gvm", "preview", "test"
AUTO_NOTE = (
    "No GVM weights were found, so the preview engine makes this matte: a garbage or core matte of"
    " one person, without hair. `gvm weights pull` gets the weights."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """How a server runs GVM, where a request does not say otherwise."""

    options: GvmOptions = GvmOptions()
    weights: Path | None = None
    """The folder of the weights; None is where `gvm weights pull` puts them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """An engine, and what the artist should know of its choice, in whole sentences."""

    engine: EngineInfo
    weights: Path | None = None
    """The folder that GVM will load; None for engines without one."""
    options: GvmOptions | None = None
    notes: tuple[str, ...] = ()


def find_engine(name: str, model: ModelSettings, machine: Machine) -> Choice:
    """Return an engine by name; `auto` is gvm where its weights are, else preview.

    Args:
        name: as a request says it.
        model: which weights the request names.
        machine: how this server runs GVM; the request's own choices go over it.

    Raises:
        EngineError: there is no such engine, or its weights are not here.
    """
    if name in (AUTO, GVM):
        from gvm_server.matting.engines.gvm.weights_folder import find_weights  # noqa: PLC0415 (see each engine)

        named = Path(model.weights) if model.weights else machine.weights
        weights = find_weights(named)
        if weights is not None:
            return _gvm(weights, model, machine.options)
        if name == GVM or named:
            raise _no_weights(named)
        chosen = _preview(machine.options)
        return replace(chosen, engine=replace(chosen.engine, notes=()), notes=(AUTO_NOTE,))
    if name == PREVIEW:
        return _preview(machine.options)
    if name == TEST:
        from gvm_server.matting.engines import test as stand_in  # noqa: PLC0415

        return Choice(engine=stand_in.info())
    raise EngineError(
        f"There is no engine {name!r}; there are {GVM}, {PREVIEW} and {TEST}.",
        remedy=f"Use --engine {AUTO}.",
        code=ErrorCode.ENGINE_UNAVAILABLE,
    )


def _gvm(weights: Path, model: ModelSettings, options: GvmOptions) -> Choice:
    from gvm_server.matting.engines.gvm.info import info  # noqa: PLC0415

    options = replace(options, unet=model.unet, lora=model.lora, noise=model.noise, seed=model.seed)
    return Choice(engine=info(weights, options), weights=weights, options=options)


def _preview(options: GvmOptions) -> Choice:
    from gvm_server.matting.engines import preview  # noqa: PLC0415

    device = "cpu" if options.device == "auto" else options.device
    return Choice(engine=preview.info(device))


def _no_weights(named: Path | None) -> EngineError:
    from gvm_server.matting.engines.gvm.weights_folder import weights_dir  # noqa: PLC0415

    folder = weights_dir(named)
    return EngineError(
        f"The GVM weights are not in {folder}.",
        remedy="Get them with `gvm weights pull`, name their folder with --weights, or use"
        " --engine preview.",
        code=ErrorCode.ENGINE_UNAVAILABLE,
        path=str(folder),
    )


class LoadedEngine:
    """The one engine whose model is in memory; used by the thread that owns the GPU."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._loaded: tuple[str, Maker] | None = None
        self.name = ""

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
            self._loaded, self.name = wanted, info.name
            say("")
            _LOG.info("Loaded the engine %s, revision %s.", info.name, info.revision)
        return self._engine

    def release(self) -> None:
        """Give the device's memory back; the next `ready` loads again."""
        if self._engine is not None:
            self._engine.release()
            _LOG.info("Released the engine %s.", self.name)
        self._engine, self._loaded, self.name = None, None, ""
