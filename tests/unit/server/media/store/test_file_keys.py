"""A plate's file is one version for the life of a plate: what changed is told, never read."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest

from gvm_client.errors import ErrorCode, InputError
from gvm_server.media import file_access
from gvm_server.media.file_access import StallError
from gvm_server.media.store import file_keys
from gvm_server.media.store.file_keys import FileKeys
from gvm_server.media.store.memo import NOTHING, Memo


def keys_by(*, content: bool, memo: Memo = NOTHING) -> FileKeys:
    """Return the keys of a plate."""
    return FileKeys(by_content=content, memo=memo)


def rewrite(path):
    """Write other bytes into the same file, as many."""
    path.write_bytes(b"B" * 8)


def replace_keeping_size_and_time(path):
    """Put another file in its place, with the size and the time of the first."""
    other = path.with_name("other")
    other.write_bytes(b"B" * 8)
    shutil.copystat(path, other)
    other.replace(path)


def rewrite_keeping_size_and_time(path):
    """Write other bytes into the same file, and set its time back."""
    status = path.stat()
    path.write_bytes(b"B" * 8)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


CHANGES = (rewrite, replace_keeping_size_and_time, rewrite_keeping_size_and_time)


@pytest.mark.parametrize("content", [False, True])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("while_reading", [False, True])
def test_a_change_ends_the_read_and_names_the_frame(tmp_path, content, change, while_reading):
    """Before the read or in the middle of it, even where size and time stay."""
    path = tmp_path / "plate.0007.exr"
    path.write_bytes(b"A" * 8)
    keys = keys_by(content=content)
    keys.key(path, 7)
    if not while_reading:
        change(path)
    with pytest.raises(InputError, match="Frame 7 changed") as caught, keys.read(path, 7):
        change(path)
    assert (caught.value.frame, caught.value.code) == (7, ErrorCode.PLATE_MISMATCH)


@pytest.mark.parametrize("content", [False, True])
def test_a_link_that_moves_and_moves_back_is_read_as_it_was(tmp_path, content):
    """What is read in between is the folder that the link led to at first."""
    for version in (b"A", b"B"):
        (tmp_path / version.decode()).mkdir()
        (tmp_path / version.decode() / "a.exr").write_bytes(version * 8)
    latest = tmp_path / "latest"
    latest.symlink_to(tmp_path / "A")
    keys = keys_by(content=content)
    keys.key(latest / "a.exr", 1)
    with keys.read(latest / "a.exr", 1) as opened:
        latest.unlink()
        latest.symlink_to(tmp_path / "B")
        assert opened.path.read_bytes() == b"A" * 8
        latest.unlink()
        latest.symlink_to(tmp_path / "A")
    latest.unlink()
    latest.symlink_to(tmp_path / "B")
    with pytest.raises(InputError, match="Frame 1 changed"), keys.read(latest / "a.exr", 1):
        pass


def test_the_reason_for_half_a_file_is_its_change(tmp_path):
    """A reader that fails on a file that is being written again does not get the last word."""
    path = tmp_path / "a.exr"
    path.write_bytes(b"A" * 8)

    def read() -> None:
        with keys_by(content=False).read(path, 1):
            path.write_bytes(b"A")
            raise InputError("Cannot be read.")

    with pytest.raises(InputError, match="changed"):
        read()


def test_a_content_hash_is_known_to_the_next_server(tmp_path, monkeypatch):
    """A file that was not touched is not read again; one that was copied has the same key."""
    path = tmp_path / "plate.0001.exr"
    path.write_bytes(b"A" * 8)
    key = keys_by(content=True, memo=Memo(tmp_path / "cache")).key(path, 1)
    monkeypatch.setattr(FileKeys, "_hash", lambda *_: pytest.fail("it was read again"))
    again = Memo(tmp_path / "cache")
    assert keys_by(content=True, memo=again).key(path, 1) == key
    link = tmp_path / "latest.exr"
    link.symlink_to(path)
    assert keys_by(content=True, memo=again).key(link, 1) == key
    monkeypatch.undo()
    copy = tmp_path / "moved" / path.name
    copy.parent.mkdir()
    shutil.copyfile(path, copy)
    assert keys_by(content=True, memo=again).key(copy, 1) == key


@pytest.mark.parametrize(
    "change", [rewrite, replace_keeping_size_and_time, rewrite_keeping_size_and_time]
)
def test_a_kept_hash_is_of_one_version(tmp_path, change):
    """Whatever changed the file: the next server reads it."""
    path = tmp_path / "plate.0001.exr"
    path.write_bytes(b"A" * 8)
    memo = Memo(tmp_path / "cache")
    key = keys_by(content=True, memo=memo).key(path, 1)
    change(path)
    assert keys_by(content=True, memo=memo).key(path, 1) != key


def test_a_share_that_hangs_ends_the_look_and_holds_no_thread_of_a_pool(tmp_path, monkeypatch):
    """Before the key, and before a read; when it is back the same file is served."""
    path = tmp_path / "plate.0007.exr"
    path.write_bytes(b"A" * 8)
    back, look, head = threading.Event(), Path.lstat, file_keys.read_head

    def hangs(asked: Path) -> Path:
        assert asked.name != path.name or back.wait(10)
        return asked

    known, unknown = keys_by(content=False), keys_by(content=False)
    known.key(path, 7)
    monkeypatch.setattr(file_access, "STALL_SECONDS", 0.1)
    monkeypatch.setattr(Path, "lstat", lambda self: look(hangs(self)))
    monkeypatch.setattr(file_keys, "read_head", lambda asked, most: head(hangs(asked), most))
    for ask in (lambda: unknown.key(path, 7), lambda: known.read(path, 7).__enter__()):
        with pytest.raises(StallError, match=r"not answered for 0\.1 s") as caught:
            ask()
        assert (caught.value.frame, caught.value.path) == (7, str(path))
    back.set()
    with known.read(path, 7) as opened:
        assert opened.path.read_bytes() == b"A" * 8


def some_files(folder: Path, count: int) -> list[Path]:
    """Return so many files, of which each has other bytes."""
    paths = [folder / f"plate.{number:04d}.exr" for number in range(1, count + 1)]
    for path in paths:
        path.write_bytes(path.name.encode())
    return paths


@pytest.mark.parametrize("content", [False, True])
def test_files_that_are_looked_at_together_have_the_keys_of_one_by_one(tmp_path, content):
    """Large ones too, of which the content is not read ahead."""
    paths = some_files(tmp_path, 20)
    paths[3].write_bytes(b"A" * (2 << 20))
    memo = Memo(tmp_path / "cache") if content else NOTHING
    together, alone = keys_by(content=content, memo=memo), keys_by(content=content)
    together.look_ahead(paths)
    keys = [together.key(path, 1) for path in paths]
    assert keys == [alone.key(path, 1) for path in paths]
    assert len(set(keys)) == len(paths)


@pytest.mark.parametrize("content", [False, True])
def test_a_look_ahead_asks_the_disk_a_few_times_for_all(tmp_path, monkeypatch, content):
    """Each time it is asked, threads take turns: that was half of a long clip's wait."""
    paths = some_files(tmp_path, 100)
    asked, answered = [], file_keys.answered

    def counted(look, path, **words: object):
        asked.append(path)
        return answered(look, path, **words)

    monkeypatch.setattr(file_keys, "answered", counted)
    monkeypatch.setattr(file_keys, "_LOOK_SECONDS", 60.0)
    keys = keys_by(content=content)
    keys.look_ahead(paths)
    for path in paths:
        keys.key(path, 1)
    assert len(asked) <= 2


