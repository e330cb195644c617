"""The two embedded networks, run by onnxruntime: a person's alpha in a small picture.

The nets are MediaPipe Selfie Segmentation's (Apache-2.0, see NOTICE) as
`tests/tools/convert_preview_weights.py` converts them. A session has one thread: its result does
not depend on how many there are (`test_preview_nets.py` holds that), but its idle workers would
spin after each run. Several threads may call one session at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gvm_client.errors import EngineError, ErrorCode
from gvm_server.matting.engines.base import Image

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True, kw_only=True, slots=True)
class Net:
    """One of the two published networks and the size in pixels that it was trained at."""

    name: str
    height: int
    width: int

    @property
    def weights(self) -> Path:
        """Its graph and weights, as package data."""
        return WEIGHTS / f"{self.name}.onnx"


SQUARE = Net(name="square", height=256, width=256)
LANDSCAPE = Net(name="landscape", height=144, width=256)
NETS = (SQUARE, LANDSCAPE)


class Nets:
    """Both networks, loaded.

    Args:
        threads: of each run; more than one gains next to nothing at these sizes.
    """

    def __init__(self, threads: int = 1) -> None:
        self._sessions: Mapping[Net, InferenceSession] = {
            net: _session(net, threads) for net in NETS
        }

    def see(self, net: Net, pictures: Image) -> Image:
        """Return alphas [N, height, width] in 0..1 of pictures [N, 3, height, width], sRGB 0..1."""
        # One by one: as fast as together, and a run's memory, which stays, is one picture's.
        run = self._sessions[net].run
        alphas = [run(None, {"image": picture[np.newaxis]})[0] for picture in pictures]
        return np.concatenate(alphas, axis=0, dtype=np.float32)[:, 0]


def _session(net: Net, threads: int) -> InferenceSession:
    import onnxruntime  # noqa: PLC0415 - heavy

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = ["CPUExecutionProvider"]
    return onnxruntime.InferenceSession(net.weights, options, providers=providers)


@cache
def weights_digest() -> str:
    """Return 8 hexadecimal digits that tell the weights apart.

    Raises:
        EngineError: the package was installed without them.
    """
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
