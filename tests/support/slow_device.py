"""A device on which copies end only when somebody waits for them, and a graph that is a recording.

They stand for CUDA's streams, events and graphs on the CPU: what looks too early sees NaN, and what
writes too early is found out.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Later:
    """An event: what it stands for happens when it is waited for."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work: Callable[[], None] | None = work

    @property
    def is_done(self) -> bool:
        """Whether somebody has waited for it."""
        return self._work is None

    def synchronize(self) -> None:
        """Do the work, once."""
        work, self._work = self._work, None
        if work is not None:
            work()


class SlowLanes:
    """Streams for copies, as `copies.Lanes` has them.

    Attributes:
        made: the sizes of the pinned memory that was asked for.
        most: how many copies home were on their way at the same time.
    """

    def __init__(self) -> None:
        self.made: list[int] = []
        self.most = 0
        self._events: list[Later] = []
        self._home: list[Later] = []

    def pinned(self, count: int) -> Tensor:
        """Return memory in which nothing lies yet."""
        self.made.append(count)
        return torch.full((count,), torch.nan)

    def send(self, host: Tensor) -> tuple[Tensor, Later]:
        """Copy; whoever writes to the source before the event is found out."""
        value = host.clone()

        def check() -> None:
            assert torch.equal(host, value), "written while its copy was running"

        event = Later(check)
        self._events.append(event)
        return value, event

    def fetch(self, value: Tensor, host: Tensor) -> Later:
        """Copy at the event; until then NaN lies there."""
        taken = value.clone()
        with torch.inference_mode():
            host.fill_(torch.nan)

        def arrive() -> None:
            with torch.inference_mode():
                host.copy_(taken)

        event = Later(arrive)
        self._home.append(event)
        self.most = max(self.most, sum(not one.is_done for one in self._home))
        return event

    def finish(self) -> None:
        """End all copies to the device."""
        for event in self._events:
            event.synchronize()


class Recording:
    """A graph: runs its network on the weights that lay there when it was recorded."""

    made = 0

    def __init__(self, network: nn.Module, window: Tensor, noise: Tensor | None) -> None:
        type(self).made += 1
        self._network = network
        self._places = [parameter.data_ptr() for parameter in network.parameters()]
        self.runs = 0
        self.has_ended = False

    def run(self, window: Tensor, noise: Tensor | None) -> Tensor:
        """Run it; weights that were moved away are what a graph would read garbage from."""
        places = [parameter.data_ptr() for parameter in self._network.parameters()]
        assert places == self._places, "replayed after its weights had moved"
        assert not self.has_ended, "replayed after it had ended"
        self.runs += 1
        made: Tensor = self._network(window, noise)
        return made

    def end(self) -> None:
        """Take no run any more."""
        self.has_ended = True