@pytest.mark.parametrize("content", [False, True])
def test_what_is_wrong_with_a_file_is_said_by_its_own_key(tmp_path, content):
    """Whichever is missing, is no file, or may not be followed: the others have their keys."""
    paths = some_files(tmp_path, 5)
    paths[0].unlink()
    paths[1].unlink()
    paths[1].mkdir()
    paths[2].unlink()
    paths[2].symlink_to(tmp_path / "nowhere")
    keys = keys_by(content=content)
    keys.look_ahead(paths)
    for path, says in zip(paths, ("is not there", "a folder", "nowhere"), strict=False):
        with pytest.raises(InputError, match=says):
            keys.key(path, 1)
    assert len({keys.key(path, 1) for path in paths[3:]}) == 2


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_was_looked_at_ahead_is_one_version_from_then_on(tmp_path, change):
    """The look says which; what is read after a change is refused."""
    (path,) = some_files(tmp_path, 1)
    path.write_bytes(b"A" * 8)
    keys, before = keys_by(content=True), keys_by(content=True).key(path, 1)
    keys.look_ahead([path])
    change(path)
    assert keys.key(path, 1) == before
    with pytest.raises(InputError, match="Frame 1 changed"), keys.read(path, 1):
        pass


def test_a_file_that_changes_between_its_look_and_its_hash_is_refused(tmp_path, monkeypatch):
    """No hash of other bytes is kept for the version that was seen."""
    (path,) = some_files(tmp_path, 1)
    memo, read = Memo(tmp_path / "cache"), file_keys._read_hash
    keys = keys_by(content=True, memo=memo)

    def changed(real: Path, *blocks: list[int]) -> object:
        real.write_bytes(b"another")
        return read(real, *blocks)

    monkeypatch.setattr(file_keys, "_read_hash", changed)
    keys.look_ahead([path])
    with pytest.raises(InputError, match="Frame 1 changed"):
        keys.key(path, 1)


