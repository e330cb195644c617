"""How values go to a device and come home: plainly, or through pinned memory beside the work.

Both give the same bits. Pinned memory is made once for each of two buffers a way, so that one is
filled while the other's copy still runs; a buffer is written again only when what lay in it has
been taken. Nobody looks at what comes home before its event.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from typing import Protocol

import torch
from torch import Tensor

from gvm_server.errors import first_line
from gvm_server.matting.engines.base import Image
from gvm_server.matting.engines.gvm.placement import Placement, lost_its_context
from gvm_server.matting.engines.machine import Step

_BUFFERS = 2  # a way: one is filled, the other's copy runs


class Arrival(Protocol):
    """A value on its way home."""

    def take(self) -> Image:
        """Wait for it and return it, float32 of its own memory; the same one when asked again."""
        ...


class Copies(Protocol):
    """Takes values to a device and home."""

    def up(self, host: Image, dtype: torch.dtype) -> Tensor:
        """Return a float32 array as a tensor of a type on the device; the array may go then."""
        ...

    def down(self, value: Tensor) -> Arrival:
        """Send a float32 tensor home."""
        ...


class Event(Protocol):
    """A point in a device's work."""

    def synchronize(self) -> object:
        """Wait until the device is past it."""
        ...


class Lanes(Protocol):
    """A device's streams for copies, beside the one that computes."""

    def pinned(self, count: int) -> Tensor:
        """Return float32 values in page-locked host memory; raises RuntimeError."""
        ...

    def send(self, host: Tensor) -> tuple[Tensor, Event]:
        """Copy pinned values to the device; its work from now on waits for them.

        Returns:
            them there, and the event after which the pinned ones may be written again.
        """
        ...

    def fetch(self, value: Tensor, host: Tensor) -> Event:
        """Copy values, when the device's work so far has made them, into pinned memory."""
        ...


@dataclass(frozen=True, slots=True)
class _Arrived:
    value: Image

    def take(self) -> Image:
        return self.value


class PlainCopies:
    """Copies that are done when they return."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def up(self, host: Image, dtype: torch.dtype) -> Tensor:
        """See `Copies.up`."""
        return torch.from_numpy(host).to(self._device, dtype)

    def down(self, value: Tensor) -> Arrival:
        """See `Copies.down`."""
        return _Arrived(value.cpu().numpy())


class _Arriving:
    """What lies in a buffer until it is taken."""

    def __init__(self, held: Tensor, event: Event) -> None:
        self._held: Tensor | None = held
        self._event = event
        self._value: Image | None = None

    def take(self) -> Image:
        if self._value is None:
            self._event.synchronize()
            assert self._held is not None  # noqa: S101 - for the type: it goes when it is taken
            self._value = self._held.numpy().copy(order="K")
            self._held = None
        return self._value


class _Buffer:
    """Pinned memory as large as the largest value so far, and who may still need it."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._memory = torch.empty(0)
        self.free: Callable[[], object] = lambda: None

    def hold(self, like: Tensor) -> Tensor:
        """Wait until it may be written, and return as much of it as a value takes.

        It lies there as a copy of the value would: a kernel's choice follows the strides too.
        """
        self.free()
        self.free = lambda: None
        count = like.numel()
        if self._memory.numel() < count:
            self._memory = torch.empty(0)  # before the larger one is made
            self._memory = self._lanes.pinned(count)
        return self._memory.as_strided(like.shape, torch.empty_like(like, device="meta").stride())


class PinnedCopies:
    """Copies that run beside the work of a device.

    Args:
        lanes: of the device.
        plain: is taken for good where no memory can be pinned.
        aloud: is told so.
    """

    def __init__(self, lanes: Lanes, plain: Copies, aloud: Callable[[str], None]) -> None:
        self._lanes, self._plain, self._aloud = lanes, plain, aloud
        self._ups = cycle([_Buffer(lanes) for _ in range(_BUFFERS)])
        self._downs = cycle([_Buffer(lanes) for _ in range(_BUFFERS)])
        self._pins = True

    def up(self, host: Image, dtype: torch.dtype) -> Tensor:
        """See `Copies.up`."""
        source = torch.from_numpy(host)
        buffer = next(self._ups)
        held = self._held(buffer, source)
        if held is None:
            return self._plain.up(host, dtype)
        value, event = self._lanes.send(held.copy_(source))
        buffer.free = event.synchronize
        return value.to(dtype)

    def down(self, value: Tensor) -> Arrival:
        """See `Copies.down`."""
        buffer = next(self._downs)
        held = self._held(buffer, value)
        if held is None:
            return self._plain.down(value)
        arriving = _Arriving(held, self._lanes.fetch(value, held))
        buffer.free = arriving.take
        return arriving

    def _held(self, buffer: _Buffer, like: Tensor) -> Tensor | None:
        if not self._pins:
            return None
        try:
            return buffer.hold(like)
        except RuntimeError as error:
            if lost_its_context(error):
                raise
            self._pins = False
            said = first_line(error, "no details")
            self._aloud(f"No host memory could be pinned ({said}); values are copied plainly.")
            return None


class CudaLanes:
    """A CUDA device's copy streams: one a way, so that neither waits behind the other."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._up: torch.cuda.Stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call] # PyTorch's own is untyped
        self._down: torch.cuda.Stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call] # the same

    def pinned(self, count: int) -> Tensor:
        """See `Lanes.pinned`."""
        return torch.empty(count, pin_memory=True)

    def send(self, host: Tensor) -> tuple[Tensor, Event]:
        """See `Lanes.send`."""
        # Made on the side stream: memory of the main one could still be in use by its work.
        with torch.cuda.stream(self._up):
            value = host.to(self._device, non_blocking=True)
            event: Event = self._up.record_event()
        main = torch.cuda.current_stream(self._device)
        main.wait_stream(self._up)
        value.record_stream(main)
        return value, event

    def fetch(self, value: Tensor, host: Tensor) -> Event:
        """See `Lanes.fetch`."""
        self._down.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._down):
            host.copy_(value, non_blocking=True)
        value.record_stream(self._down)
        event: Event = self._down.record_event()
        return event


def copies_for(placement: Placement, aloud: Callable[[str], None]) -> Copies:
    """Return how a placement's values are copied; memory is pinned for CUDA devices only."""
    plain = PlainCopies(placement.device)
    if Step.PINNED_COPIES in placement.steps and placement.device.type == "cuda":
        return PinnedCopies(CudaLanes(placement.device), plain, aloud)
    return plain
