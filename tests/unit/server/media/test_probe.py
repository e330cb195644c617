"""What is no file, or does not answer, is refused before a library opens it."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from gvm_client.errors import ErrorCode, InputError
from gvm_server.media import probe
from gvm_server.media.alphas.exr import read_alpha_file
from gvm_server.media.plates.image import ImageFile, read_header
from gvm_server.media.probe import probe_file, probe_folder


def test_a_pipe_in_the_plates_place_freezes_nobody(tmp_path: Path):
    """OpenImageIO would wait for its writer, with Python's lock held."""
    os.mkfifo(pipe := tmp_path / "plate.0003.exr")
    with pytest.raises(InputError, match=r"plate\.0003\.exr .* a pipe") as caught:
        read_header(ImageFile(path=pipe, frame=3, layer=""))
    assert (caught.value.code, caught.value.frame) == (ErrorCode.PLATE_UNREADABLE, 3)
    with pytest.raises(InputError, match="a pipe"):
        read_alpha_file(pipe)


def test_other_things_that_are_no_files_are_named(tmp_path: Path):
    """With what they are; what is not there is left to whoever opens it."""
    (tmp_path / "a.exr").mkdir()
    with pytest.raises(InputError, match="a folder"):
        probe_file(tmp_path / "a.exr")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        with pytest.raises(InputError, match="a socket"):
            probe_file(tmp_path / "s")
    with pytest.raises(InputError, match="a device"):
        probe_file(Path("/dev/zero"))
    probe_file(tmp_path / "none")
    probe_folder(tmp_path / "none")


def test_a_share_that_does_not_answer_ends_the_read_with_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """And leaves the reader free for other jobs; the file is served when the share is back."""
    path = tmp_path / "plate.0001.exr"
    path.write_bytes(b"x" * 100)
    back = threading.Event()
    real = Path.stat

    def stalled(self: Path, **words: bool) -> os.stat_result:
        assert self not in (path, tmp_path) or back.wait(10)
        return real(self, **words)

    monkeypatch.setattr(Path, "stat", stalled)
    for look, place in ((probe_file, path), (probe_folder, tmp_path)):
        begun = time.monotonic()
        with pytest.raises(InputError, match=r"not answered for 0\.1 s") as caught:
            look(place, seconds=0.1)
        assert time.monotonic() - begun < 5
        assert caught.value.path == str(place)
    back.set()
    probe_file(path, seconds=5)
    assert probe.STALL_SECONDS >= 10  # a disk that wakes is no stall