def test_a_share_that_hangs_ends_a_look_ahead(tmp_path, monkeypatch):
    """It is waited for once, not once for each of the files."""
    paths, back = some_files(tmp_path, 20), threading.Event()
    look = Path.lstat
    monkeypatch.setattr(file_access, "STALL_SECONDS", 0.1)
    monkeypatch.setattr(Path, "lstat", lambda self: back.wait(10) and look(self))
    with pytest.raises(StallError, match=r"not answered for 0\.1 s"):
        keys_by(content=True).look_ahead(paths)
    back.set()


def test_a_long_hash_is_waited_for_as_long_as_blocks_arrive(tmp_path, monkeypatch):
    """The disk answers, however long the file is: each block is progress."""
    (path,) = some_files(tmp_path, 1)
    path.write_bytes(b"A" * 8 * file_keys._BLOCK)
    grown, answered = [], file_keys.answered

    def watched(look, path, *, progress=None, **words: object):
        seen = answered(look, path, **words)
        grown.append(progress())
        return seen

    monkeypatch.setattr(file_keys, "answered", watched)
    keys_by(content=True).key(path, 7)
    assert max(grown) == 8


def test_a_hash_whose_disk_hangs_is_given_up(tmp_path, monkeypatch):
    """In the middle of a file, not only as it is opened."""
    (path,) = some_files(tmp_path, 1)
    path.write_bytes(b"A" * 8 * file_keys._BLOCK)
    back, read, blocks = threading.Event(), os.read, []

    def hangs(descriptor: int, size: int) -> bytes:
        if size == file_keys._BLOCK:
            blocks.append(size)
            assert len(blocks) < 4 or back.wait(10)
        return read(descriptor, size)

    monkeypatch.setattr(file_access, "STALL_SECONDS", 0.3)
    monkeypatch.setattr(os, "read", hangs)
    with pytest.raises(StallError, match=r"not answered for 0\.3 s") as caught:
        keys_by(content=True).key(path, 7)
    assert (caught.value.frame, caught.value.path) == (7, str(path))
    back.set()


@pytest.mark.parametrize("content", [False, True])
def test_a_slow_disk_is_looked_at_for_a_moment_so_that_a_cancel_is_heard(
    tmp_path, monkeypatch, content
):
    """What it has not said by then is found by each file's key, between which a job may end."""
    paths, looks = some_files(tmp_path, 32), list[Path]()
    alone = [keys_by(content=content).key(path, 1) for path in paths]
    look = file_keys._look

    def slow(path: Path) -> object:
        looks.append(path)
        return look(path)

    monkeypatch.setattr(file_keys, "_look", slow)
    monkeypatch.setattr(file_keys.time, "monotonic", lambda: 0.3 * len(looks))
    keys = keys_by(content=content)
    keys.look_ahead(paths)
    assert len(set(looks)) < 8
    assert [keys.key(path, 1) for path in paths] == alone
