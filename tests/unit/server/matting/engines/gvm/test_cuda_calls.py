"""What is called on CUDA, in which order, by a stand-in for it: no card is wanted.

That the calls do on a card what they are called for is not tested here; `test_gpu.py` does where
there is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor, nn

from gvm_server.matting.engines.gvm.copies import CudaLanes
from gvm_server.matting.engines.gvm.graphs import CudaGraph

CPU = torch.device("cpu")


class Stream:
    """A stream whose calls are written down."""

    def __init__(self, log: list[str], name: str) -> None:
        self.log, self.name = log, name

    def wait_stream(self, other: Stream) -> None:
        """Write it down."""
        self.log.append(f"{self.name} waits for {other.name}")

    def record_event(self) -> str:
        """Write it down."""
        self.log.append(f"event on {self.name}")
        return f"event of {self.name}"


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put stand-ins into `torch.cuda`; return what is called."""
    said: list[str] = []
    main, names = Stream(said, "main"), iter(("first", "second"))

    @contextmanager
    def on(stream: Stream) -> Iterator[None]:
        said.append(f"on {stream.name}")
        yield
        said.append(f"off {stream.name}")

    @contextmanager
    def capture(graph: Graph, *, stream: Stream, capture_error_mode: str) -> Iterator[None]:
        said.append(f"record on {stream.name}, {capture_error_mode}")
        yield
        said.append("recorded")

    class Graph:
        def replay(self) -> None:
            said.append("replay")

        def reset(self) -> None:
            said.append("reset")

    copy = Tensor.copy_

    def copied(self: Tensor, source: Tensor, non_blocking: bool = False) -> Tensor:  # noqa: FBT001, FBT002 - torch's own
        said.append(f"copy{', not waited for' * non_blocking}")
        return copy(self, source)

    monkeypatch.setattr(torch.cuda, "Stream", lambda _: Stream(said, next(names)))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda _: main)
    monkeypatch.setattr(torch.cuda, "stream", on)
    monkeypatch.setattr(torch.cuda, "graph", capture)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda _: said.append("wait for all"))
    monkeypatch.setattr(
        Tensor, "record_stream", lambda _, stream: said.append(f"memory is {stream.name}'s too")
    )
    monkeypatch.setattr(Tensor, "copy_", copied)
    return said


def test_what_goes_up_is_made_on_its_stream_and_main_waits_for_it(log: list[str]):
    """Its memory is main's too, or the allocator would give it away while main reads it."""
    value, event = CudaLanes(CPU).send(torch.ones(3))
    assert torch.equal(value, torch.ones(3))
    assert event == "event of first"
    assert log == [
        "on first",
        "event on first",
        "off first",
        "main waits for first",
        "memory is main's too",
    ]


def test_what_comes_home_waits_for_main_and_has_its_event(log: list[str]):
    """Main does not wait for it; its memory is the other stream's too."""
    home = torch.zeros(3)
    event = CudaLanes(CPU).fetch(torch.ones(3), home)
    assert torch.equal(home, torch.ones(3))
    assert event == "event of second"
    assert log == [
        "second waits for main",
        "on second",
        "copy, not waited for",
        "off second",
        "memory is second's too",
        "event on second",
    ]


def test_a_graph_is_recorded_after_warm_ups_and_replayed_on_copies(log: list[str]):
    """On a stream of its own; what it gave is copied out, for the next run writes it again."""

    class Counts(nn.Module):
        def forward(self, window: Tensor, noise: Tensor) -> Tensor:
            log.append("run")
            return window + noise

    window, noise = torch.ones(2), torch.ones(2)
    graph = CudaGraph(Counts(), window, noise)
    assert log == [
        "first waits for main",
        "on first",
        *["run"] * 3,
        "off first",
        "main waits for first",
        "record on first, thread_local",
        "run",
        "recorded",
    ]
    log.clear()
    first = graph.run(window, noise)
    assert log == ["copy", "copy", "replay"]
    assert first.data_ptr() != graph.run(window, noise).data_ptr()
    log.clear()
    graph.end()
    assert log == ["wait for all", "reset"]
