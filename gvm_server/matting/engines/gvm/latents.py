"""Latents that stay on the device from encode through denoise to decode.

What a cache keeps of a frame is its copy at home; the tensor on the device goes when the frames of
two windows came after it, and is copied there again where it is still wanted. Which of the two is
taken is nothing that a matte could show: they hold the same bits.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

import numpy as np
import torch
from numpy.typing import DTypeLike
from torch import Tensor

from gvm_client.errors import EngineError
from gvm_client.settings import LARGEST_FITTED_WINDOW
from gvm_server.matting.engines.base import DeviceLost, Image

log = logging.getLogger(__name__)

LARGEST_COUNT = 2 * LARGEST_FITTED_WINDOW  # frames whose latents stay: two windows
_UNSETTLED = 2  # encoded frames that nobody has looked at yet: one copies, the other computes


class Flight(Protocol):
    """A stage's result on its way home.

    Attributes:
        mended: what it was made again as when it landed, on the device; None where it was not.
    """

    mended: Tensor | None

    def land(self) -> Image:
        """Wait for it and return it, proven finite.

        Raises:
            EngineError: it is not finite, or the device failed.
        """
        ...


class DeviceLatent:
    """One frame's latent [C, h, w] float32.

    Attributes:
        nbytes: of its copy at home.
    """

    def __init__(self, value: Tensor, flight: Flight | None = None) -> None:
        self.nbytes = value.nbytes
        self._value: Tensor | None = value
        self._flight = flight
        self._home: Image | None = None

    def settle(self) -> None:
        """Wait until it is known to be finite; its copy is at home then.

        Raises:
            EngineError: see `Flight.land`; asked again, it is tried again.
        """
        if self._flight is not None:
            self._home = self._flight.land()[0]
            if self._flight.mended is not None:
                self._value = self._flight.mended[0]
            self._flight = None

    def leave(self) -> None:
        """Give the device's memory back."""
        self.settle()
        self._home = self.__array__()
        self._value = None

    def on(self, device: torch.device) -> Tensor:
        """Return it on a device, settled."""
        self.settle()
        if self._value is not None and self._value.device.type == device.type:
            return self._value
        return torch.from_numpy(self.__array__()).to(device)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Image:  # noqa: FBT001 - numpy's protocol
        """Return it at home, settled; numpy asks for it."""
        self.settle()
        if self._home is None:
            assert self._value is not None  # noqa: S101 - for the type: one of the two is there
            self._home = self._value.cpu().numpy()
        return np.array(self._home, dtype=dtype) if dtype or copy else self._home


class Staying:
    """The latents that an engine has on its device, no more than two windows' frames."""

    def __init__(self) -> None:
        self._there: deque[DeviceLatent] = deque()
        self._unsettled: deque[DeviceLatent] = deque()

    def add(self, latent: DeviceLatent) -> DeviceLatent:
        """Have an encoded frame's latent stay; one of those before it is settled.

        Raises:
            DeviceLost: the device failed meanwhile. Whatever else is wrong with another frame is
                said to whoever asks for that one: it may be another job's.
        """
        self._there.append(latent)
        self._unsettled.append(latent)
        while len(self._unsettled) >= _UNSETTLED:
            _quietly(self._unsettled.popleft().settle)
        while len(self._there) > LARGEST_COUNT:
            _quietly(self._there.popleft().leave)
        return latent

    def leave(self) -> None:
        """Bring all home; one that cannot come fails when it is asked for."""
        for latent in self._there:
            with suppress(EngineError):
                latent.leave()
        self._there.clear()
        self._unsettled.clear()


def _quietly(do: Callable[[], None]) -> None:
    try:
        do()
    except DeviceLost:
        raise
    except EngineError as error:
        log.debug("A latent that nobody asked for yet: %s", error)


def on_device(latents: Sequence[object], device: torch.device) -> Tensor:
    """Return [T, C, h, w] contiguous on the device: a kernel's choice follows the format too."""
    there = [
        latent.on(device)
        if isinstance(latent, DeviceLatent)
        else torch.from_numpy(np.asarray(latent)).to(device)
        for latent in latents
    ]
    return torch.stack(there).contiguous()


def at_home(latents: Sequence[object]) -> Image:
    """Return [T, C, h, w] in host memory."""
    return np.stack([np.asarray(latent) for latent in latents])
