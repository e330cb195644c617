"""Which networks are on the device, when there is no room for all three.

Plainly, all idle ones leave at once, by copies. With the step `pinned-weights` they leave by need,
the largest first, and keep a pinned copy at home: leaving again is free, and coming back is one
copy. Both ways move bytes and no values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, nn

from gvm_server.errors import first_line

# The order in which idle networks leave: the largest first, the decoder, which is next, last.
LEAVING = ("denoise", "encode", "decode")
_NAMES: Mapping[str, str] = {"denoise": "UNet", "encode": "encoder", "decode": "decoder"}

Keep = Callable[[Tensor], Tensor]


def pinned(tensor: Tensor) -> Tensor:
    """Return a copy in page-locked host memory, in the same memory format; raises RuntimeError."""
    home = torch.empty_like(tensor, device="cpu", pin_memory=True)
    return home.copy_(tensor)


class Residence:
    """The networks of a device.

    Args:
        networks: by stage; read anew each time.
        device: that they run on.
        keep: makes a network's copies at home, which are kept; None moves networks as they are.
        moved: is told the stage of a network whose weights are about to lie elsewhere.
        aloud: is told what artists should know.
    """

    def __init__(
        self,
        networks: Mapping[str, nn.Module],
        device: torch.device,
        *,
        keep: Keep | None,
        moved: Callable[[str], None],
        aloud: Callable[[str], None],
    ) -> None:
        self._networks, self._device = networks, device
        self._keep, self._moved, self._aloud = keep, moved, aloud
        self._homes: dict[str, list[Tensor]] = {}
        self._away: set[str] = set()
        self.leaving = 0  # how many idle networks wait at home while another runs

    def tighten(self) -> bool:
        """Have more idle networks leave from now on; return whether there were any."""
        idle = len(LEAVING) - 1
        if self._device.type == "cpu" or self.leaving == idle:
            return False
        self.leaving = idle if self._keep is None else self.leaving + 1
        which = "idle networks now wait" if self.leaving == idle else "an idle network now waits"
        self._aloud(f"Memory ran out: {which} in host memory.")
        return True

    def ready(self, stage: str) -> None:
        """Have a stage's network on the device, and as many idle ones away as there should be."""
        if not self.leaving:
            return
        idle = [name for name in LEAVING if name != stage]
        for name in idle[: self.leaving]:
            if name not in self._away:
                self._leave(name)
        if stage in self._away:
            self._come(stage)

    def forget(self) -> None:
        """Give up the copies at home."""
        self._homes.clear()

    def _leave(self, stage: str) -> None:
        self._moved(stage)
        self._away.add(stage)
        if self._keep is None:
            self._networks[stage].to("cpu")
            return
        if stage not in self._homes:
            self._homes[stage] = self._kept(stage)
        for tensor, home in zip(self._tensors(stage), self._homes[stage], strict=True):
            tensor.data = home

    def _come(self, stage: str) -> None:
        self._moved(stage)
        if stage not in self._homes:
            self._networks[stage].to(self._device)
        else:
            for tensor in self._tensors(stage):
                tensor.data = tensor.data.to(self._device, non_blocking=True)
        self._away.discard(stage)

    def _kept(self, stage: str) -> list[Tensor]:
        assert self._keep is not None  # noqa: S101 - for the type: its caller asked
        tensors = list(self._tensors(stage))
        try:
            return [self._keep(tensor.data) for tensor in tensors]
        except RuntimeError as error:
            said = first_line(error, "no details")
            self._aloud(f"The {_NAMES[stage]} could not be pinned ({said}); it waits as it is.")
        return [tensor.data.cpu() for tensor in tensors]

    def _tensors(self, stage: str) -> Iterator[Tensor]:
        network = self._networks[stage]
        yield from network.parameters()
        yield from network.buffers()
