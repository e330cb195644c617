"""The preview engine: one person's matte from a small embedded network, on any machine.

1. A frame's alpha depends on that frame alone: there is no smoothing over time.
2. `encode` does all the work; `denoise` gives its latents back; `decode` stacks them.
3. It runs on one thread: its results would otherwise depend on how many there are, and at its 256
   pixels a second thread gains next to nothing.
4. The network looks twice: at the frame, then at the box around what it found there. Outside the
   box, and where the first look finds nobody, alpha is 0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from gvm_client.errors import EngineError, ErrorCode
from gvm_server.matting.engines.base import EngineInfo, Image, Latent
from gvm_server.matting.engines.machine import resolved_device
from gvm_server.matting.engines.maker import Maker, host_maker, torch_maker

if TYPE_CHECKING:
    from torch import Tensor

    from gvm_server.matting.engines.preview.network import PersonNetwork

# Working pixels; three clips at three sizes measured 0.35 to 0.7, and too large a spread sharpens
# falsely. (`gvm measure-spread`, November 2026.)
SPREAD = 0.35
CODE_VERSION = 2  # part of the keys: counts up when an alpha may change
FOUND = 0.5  # an alpha above this is taken for the person when the box is drawn
# Of the box's longer side. Mean error x 1e3 over a keyed clip and two mattes of a stronger network:
# 8.7 to 8.9 for margins from 0.06 to 0.12; one look alone 20.6. (x86-64, November 2026.)
MARGIN = 0.1
# The network's alphas that become 0 and 1, for it is hardly ever wholly sure. They lower the same
# mean error from 8.7 to 8.4.
BLACK, WHITE = 0.1, 0.9
WEIGHTS = Path(__file__).parent / "weights"
NOTE = "The preview engine makes a garbage or core matte of one person, without hair."
LIMITS = (  # all that is known of them, for whoever asks
    "A further person in a frame may be half transparent.",
    "It draws no hair strands, drops what a person holds, and fills the gaps under arms.",
    "Its matte is for a first look, not the GVM model's.",
    "It sees each frame alone: steps, windows and overlap change nothing.",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Net:
    """One of the two published networks and the size in pixels that it was trained at."""

    name: str
    height: int
    width: int

    @property
    def weights(self) -> Path:
        """Its weights, as package data."""
        return WEIGHTS / f"{self.name}.safetensors"


SQUARE = Net(name="square", height=256, width=256)
LANDSCAPE = Net(name="landscape", height=144, width=256)
NETS = (SQUARE, LANDSCAPE)


def info(device: str = "cpu") -> EngineInfo:
    """Return what is known of the preview engine; torch is not imported.

    Args:
        device: torch's name of it; part of the maker, for another device rounds otherwise.

    Raises:
        EngineError: the package was installed without its weights.
    """
    return EngineInfo(
        name="preview",
        revision=f"preview-{CODE_VERSION}-{_weights_digest()}",
        maker=cache(partial(_maker, device)),
        preview=True,
        spread=SPREAD,
        pad_multiple=1,
        load=lambda say: _load(device, say),
        notes=(NOTE,),
    )


def load_network(net: Net, device: str = "cpu") -> PersonNetwork:
    """Return one of the two networks, ready to run in float32."""
    from safetensors.torch import load_file  # noqa: PLC0415 - torch comes in with it

    from gvm_server.matting.engines.preview.network import PersonNetwork  # noqa: PLC0415 - the same

    network = PersonNetwork()
    network.load_state_dict(load_file(net.weights))
    return network.eval().requires_grad_(requires_grad=False).to(device)


class PreviewEngine:
    """The two networks, loaded."""

    def __init__(self, device: str = "cpu") -> None:
        self._device = device
        self._networks = {net: load_network(net, device) for net in NETS}

    def encode(self, frame: Image) -> Latent:
        """Return the frame's alpha: [3, h, w] sRGB in 0..1 becomes [h, w] in 0..1."""
        import torch  # noqa: PLC0415 - heavy

        with _one_thread(), torch.inference_mode():
            picture = torch.tensor(frame, device=self._device)[None]
            height, width = frame.shape[1:]
            coarse = self._look(picture, LANDSCAPE if width > height else SQUARE)
            alpha = torch.zeros_like(coarse)
            box = person_box(coarse.cpu().numpy())
            if box is not None:
                alpha[box] = self._look(picture[:, :, box[0], box[1]], SQUARE)
            return cast("Image", alpha.cpu().numpy())

    def denoise(self, latents: Sequence[Latent], *, steps: int) -> Sequence[Latent]:
        """Return the latents as they are: nothing is denoised, whatever `steps` says."""
        del steps
        return latents

    def decode(self, latents: Sequence[Latent], *, chunk: int, halo: int) -> Image:
        """Stack the window's alphas to [T, h, w]; chunk and halo change nothing."""
        del chunk, halo
        return np.stack(cast("Sequence[Image]", latents))

    def release(self) -> None:
        """Drop the networks (1 MB)."""
        self._networks.clear()

    def _look(self, picture: Tensor, net: Net) -> Tensor:
        """Return the alpha [h, w] that a net sees in a picture [1, 3, h, w]."""
        from torch.nn.functional import interpolate  # noqa: PLC0415 - heavy

        small = interpolate(picture, (net.height, net.width), mode="bilinear", antialias=True)
        alpha = self._networks[net](small)
        alpha = interpolate(alpha, picture.shape[2:], mode="bilinear", antialias=True)[0, 0]
        return ((alpha - BLACK) / (WHITE - BLACK)).clamp(0.0, 1.0)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Run PyTorch's operators on the calling thread alone."""
    import torch  # noqa: PLC0415 - heavy

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def person_box(alpha: Image) -> tuple[slice, slice] | None:
    """Return the rows and columns around what was found in [h, w], with a margin; None if empty."""
    found = alpha > FOUND
    if not found.any():
        return None
    rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    longer = int(max(np.ptp(rows), np.ptp(columns))) + 1
    margin = round(MARGIN * longer)
    return _widen(rows, margin), _widen(columns, margin)


def _widen(indices: np.ndarray[tuple[int], np.dtype[np.intp]], margin: int) -> slice:
    return slice(max(0, int(indices[0]) - margin), int(indices[-1]) + 1 + margin)


def _maker(device: str) -> Maker:
    return (*host_maker(), *torch_maker(resolved_device(device)))


def _load(device: str, say: Callable[[str], None]) -> PreviewEngine:
    say(f"Loading the preview network on {device}.")
    return PreviewEngine(device)


@cache
def _weights_digest() -> str:
    """Return 8 hexadecimal digits that tell the weights apart."""
    try:
        weights = [net.weights.read_bytes() for net in NETS]
    except FileNotFoundError as error:
        raise EngineError(
            f"The preview engine's weights are not at {error.filename}.",
            remedy="Install GVM Bridge again; its wheel carries them.",
            code=ErrorCode.ENGINE_UNAVAILABLE,
            path=str(error.filename),
        ) from error
    return hashlib.sha256(b"".join(weights)).hexdigest()[:8]
