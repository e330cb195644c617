"""The memory that a farm's host must have for a task: what its server will hold."""

from __future__ import annotations

from math import ceil
from pathlib import Path

from gvm_client.protocol.messages import Matte
from gvm_client.settings import Refine
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
HEADROOM = 0.8  # of what a host gives; the rest is the allocator's and the file system's


def host_bytes(request: Matte, size: tuple[int, int], weights: Path | None) -> int:
    """Return the memory that a host must have for tasks of a plate of (width, height) pixels.

    Args:
        request: what is asked for.
        size: of the plate's canvas; a region needs less.
        weights: the folder of GVM's weights; None for the user's own.

    Raises:
        EngineError: the weights' configuration cannot be read.
    """
    width, height = size
    canvas = Box(x=0, y=0, width=width, height=height)
    view = ShotView(
        first=0, seen=canvas, working=working_size(height, width, request.window, PAD_MULTIPLE)
    )
    plan = Plan.of(request.window, first=0, last=0, reach=request.engine.reach)
    tiled = request.knobs.refine == Refine.TILES
    frames = FramesInHand(view=view, plan=plan, hands=READERS + WRITERS, tiled=tiled)
    own = entry_of(request.engine).host_bytes
    model = own(size, request.window, weights) if own else 0
    return ceil((SERVER_BYTES + LATENT_LIMIT_BYTES + frames.nbytes(canvas) + model) / HEADROOM)
