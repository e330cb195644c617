"""Alpha files that cannot be made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gvm_client.errors import ErrorCode, OutputError
from gvm_client.settings import Depth
from gvm_server.media.alphas import exr
from gvm_server.media.alphas.stamp import Fingerprint
from gvm_server.media.file_access import Roots
from gvm_server.media.geometry import Box, FrameHeader
from gvm_server.media.outputs.alpha_files import AlphaFiles
from gvm_server.media.outputs.sinks import Alpha, FileSink
from gvm_server.media.store.cache import DiskCache

BOX = Box(x=0, y=0, width=8, height=6)
ALPHA = Alpha(
    frame=1001,
    fingerprint=Fingerprint(bytes(16), ""),
    pixels=np.zeros((6, 8), np.float32),
    header=FrameHeader(display=BOX, data=BOX),
    attributes={},
)


def test_a_file_that_the_library_cannot_make_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It never gets its name, and the reason is told (fault injected)."""

    def refuses(planes: object, header: object, *, half: bool) -> bytearray:
        raise OSError("no memory for a line")

    monkeypatch.setattr(exr, "file_bytes", refuses)
    (tmp_path / "out").mkdir()
    files = AlphaFiles.of(str(tmp_path / "out"), plate_name="/p/plate.%04d.exr", roots=Roots())
    sink = FileSink(files, depth=Depth.HALF, cache=DiskCache(tmp_path / "cache", 2**20))
    with pytest.raises(OutputError, match="no memory for a line") as caught:
        sink.put(ALPHA)
    assert caught.value.code is ErrorCode.OUTPUT_UNWRITABLE
    assert list((tmp_path / "out").iterdir()) == []
    monkeypatch.undo()
    sink.put(ALPHA)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["plate.1001.exr"]
