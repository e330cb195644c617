"""The memory that a farm's host must have for a task: what its server will hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import TypeAlias

from gvm_client.protocol.messages import Matte
from gvm_client.settings import Refine, WindowSettings
from gvm_client.windows import Plan
from gvm_server.cores import READERS, WRITERS
from gvm_server.matting.engines.gvm.config import PAD_MULTIPLE
from gvm_server.matting.engines.registry import entry_of
from gvm_server.matting.region import ShotView
from gvm_server.matting.resources import FramesInHand
from gvm_server.matting.working_size import working_size
from gvm_server.media.geometry import Box
from gvm_server.settings import LATENT_LIMIT_BYTES

MIB = 1 << 20
SERVER_BYTES = 320 * MIB  # libraries, the engine's net and the task's own process; measured
ModelBytes: TypeAlias = Callable[[tuple[int, int], WindowSettings, Path | None], int]
"""What a model takes for a plate of (width, height), a window and weights."""
HEADROOM = 0.8  # of what a host gives; the rest is the allocator's and the file system's


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What the model sees at most of a clip.

    Attributes:
        canvas: the clip's.
        view: the whole canvas; or a region that is seen with more pixels than that.
    """

    canvas: Box
    view: ShotView

    @classmethod
    def of(cls, request: Matte, size: tuple[int, int], views: Iterable[ShotView] = ()) -> Seen:
        """Return it of a plate of (width, height) pixels; a smaller region needs less than this."""
        width, height = size
        canvas = Box(x=0, y=0, width=width, height=height)
        working = working_size(height, width, request.window, PAD_MULTIPLE)
        whole = ShotView(first=0, seen=canvas, working=working)
        return cls(canvas=canvas, view=max((whole, *views), key=_pixels))

    def model_bytes(self, needed: ModelBytes, window: WindowSettings, weights: Path | None) -> int:
        """Return what the model takes for it.

        Args:
            needed: returns what it takes for a plate of (width, height) and a window.
            window: what is asked for.
            weights: the folder of GVM's weights; None for the user's own.
        """
        if self.view.region is None:
            return needed((self.canvas.width, self.canvas.height), window, weights)
        size = self.view.working.width, self.view.working.height
        return needed(size, replace(window, size=min(size), max_resolution=max(size)), weights)


def _pixels(view: ShotView) -> int:
    return view.working.padded_width * view.working.padded_height


def host_bytes(request: Matte, seen: Seen, weights: Path | None) -> int:
    """Return the memory that a host must have for the tasks of a clip.

    Args:
        request: what is asked for.
        seen: what the model sees at most.
        weights: the folder of GVM's weights; None for the user's own.

    Raises:
        EngineError: the weights' configuration cannot be read.
    """
    plan = Plan.of(request.window, first=0, last=0, reach=request.engine.reach)
    tiled = request.knobs.refine == Refine.TILES
    frames = FramesInHand(view=seen.view, plan=plan, hands=READERS + WRITERS, tiled=tiled)
    own = entry_of(request.engine).host_bytes
    model = seen.model_bytes(own, request.window, weights) if own else 0
    held = frames.nbytes(seen.canvas)
    return ceil((SERVER_BYTES + LATENT_LIMIT_BYTES + held + model) / HEADROOM)
