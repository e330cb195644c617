"""What an engine is: pure functions, a revision for the keys, a rule for its working size.

- They keep no state between calls: the same window gives the same bits, whatever ran before.
- `encode` sees one frame; `denoise` and `decode` see one whole window and the engine's `reach`.
- An `EngineInfo` costs nothing to make: keys are computed without loading a model.

Neither numpy nor PyTorch is imported here: the registry is asked where they are not installed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from gvm_client.errors import EngineError
from gvm_client.settings import ModelSettings, WindowSettings
from gvm_server.matting.engines.machine import Machine
from gvm_server.matting.engines.maker import Maker

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gvm_server.matting.working_size import WorkingSize

Image: TypeAlias = "NDArray[np.float32]"

# ITU-R BT.709-6, section 3.2: luma of the display-referred R, G, B that engines see.
LUMA = (0.2126, 0.7152, 0.0722)


@dataclass(frozen=True, slots=True)
class Licence:
    """Under which terms an engine's weights, and so its mattes, are used.

    Attributes:
        name: `academic`, `commercial`, `unknown`, or a licence's own name.
        is_commercial: whether commercial work is within them.
    """

    name: str
    is_commercial: bool


ACADEMIC = Licence("academic", is_commercial=False)
COMMERCIAL = Licence("commercial", is_commercial=True)
UNKNOWN = Licence("unknown", is_commercial=False)
APACHE = Licence("Apache-2.0", is_commercial=True)

ALL = slice(None)


class DeviceLost(EngineError):
    """The device failed in a way that leaves this process without it, for every job."""


class Latent(Protocol):
    """One frame as an engine encodes it; only the engine looks inside."""

    @property
    def nbytes(self) -> int:
        """The memory that it holds."""
        ...


class Engine(Protocol):
    """A loaded model."""

    def encode(self, frame: Image) -> Latent:
        """Encode one frame: [3, h, w] float32, display-referred sRGB 0..1, padded working size."""
        ...

    def denoise(self, latents: Sequence[Latent], *, steps: int) -> Sequence[Latent]:
        """Turn the latents of one window, and of the frames around it, into alpha latents."""
        ...

    def decode(
        self, latents: Sequence[Latent], *, chunk: int, halo: int, own: slice = ALL
    ) -> Image:
        """Turn the T alpha latents that `denoise` gave into alphas: [T, h, w] float32, 0..1.

        Args:
            latents: of the window's frames and those around it.
            chunk: consecutive frames decoded together.
            halo: frames decoded on each side of a chunk and thrown away.
            own: of the latents, those whose alphas are returned: the others are the engine's reach.
                An engine without reach is asked for all.
        """
        ...

    def release(self) -> None:
        """Give the device's memory back; the engine is not used after.

        But one whose frames are encoded ahead, on several threads (`EngineInfo.parallel`), is asked
        for those that jobs have begun.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineInfo:
    """What is known of an engine, for a request and this machine, before it is loaded.

    Attributes:
        name: the word a request uses.
        revision: code version and weights hash; part of every key.
        maker: what makes its results here: device, types, libraries, processor (`maker.py`). Cheap
            after the first call, which loads PyTorch where a GPU has to be asked for its name; it
            raises EngineError where the device is not there.
        preview: whether its mattes are preview grade.
        draft: whether it computes in a type that soft edges suffer from; its label says so.
        spread: sigma of the blur that its alphas have, in working pixels: `gvm measure-spread`
            measures it. Too small a one leaves edges soft, too large a one sharpens them falsely.
        pad_multiple: both sides of the padded working frame are multiples of this.
        licence: of its weights.
        load: makes the model; heavy. It calls back with sentences that say how far it is.
        notes: what the artist should know, in whole sentences.
        precision_of: which word of the maker says the type that its network computes in; "" is
            float32.
        fit: returns the settings with the largest window that memory has room for, and a sentence
            about it; None where it needs so little that any window fits.
        for_job: returns the same engine as a job of a window and some working sizes runs it, with
            those faster ways that were held to the plain way at these sizes; its maker and its
            notes say so. None where there are none to try.
        reach: frames on each side of a window that the engine is given besides, of the same shot,
            and whose alphas are thrown away; at most what `EngineName` says of it.
        parallel: whether `encode` may run on several threads at once; each call keeps to its own.
        sees_parts: whether what it says of a part of a frame alone is worth more than what it said
            of the whole; `--refine tiles` looks at parts.
        temporal: whether a frame's alpha depends on the window that it is in. Where it does not,
            `reach` says all that the engine sees besides, and each frame is a window of its own.
    """

    name: str
    revision: str
    maker: Callable[[], Maker]
    preview: bool
    spread: float
    pad_multiple: int
    licence: Licence
    load: Callable[[Callable[[str], None]], Engine]
    notes: tuple[str, ...] = ()
    precision_of: str = ""
    fit: Callable[[WindowSettings, WorkingSize], tuple[WindowSettings, str]] | None = None
    for_job: Callable[[WindowSettings, Sequence[WorkingSize]], EngineInfo] | None = None
    reach: int = 0
    parallel: bool = False
    sees_parts: bool = False
    temporal: bool = True
    draft: bool = False

    @property
    def label(self) -> str:
        """Its name as a result and a status show it."""
        return f"{self.name} (draft)" if self.draft else self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineEntry:
    """What an engine's module gives to the registry, as `ENTRY`; it costs nothing to make.

    Attributes:
        describe: returns what is known of the engine; raises EngineError where it cannot run here.
        limits: all that is known of its limits, in whole sentences.
        gpu_bytes: predicts the memory that a CUDA device must have for a plate of (width, height)
            pixels; it takes the folder of the weights, None for the user's own. Raises EngineError
            where their configuration cannot be read. None where no GPU is wanted.
        host_bytes: predicts, of the same, the host memory that the engine takes besides the frames
            in hand; None where that is little.
    """

    describe: Callable[[ModelSettings, Machine], EngineInfo]
    limits: tuple[str, ...] = ()
    gpu_bytes: Callable[[tuple[int, int], WindowSettings, Path | None], int] | None = None
    host_bytes: Callable[[tuple[int, int], WindowSettings, Path | None], int] | None = None
