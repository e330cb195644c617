"""One stage of the engine at a time: within the device's memory, and checked for NaN.

- When memory runs out, only what does not change pixels is reduced: what the failed attempt held is
  given back, graphs are dropped, idle networks go to host memory. Then it is an error with the
  numbers.
- A result with NaN or infinity is computed once more in float32, and the artist is told.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TypeAlias, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from gvm_client.errors import EngineError, ErrorCode
from gvm_server.errors import first_line
from gvm_server.matting.engines.base import DeviceLost, Image
from gvm_server.matting.engines.gvm.compilation import is_of_compiling, not_compiled
from gvm_server.matting.engines.gvm.copies import Arrival, copies_for
from gvm_server.matting.engines.gvm.graphs import CudaGraph, Graphed
from gvm_server.matting.engines.gvm.kernels import drop_kernels
from gvm_server.matting.engines.gvm.placement import (
    Placement,
    empty_cache,
    free_bytes,
    is_out_of_memory,
    lost_its_context,
)
from gvm_server.matting.engines.gvm.residence import Residence, pinned
from gvm_server.matting.engines.machine import Step

log = logging.getLogger(__name__)

_REMEDY = (
    "Use fewer frames per window, then a smaller decode chunk, then a smaller size, in this order."
)

# Of a stage's network and its values on the device makes the result there, float32.
Run: TypeAlias = Callable[[nn.Module, Tensor], Tensor]
_T = TypeVar("_T")


class Flight:
    """A stage's result on its way home.

    Attributes:
        mended: what it was made again as, on the device; None where it did not have to be.
    """

    def __init__(self, arrival: Arrival, mend: Callable[[], Tensor]) -> None:
        self.mended: Tensor | None = None
        self._arrival, self._mend = arrival, mend

    def land(self) -> Image:
        """Wait for it and return it, proven finite, or made again so.

        Raises:
            EngineError: it is not finite in float32 either, or the device failed.
        """
        home = self._arrival.take()
        if np.isfinite(home).all():
            return home
        self.mended = self._mend()
        made: Image = self.mended.cpu().numpy()
        return made


class Stages:
    """The networks of an engine, each of which runs alone.

    Args:
        networks: by stage; graphs take the UNet's place in it.
        placement: where and how they run.
        say: is told what artists should know.
        backend: that compiled them, for what is said where it fails.
    """

    def __init__(
        self,
        networks: dict[str, nn.Module],
        placement: Placement,
        say: Callable[[str], None],
        backend: str,
    ) -> None:
        self.networks, self.placement = networks, placement
        self._say, self._backend = say, backend
        device, steps = placement.device, placement.steps
        if Step.CUDA_GRAPHS in steps and device.type == "cuda":
            networks["denoise"] = Graphed(networks["denoise"], CudaGraph, self._aloud)
        self.copies = copies_for(placement, self._aloud)
        self.residence = Residence(
            networks,
            device,
            keep=pinned if Step.PINNED_WEIGHTS in steps else None,
            moved=self._moved,
            aloud=self._aloud,
        )

    def start(self, stage: str, run: Run, given: Image | Tensor) -> tuple[Tensor, Flight]:
        """Run a stage and send its result home; on a CUDA device neither needs to have ended.

        Args:
            stage: of its network.
            run: makes the result.
            given: host values, or some that are on the device.

        Returns:
            the result on the device, and on its way home.

        Raises:
            EngineError: memory ran out for good, or the device failed.
        """
        made, arrival = self._within_memory(stage, run, given, self.copies.down)
        guarded = _Guarded(arrival, partial(self._not_lost, stage))
        return made, Flight(guarded, partial(self._mended, stage, run, given))

    def stay(self, stage: str, run: Run, given: Image | Tensor) -> Tensor:
        """Run a stage whose result stays on the device, proven finite, or made again so.

        Raises:
            EngineError: as `start`, and where it is not finite in float32 either.
        """
        value, finite = self._within_memory(stage, run, given, _is_finite)
        return value if finite else self._mended(stage, run, given)

    def release(self) -> None:
        """Give the device's memory back."""
        for network in self.networks.values():
            network.to("meta")
        self.residence.forget()
        gc.collect()
        empty_cache(self.placement.device)

    def _mended(self, stage: str, run: Run, given: Image | Tensor) -> Tensor:
        """Make a result that was not finite once more in float32."""
        dtype = next(self.networks[stage].parameters()).dtype
        if dtype is not torch.float32:
            self._aloud(f"The {stage} stage gave NaN in {_name(dtype)}; it runs again in float32.")
            with self._widened(stage, dtype):
                result, finite = self._within_memory(stage, run, given, _is_finite)
            if finite:
                return result
        raise EngineError(
            f"The {stage} stage gave NaN or infinite values in float32.",
            remedy="Check the plate for extreme values, and the weights with `gvm weights verify`.",
        )

    @contextmanager
    def _widened(self, stage: str, dtype: torch.dtype) -> Iterator[None]:
        """Hold a network in float32; going back is exact, for every value came from `dtype`."""
        network = self.networks[stage]
        try:
            self.residence.ready(stage)  # its own copy comes, before it is another
            network.float()
            yield
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            raise exhausted(f"The {stage} network in float32", str(error), self._free()) from error
        finally:
            network.to(dtype)

    def _within_memory(
        self, stage: str, run: Run, given: Image | Tensor, then: Callable[[Tensor], _T]
    ) -> tuple[Tensor, _T]:
        said = ""
        for _ in self._ladder():
            try:
                with self._not_lost(stage):
                    self.residence.ready(stage)
                    with torch.inference_mode():
                        made = self._once(stage, run, given)
                        return made, then(made)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    if is_of_compiling(error):
                        raise not_compiled(self._backend, error) from error
                    raise
                said = str(error)
            gc.collect()
            empty_cache(self.placement.device)
            log.warning("%s ran out of memory: %s", stage, said)
        shape = " x ".join(str(side) for side in given.shape)
        raise exhausted(f"The {stage} stage on {shape} values", said, self._free())

    def _ladder(self) -> Iterator[None]:
        """Yield before each attempt, reducing more each time.

        Attention with fewer queries at a time is no step of it: it saves 56 MiB a copy of the
        scores and rounds otherwise.
        """
        yield
        tries = 0
        while self._reduced():
            tries += 1
            yield
        if not tries:  # what the failed attempt held is free now
            yield

    def _reduced(self) -> bool:
        """Hold less from now on; return whether there was anything."""
        unet = self.networks["denoise"]
        if isinstance(unet, Graphed) and unet.give_up("memory ran out"):
            return True
        return self.residence.tighten()

    def _once(self, stage: str, run: Run, given: Image | Tensor) -> Tensor:
        network = self.networks[stage]
        dtype = next(network.parameters()).dtype
        value = given.to(dtype) if isinstance(given, Tensor) else self.copies.up(given, dtype)
        if self.placement.images_last(stage):
            value = value.contiguous(memory_format=torch.channels_last)
        try:
            return run(network, value)
        except RuntimeError as error:
            if not is_of_compiling(error) or not drop_kernels():
                raise
            self._aloud("The kernels that were kept cannot be used; they are compiled again.")
        torch.compiler.reset()
        return run(network, value)

    def _moved(self, stage: str) -> None:
        network = self.networks[stage]
        if isinstance(network, Graphed):
            network.forget()

    @contextmanager
    def _not_lost(self, stage: str) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            if lost_its_context(error):
                raise _lost(stage, error) from error
            raise

    def _free(self) -> str:
        free = free_bytes(self.placement.device)
        return "" if free is None else f", {free / 2**30:.2f} GiB were free"

    def _aloud(self, sentence: str) -> None:
        log.warning(sentence)
        self._say(sentence)


class _Guarded:
    """An arrival by which a lost device is said."""

    def __init__(self, arrival: Arrival, guard: Callable[[], AbstractContextManager[None]]) -> None:
        self._arrival, self._guard = arrival, guard

    def take(self) -> Image:
        with self._guard():
            return self._arrival.take()


def _is_finite(result: Tensor) -> bool:
    return bool(result.isfinite().all())


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _lost(stage: str, error: RuntimeError) -> DeviceLost:
    return DeviceLost(
        f"The device failed in the {stage} stage ({first_line(error)}); only a new server"
        " can use it again.",
        remedy="If it comes again, see the driver's log, or run on another device.",
    )


def exhausted(what: str, said: str, free: str = "") -> EngineError:
    """Return the error that says that memory ran out, with what the device said."""
    return EngineError(
        f"{what} ran out of memory{free} ({said.splitlines()[0] if said else 'no details'}).",
        remedy=_REMEDY,
        code=ErrorCode.OUT_OF_MEMORY,
    )
