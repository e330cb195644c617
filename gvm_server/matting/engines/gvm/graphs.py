"""The UNet as one CUDA graph: its kernels are launched at once, not one by one.

A graph repeats the very kernels that it recorded, on the addresses that they had. So it holds for
one size and one place of the weights: it is dropped when they move or are cast. Its memory is kept
between windows, so there is one at a time, and where memory runs out there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import Parameter

from gvm_server.errors import first_line
from gvm_server.matting.engines.gvm.placement import empty_cache, lost_its_context

_WARM_UPS = 3  # on a side stream, as PyTorch's notes on graphs have it


class Graph(Protocol):
    """A recorded run of a network."""

    def run(self, window: Tensor, noise: Tensor | None) -> Tensor:
        """Run it on values of the recorded size; the result is the caller's own."""
        ...

    def end(self) -> None:
        """Wait for its runs and give its memory up; it is not run after."""
        ...


Record = Callable[[nn.Module, Tensor, Tensor | None], Graph]


class CudaGraph:
    """A network recorded on a CUDA device; see `Graph`."""

    def __init__(self, network: nn.Module, window: Tensor, noise: Tensor | None) -> None:
        self._window = window.clone()
        self._noise = None if noise is None else noise.clone()
        side = torch.cuda.Stream(window.device)  # type: ignore[no-untyped-call] # PyTorch's own is untyped
        main = torch.cuda.current_stream(window.device)
        side.wait_stream(main)
        with torch.cuda.stream(side):
            for _ in range(_WARM_UPS):
                network(self._window, self._noise)
        main.wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        # Other threads ask the device for its free memory meanwhile.
        with torch.cuda.graph(self._graph, stream=side, capture_error_mode="thread_local"):
            self._result: Tensor = network(self._window, self._noise)

    def run(self, window: Tensor, noise: Tensor | None) -> Tensor:
        """See `Graph.run`."""
        self._window.copy_(window)
        if self._noise is not None and noise is not None:
            self._noise.copy_(noise)
        self._graph.replay()
        return self._result.clone()

    def end(self) -> None:
        """See `Graph.end`."""
        with suppress(RuntimeError):  # of a device that is lost, which the next stage says
            torch.cuda.synchronize(self._window.device)
            self._graph.reset()


class Graphed(nn.Module):
    """Stands for a network: runs it by a graph, where that gives its bits.

    A run is recorded when one of its size follows another: sizes that take turns, as a shot's and
    its tiles' do, would be recorded again and again. Both ways run then; a graph that differs, or
    cannot be recorded, is given up aloud, and the result is the plain way's.

    Args:
        network: the UNet.
        record: makes a graph.
        aloud: is told what artists should know.
    """

    def __init__(self, network: nn.Module, record: Record, aloud: Callable[[str], None]) -> None:
        super().__init__()
        self.network = network
        self._record, self._aloud = record, aloud
        self._graphs: dict[object, Graph] = {}
        self._last: object = None
        self.is_on = True

    def forward(self, window: Tensor, noise: Tensor | None) -> Tensor:
        """Map [T, C, h, w] latents, and noise or None, to [T, C, h, w]."""
        form = (_form(window), None if noise is None else _form(noise))
        is_repeated, self._last = form == self._last, form
        if form in self._graphs:
            return self._graphs[form].run(window, noise)
        if not (self.is_on and is_repeated):
            return self.network(window, noise)  # type: ignore[no-any-return] # a module's
        self.forget()
        plain: Tensor = self.network(window, noise)
        self._try(form, plain, window, noise)
        return plain

    def get_parameter(self, target: str) -> Parameter:
        """Return the network's parameter of this name; one that is written in place is seen."""
        return self.network.get_parameter(target)

    def forget(self) -> None:
        """Drop what was recorded, and its memory."""
        for graph in self._graphs.values():
            graph.end()
        self._graphs.clear()

    def give_up(self, why: str) -> bool:
        """Record no more; return whether it did until now."""
        was, self.is_on = self.is_on, False
        self.forget()
        if was:
            self._aloud(f"The GPU step cuda-graphs is not taken any more: {why}.")
        return was

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Graphed:  # noqa: FBT001, FBT002 - PyTorch's own signature
        self.forget()  # `to`, `float` and `half` come this way
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call] # PyTorch's own is untyped
        return self

    def _try(self, form: object, plain: Tensor, window: Tensor, noise: Tensor | None) -> None:
        empty_cache(window.device)  # what the plain way used; the graph has memory of its own
        try:
            graph = self._record(self.network, window, noise)
            same = torch.equal(graph.run(window, noise), plain)
        except RuntimeError as error:
            if lost_its_context(error):
                raise
            why = first_line(error)
            same, why = False, f"it could not be recorded ({why})"
        else:
            why = "its result is not the plain way's"
            if same:
                self._graphs[form] = graph
            else:
                graph.end()
        if not same:
            self.give_up(why)
            empty_cache(window.device)


def _form(value: Tensor) -> object:
    return tuple(value.shape), value.stride(), value.dtype, value.device
