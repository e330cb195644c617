"""Alpha files as the server writes them, of whatever pixels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gvm_client.file_content import ALPHA
from gvm_client.settings import Depth
from gvm_server.media.alphas.exr import sealed_bytes
from gvm_server.media.atomic_files import put_whole
from gvm_server.media.geometry import FrameHeader
from gvm_server.media.pixels import StoredPixels


def write_alpha(
    path: Path,
    alpha: StoredPixels,
    *,
    header: FrameHeader,
    depth: Depth,
    attributes: Mapping[str, str],
) -> None:
    """Write an alpha [H, W] alone, as the channel `A` with ZIPS."""
    planes = {ALPHA: alpha}
    put_whole(path, sealed_bytes(planes, header=header, depth=depth, attributes=attributes))
