"""torch.compile on the networks' blocks, which many places share, and not on whole networks.

A network's graph holds every frame's pass through it, and is made again for each count of frames; a
block's is made once for all blocks of its kind and size. A whole graph is wanted of each: what
cannot be compiled is an error, for a block that was silently run as it is would round otherwise
than its maker says.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn

from gvm_client.errors import EngineError
from gvm_server.matting.engines.gvm.blocks import (
    SpatialBlock,
    SpatialResnet,
    TemporalBlock,
    TemporalResnet,
)
from gvm_server.matting.engines.gvm.config import INDUCTOR
from gvm_server.matting.engines.machine import Step

COMPILED = (SpatialResnet, TemporalResnet, SpatialBlock, TemporalBlock)
LARGEST_COUNT = 64  # of graphs of one kind of block: sizes times widths; PyTorch's own is 8


def compile_blocks(network: nn.Module, backend: str, steps: Collection[Step]) -> None:
    """Have a network's blocks compiled when they first run; a backend of "" compiles none.

    Args:
        network: is changed in place.
        backend: of `torch.compile`.
        steps: that are taken; a norm by Triton's kernels stays outside of graphs.

    Raises:
        EngineError: PyTorch has no such backend.
    """
    if not backend:
        return
    config = torch._dynamo.config  # noqa: SLF001 - PyTorch documents it under this name
    limit = "recompile_limit" if hasattr(config, "recompile_limit") else "cache_size_limit"
    setattr(config, limit, max(getattr(config, limit), LARGEST_COUNT))
    if backend == INDUCTOR:
        _choose_without_timing()
    whole = Step.GROUP_NORM not in steps
    for module in network.modules():
        if isinstance(module, COMPILED):
            try:
                module.compile(backend=backend, dynamic=False, fullgraph=whole)
            except RuntimeError as error:
                if not is_of_compiling(error):
                    raise
                raise not_compiled(backend, error) from error


def _choose_without_timing() -> None:
    """Have Inductor take no kernel because it was faster in a trial: another day, other bits."""
    from torch._inductor import config  # noqa: PLC0415 - heavy, and wanted by few

    if hasattr(config, "deterministic"):  # since 2.10
        config.deterministic = True


def is_of_compiling(error: RuntimeError) -> bool:
    """Say whether a block could not be compiled."""
    return isinstance(error, torch._dynamo.exc.TorchDynamoException)  # noqa: SLF001


def not_compiled(backend: str, error: RuntimeError) -> EngineError:
    """Return the error that says so."""
    says = " ".join(str(error).splitlines()[:2]) or type(error).__name__
    return EngineError(
        f"The backend {backend!r} does not compile the networks here ({says}).",
        remedy="Start the server without --compile.",
    )
