"""The preview engine: people's matte from a small embedded network, on any machine.

1. `encode` looks at one frame (`looks.py`), on one thread; several frames may be encoded at a time.
2. `denoise` gives its latents back; `decode` makes the edges that stand still steady (`steady.py`).
3. A frame's alpha depends on two frames on each side and on nothing else. The first and
   the last of a sequence lack some: they are thrown away, except where the shot itself ends.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

import cv2
import numpy as np

from gvm_client.engines import EngineName
from gvm_client.errors import EngineError, ErrorCode
from gvm_server.cores import usable_cores
from gvm_server.matting.engines.base import ALL, APACHE, EngineInfo, Image, Latent
from gvm_server.matting.engines.maker import Maker, host_maker, version
from gvm_server.matting.engines.preview.looks import Looks, look
from gvm_server.matting.engines.preview.nets import Nets, weights_digest
from gvm_server.matting.engines.preview.steady import Seen, seen, steady

# Working pixels. Real clips measure 0.5 to 0.7, the more the larger the working size is beside the
# networks' 256 pixels; but on ten composites with a truth 0 and 0.35 err least, and from 0.5 on
# still edges flicker more. (`gvm measure-spread`, `benchmarks/truth/figures.py`, November 2026.)
SPREAD = 0.35
CODE_VERSION = 5  # part of the keys: counts up when an alpha may change
# Of the server's process; read when a job begins.
MANNER = "GVM_PREVIEW_MANNER"
NOTE = "The preview engine makes a garbage or core matte of people, without hair."
LIMITS = (  # all that is known of them, for whoever asks
    "People who stand close together in a frame are looked at as one, which is less exact.",
    "It draws no hair strands, drops what a person holds, and fills the gaps under arms.",
    "Its matte is for a first look, not the GVM model's.",
    "Steps, windows and overlap change nothing: two frames on each side steady a frame's edges.",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Manner:
    """How much is made of the networks.

    Attributes:
        looks: at each frame.
        reach: frames on each side that the mean over time takes in.
    """

    looks: Looks
    reach: int


BEST = "best"
MANNERS = {
    BEST: Manner(looks=Looks(), reach=EngineName.PREVIEW.reach),
    # An edge nearer to the plate's, for about thrice the time: see `matting.py`.
    "matting": Manner(looks=Looks(matting=True), reach=EngineName.PREVIEW.reach),
    # One look in one box around everybody, each frame by itself: what the networks cost at least.
    "single-look": Manner(
        looks=Looks(margins=(0.1,), mirrored=False, lower_border=False, each_part=False),
        reach=0,
    ),
}


def info() -> EngineInfo:
    """Return what is known of the preview engine; onnxruntime is not imported.

    Raises:
        EngineError: the package was installed without its weights, or $GVM_PREVIEW_MANNER is no
            manner.
    """
    name, manner = _manner()
    said = "" if name == BEST else f"-{name}"
    return EngineInfo(
        name="preview",
        revision=f"preview-{CODE_VERSION}-{weights_digest()}{said}",
        maker=_maker,
        preview=True,
        spread=SPREAD,
        pad_multiple=1,
        licence=APACHE,
        load=lambda say: _load(manner, say),
        notes=(NOTE,),
        reach=manner.reach,
        parallel=True,
        temporal=False,
    )


class PreviewEngine:
    """The two networks, loaded.

    Args:
        manner: how much is made of them.
        threads: frames that are made steady at a time.
    """

    def __init__(self, manner: Manner = MANNERS[BEST], *, threads: int = 1) -> None:
        self._manner = manner
        self._threads = threads
        self._nets = Nets()

    def encode(self, frame: Image) -> Latent:
        """Look at a frame: [3, h, w] sRGB in 0..1."""
        picture = np.asarray(cv2.merge([*frame]), dtype=np.float32)  # [h, w, 3] resizes faster
        return seen(picture, look(picture, self._nets, self._manner.looks))

    def denoise(self, latents: Sequence[Latent], *, steps: int) -> Sequence[Latent]:
        """Return the latents as they are: nothing is denoised, whatever `steps` says."""
        del steps
        return latents

    def decode(
        self, latents: Sequence[Latent], *, chunk: int, halo: int, own: slice = ALL
    ) -> Image:
        """Return the alphas [T, h, w] in 0..1 of T frames; chunk and halo change nothing."""
        del chunk, halo
        frames = cast("Sequence[Seen]", latents)
        if not self._manner.reach:
            return np.stack([frame.alpha for frame in frames[own]])
        return steady(frames, self._threads, own)

    def release(self) -> None:
        """Do nothing: the networks (1 MB) go with the last frame that is still to be looked at."""


def _manner() -> tuple[str, Manner]:
    name = os.environ.get(MANNER) or BEST
    if name not in MANNERS:
        raise EngineError(
            f"{MANNER} is {name!r}; there are {', '.join(MANNERS)}.",
            remedy=f"Unset {MANNER}.",
            code=ErrorCode.ENGINE_UNAVAILABLE,
        )
    return name, MANNERS[name]


@cache
def _maker() -> Maker:
    return (*host_maker(), ("onnxruntime", version("onnxruntime")), ("device", "cpu"))


def _load(manner: Manner, say: Callable[[str], None]) -> PreviewEngine:
    say("Loading the preview network on cpu.")
    return PreviewEngine(manner, threads=usable_cores())
