"""What an engine is: three pure verbs, a revision for the keys, and a rule for its working size.

Laws:
1. The verbs keep no state between calls: the same window gives the same bits, whatever ran before.
2. `encode` sees one frame; `denoise` and `decode` see one whole window.
3. An `EngineInfo` costs nothing to make: keys are computed without loading a model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gvm_client.errors import EngineError
from gvm_client.settings import PlanKind, WindowSettings
from gvm_server.matting.engines.maker import Maker

# Frames decoded on each side of a chunk and thrown away: what the temporal convolutions see most.
SEAMLESS_HALO = 2

Image: TypeAlias = NDArray[np.float32]

# ITU-R BT.709-6, section 3.2: luma of the display-referred R, G, B that engines see.
LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)


class DeviceLost(EngineError):
    """The device failed in a way that leaves this process without it, for every job."""


class Latent(Protocol):
    """One frame as an engine encodes it; only the engine looks inside."""

    @property
    def nbytes(self) -> int:
        """The memory that it holds."""
        ...


class Upsampling(str, Enum):
    """How an engine's alpha comes up to plate size."""

    GUIDED = "guided"
    """Fast guided filter with the plate's luminance."""
    BILINEAR = "bilinear"


class Engine(Protocol):
    """A loaded model."""

    def encode(self, frame: Image) -> Latent:
        """Encode one frame: [3, h, w] float32, display-referred sRGB 0..1, padded working size."""
        ...

    def denoise(self, latents: Sequence[Latent], *, steps: int) -> Sequence[Latent]:
        """Turn the latents of one window into alpha latents."""
        ...

    def decode(self, latents: Sequence[Latent], *, chunk: int, halo: int) -> Image:
        """Turn the alpha latents of one window into alphas: [T, h, w] float32, 0..1.

        Args:
            latents: of the window's frames.
            chunk: consecutive frames decoded together.
            halo: frames decoded on each side of a chunk and thrown away.
        """
        ...

    def release(self) -> None:
        """Give the device's memory back; the engine is not used after."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineInfo:
    """What is known of an engine before it is loaded.

    Attributes:
        name: the word a request uses.
        revision: code version and weights hash; part of every key.
        maker: what makes its results here: device, types, libraries, processor (`maker.py`). Cheap
            after the first call, which loads PyTorch where a GPU has to be asked for its name; it
            raises EngineError where the device is not there.
        preview: whether its mattes are preview grade.
        upsampling: how its alpha comes up to plate size.
        pad_multiple: both sides of the padded working frame are multiples of this.
        load: makes the model; heavy. It calls back with sentences that say how far it is.
        notes: what the artist should know, in whole sentences.
    """

    name: str
    revision: str
    maker: Callable[[], Maker]
    preview: bool
    upsampling: Upsampling
    pad_multiple: int
    load: Callable[[Callable[[str], None]], Engine]
    notes: tuple[str, ...] = ()


def decode_halo(settings: WindowSettings) -> int:
    """Return the halo of a decode chunk; the original program has none."""
    return 0 if settings.plan is PlanKind.REFERENCE else SEAMLESS_HALO
