"""Mapped pixel buffers: written whole, read within bounds, deleted by their maker."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gvm_client.errors import ErrorCode, OutputError, RemoteProtocolError
from gvm_client.pixels import UNREAD_SECONDS, PixelBuffer, delete_frame, open_frame, sweep
from gvm_client.protocol.messages import MappedFrame, PixelType

FRAME = MappedFrame(
    frame=1001,
    key="00",
    buffer="b",
    offset=0,
    width=2,
    height=3,
    channels=3,
    pixel_type=PixelType.UINT8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(before=st.binary(max_size=50), pixels=st.binary(min_size=18, max_size=18))
def test_what_is_written_is_what_is_read(tmp_path: Path, before: bytes, pixels: bytes):
    """At any offset, also one that is no multiple of a page."""
    with PixelBuffer.create(tmp_path, len(before) + len(pixels)) as buffer:
        buffer.write(before)
        buffer.write(pixels, offset=len(before))
        frame = replace(FRAME, buffer=buffer.name, offset=len(before))
        with open_frame(tmp_path, frame) as view:
            assert bytes(view) == pixels
            assert view.readonly


def test_a_buffer_is_private_and_goes_with_its_maker(tmp_path: Path):
    """Mode 0600; closing deletes the file."""
    with PixelBuffer.create(tmp_path, 10) as buffer:
        path = tmp_path / buffer.name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.stat().st_blocks > 0  # its space is taken, not promised
        assert len(buffer) == path.stat().st_size == 10
    assert not path.exists()


@pytest.mark.parametrize("offset", [-1, 3, 100])
def test_a_write_past_the_end_is_refused(tmp_path: Path, offset: int):
    """Not a byte is written outside."""
    with PixelBuffer.create(tmp_path, 10) as buffer, pytest.raises(ValueError, match="do not fit"):
        buffer.write(bytes(8), offset=offset)


def test_a_full_disk_is_an_error_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The host gets an error instead of a bus error at its first write."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OutputError) as caught:
        PixelBuffer.create(tmp_path, 10)
    assert caught.value.code is ErrorCode.DISK_FULL
    assert list(tmp_path.iterdir()) == []


def test_without_fallocate_the_space_is_taken_by_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A buffer is whole on macOS too, which has no posix_fallocate."""
    monkeypatch.delattr(os, "posix_fallocate")
    size = (1 << 20) + 7
    with PixelBuffer.create(tmp_path, size) as buffer:
        buffer.write(b"end", offset=size - 3)
        assert (tmp_path / buffer.name).read_bytes()[-4:] == b"\0end"


def test_a_missing_buffer_is_the_peers_mistake(tmp_path: Path):
    """The error names the frame and the file."""
    with pytest.raises(RemoteProtocolError) as caught, open_frame(tmp_path, FRAME):
        pass
    assert (caught.value.frame, caught.value.path) == (1001, str(tmp_path / "b"))


def test_a_buffer_shorter_than_its_frame_is_refused(tmp_path: Path):
    """A reader never maps past the end, where a touch is a bus error."""
    (tmp_path / "b").write_bytes(bytes(17))
    with pytest.raises(RemoteProtocolError, match="has 17 bytes; the frame ends at 18"):
        open_frame(tmp_path, FRAME).__enter__()


def test_a_link_is_no_buffer(tmp_path: Path):
    """A name in the folder cannot lead out of it."""
    (tmp_path / "secret").write_bytes(bytes(18))
    (tmp_path / "b").symlink_to(tmp_path / "secret")
    with pytest.raises(RemoteProtocolError):
        open_frame(tmp_path, FRAME).__enter__()


def test_an_alpha_that_was_read_can_be_deleted_twice(tmp_path: Path):
    """Deleting is harmless when it was done already."""
    (tmp_path / "b").touch()
    delete_frame(tmp_path, FRAME)
    delete_frame(tmp_path, FRAME)
    assert not (tmp_path / "b").exists()


def test_buffers_of_dead_processes_are_swept_and_no_others(tmp_path: Path):
    """A host that crashed leaves no pixels behind for long."""
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    (tmp_path / f"{dead.pid}-{'0' * 32}").touch()
    (tmp_path / "not-ours").touch()
    with PixelBuffer.create(tmp_path, 1) as mine:
        assert sweep(tmp_path) == 1
        assert {path.name for path in tmp_path.iterdir()} == {"not-ours", mine.name}
        long_ago = time.time() - UNREAD_SECONDS - 1
        os.utime(tmp_path / mine.name, (long_ago, long_ago))
        assert sweep(tmp_path) == 1  # the server's alpha, whose host has gone
