"""The disk cache: found by key, bounded, and never a reason for a job to fail."""

from __future__ import annotations

import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from gvm_client.settings import Depth
from gvm_server.media.alphas.exr import read_alpha
from gvm_server.media.alphas.stamp import MAKER, STAMP, Fingerprint
from gvm_server.media.geometry import Box, FrameHeader
from gvm_server.media.store import cache as store
from gvm_server.media.store.cache import DiskCache, window_bytes
from tests.support.alphas import write_alpha

LIMIT = 1 << 30
HERE = "device: here"
SHAPE = (2, 8, 16)


def key(number):
    """Return a key of 16 bytes."""
    return number.to_bytes(16, "big")


def made(number, maker=HERE):
    """Return the fingerprint of an alpha."""
    return Fingerprint(key(number), maker)


def alpha_file(path, number, side=4):
    """Write a finished alpha with this key."""
    box = Box(x=0, y=0, width=side, height=side)
    write_alpha(
        path,
        np.full((side, side), 0.5, np.float32),
        header=FrameHeader(display=box, data=box),
        depth=Depth.HALF,
        attributes={STAMP: key(number).hex(), MAKER: HERE},
    )
    return path


def window(value=0.5, frames=2):
    """Return a window's alphas."""
    return np.full((frames, 8, 16), value, np.float16)


def test_windows_come_back_bit_for_bit_and_survive_a_restart(tmp_path):
    """Another cache on the same folder finds what the first one kept."""
    cache = DiskCache(tmp_path, LIMIT)
    array = np.random.default_rng(0).random((3, 8, 16)).astype(np.float16)
    assert cache.window(key(1), SHAPE) is None
    assert not cache.has_window(key(1))
    cache.add_window(key(1), array)
    again = DiskCache(tmp_path, LIMIT)
    assert again.has_window(key(1))
    found = again.window(key(1), (3, 8, 16))
    assert found.dtype == np.float16
    assert np.array_equal(found, array)


def test_alphas_are_copies_found_by_their_key(tmp_path):
    """What becomes of the artist's file does not touch the cache's."""
    cache = DiskCache(tmp_path / "cache", LIMIT)
    source = alpha_file(tmp_path / "a.exr", 1)
    assert cache.alpha(made(1)) is None
    cache.add_alpha(made(1), source)
    source.unlink()
    assert np.all(read_alpha(cache.alpha(made(1))) == 0.5)
    assert cache.alpha(made(2)) is None


@pytest.mark.parametrize("damage", [b"", b"junk", b"gvm window 1\n"])
def test_a_corrupt_window_is_absent_and_removed(tmp_path, damage, caplog):
    """It is made again, and the log says so."""
    cache = DiskCache(tmp_path, LIMIT)
    cache.add_window(key(1), window())
    (path,) = tmp_path.rglob("*.window")
    path.write_bytes(damage)
    assert cache.window(key(1), SHAPE) is None
    assert not cache.has_window(key(1))
    assert path.name in caplog.text
    cache.add_window(key(1), window())
    assert np.array_equal(cache.window(key(1), SHAPE), window())


def flip(path, at):
    """Turn one bit of a file over."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def cut(path, _):
    """Cut a file's last bytes off."""
    os.truncate(path, path.stat().st_size - 8)


@pytest.mark.parametrize("at", range(0, 512, 37))
@pytest.mark.parametrize("damage", [flip, cut])
def test_a_damaged_window_is_absent_and_removed(tmp_path, damage, at):
    """Whatever bit of it was turned over: of the header, of the pixels, of the checksum."""
    cache = DiskCache(tmp_path, LIMIT)
    cache.add_window(key(1), window())
    (path,) = tmp_path.rglob("*.window")
    damage(path, at)
    assert cache.window(key(1), SHAPE) is None
    assert not path.exists()


def test_a_window_of_another_key_or_shape_or_with_nan_is_absent(tmp_path):
    """A whole file is not enough: it is to be this window, as the plan expects it."""
    cache = DiskCache(tmp_path, LIMIT)
    cache.add_window(key(1), window(0.25))
    cache.add_window(key(2), window(0.75))
    one, two = sorted(tmp_path.rglob("*.window"))
    one.write_bytes(two.read_bytes())
    assert cache.window(key(1), SHAPE) is None
    assert cache.window(key(2), (2, 16, 8)) is None
    cache.add_window(key(3), window(np.nan))
    assert cache.window(key(3), SHAPE) is None
    assert not list(tmp_path.rglob("*.window"))


def test_an_alpha_of_another_recipe_or_maker_is_absent(tmp_path):
    """A file is trusted for what it proves, not for its name."""
    cache = DiskCache(tmp_path / "cache", LIMIT)
    cache.add_alpha(made(1), alpha_file(tmp_path / "a.exr", 1))
    assert cache.alpha(made(1)) is not None
    assert cache.alpha(made(1, "device: there")) is None
    (path,) = (tmp_path / "cache").rglob("*.exr")
    alpha_file(path, 2)
    assert cache.alpha(made(1)) is None
    assert not path.exists()


@pytest.mark.parametrize("part", [i / 20 for i in range(20)])
@pytest.mark.parametrize("damage", [flip, cut])
def test_a_damaged_alpha_is_absent_and_removed(tmp_path, damage, part):
    """One bit anywhere in the file is enough: no pixel is decoded to find it."""
    cache = DiskCache(tmp_path / "cache", LIMIT)
    cache.add_alpha(made(1), alpha_file(tmp_path / "a.exr", 1))
    (path,) = (tmp_path / "cache").rglob("*.exr")
    damage(path, int(part * path.stat().st_size))
    assert cache.alpha(made(1)) is None
    assert not path.exists()


def test_an_alpha_that_another_server_evicts_just_now_is_absent_and_not_damaged(
    tmp_path, monkeypatch
):
    """Nobody is told of damage where there was none."""
    cache = DiskCache(tmp_path / "cache", LIMIT)
    cache.add_alpha(made(1), alpha_file(tmp_path / "a.exr", 1))
    read = Path.read_bytes

    def evicted(path):
        path.unlink()
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", evicted)
    assert cache.alpha(made(1), lambda: pytest.fail("it was not damaged")) is None


def test_a_damaged_source_is_not_kept(tmp_path):
    """What another program did to the artist's file meanwhile does not get into the cache."""
    source = alpha_file(tmp_path / "a.exr", 1)
    flip(source, source.stat().st_size - 1)
    cache = DiskCache(tmp_path / "cache", LIMIT)
    cache.add_alpha(made(1), source)
    assert cache.usage().files == 0


def test_the_least_recently_used_go_first(tmp_path):
    """A hit counts as a use; the limit holds after every addition."""
    size = len(window_bytes(window(), key(0)))
    cache = DiskCache(tmp_path, 10 * size)
    for number in range(10):
        cache.add_window(key(number), window())
        _age(tmp_path, key(number), 100 - number)
    assert cache.window(key(0), SHAPE) is not None
    cache.add_window(key(10), window())
    usage = cache.usage()
    assert usage.nbytes <= 10 * size * 0.9
    assert cache.has_window(key(0))
    assert cache.has_window(key(10))
    assert not cache.has_window(key(1))


def test_the_limit_counts_what_lay_there_before(tmp_path):
    """A new process sees the files of the last one."""
    size = len(window_bytes(window(), key(0)))
    first = DiskCache(tmp_path, LIMIT)
    for number in range(10):
        first.add_window(key(number), window())
    second = DiskCache(tmp_path, 5 * size)
    second.add_window(key(10), window())
    assert second.usage().nbytes <= 5 * size
    assert second.has_window(key(10))


def test_servers_that_share_a_cache_keep_to_one_limit(tmp_path):
    """Each counts what the others add, before a tenth of the limit is its own."""
    size = len(window_bytes(window(), key(0)))
    servers = [DiskCache(tmp_path, 50 * size) for _ in range(4)]
    for server in servers:
        server.count()
    for number in range(160):  # less than the limit for each of them
        servers[number % 4].add_window(key(number), window())
        assert servers[0].usage().nbytes <= 50 * size * (1 + 0.1 * len(servers))


def test_a_file_larger_than_the_limit_pushes_nothing_out(tmp_path):
    """It could not stay itself."""
    size = len(window_bytes(window(), key(0)))
    cache = DiskCache(tmp_path, 4 * size)
    for number in range(3):
        cache.add_window(key(number), window())
    cache.add_window(key(9), window(frames=20))
    assert [number for number in range(10) if cache.has_window(key(number))] == [0, 1, 2]


def test_a_cache_whose_files_cannot_be_removed_is_not_walked_through_for_each_file(
    tmp_path, monkeypatch
):
    """Another user's files lie there: the limit cannot be kept, and that costs one look."""
    size = len(window_bytes(window(), key(0)))
    first = DiskCache(tmp_path, LIMIT)
    for number in range(40):
        first.add_window(key(number), window())
    walks = []

    def refuse(path):
        raise PermissionError(1, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    monkeypatch.setattr(store, "sweep_leftovers", walks.append)  # a call for each folder
    cache = DiskCache(tmp_path, 30 * size)
    cache.add_window(key(40), window())
    looked = len(walks)
    assert looked
    cache.add_window(key(41), window())
    cache.add_window(key(42), window())
    assert len(walks) == looked


def test_usage_and_clear_say_what_is_there(tmp_path):
    """Both kinds are counted; after clearing nothing is left, and work goes on."""
    cache = DiskCache(tmp_path / "cache", LIMIT)
    cache.add_window(key(1), window())
    cache.add_alpha(made(2), alpha_file(tmp_path / "a.exr", 2))
    usage = cache.usage()
    assert (usage.path, usage.files, usage.limit_bytes) == (tmp_path / "cache", 2, LIMIT)
    assert usage.nbytes == cache.size_bytes > window().nbytes
    assert cache.clear() == usage
    assert cache.usage().files == cache.size_bytes == 0
    cache.add_window(key(1), window())
    assert cache.has_window(key(1))
    assert cache.size_bytes == cache.usage().nbytes


def test_a_cache_that_cannot_be_written_warns_once_and_goes_on(tmp_path, caplog):
    """A file stands where the folder should be: nothing is kept, nothing fails."""
    (tmp_path / "cache").touch()
    cache = DiskCache(tmp_path / "cache", LIMIT)
    with caplog.at_level(logging.WARNING):
        for number in range(3):
            cache.add_window(key(number), window())
        cache.add_alpha(made(4), alpha_file(tmp_path / "a.exr", 4))
    assert len(caplog.records) == 1
    assert cache.window(key(0), SHAPE) is None
    assert cache.alpha(made(4)) is None
    assert cache.usage().files == 0


def test_no_room_at_all_keeps_nothing(tmp_path):
    """A limit of zero turns the cache off."""
    cache = DiskCache(tmp_path, 0)
    cache.add_window(key(1), window())
    assert not cache.has_window(key(1))


def test_a_vanished_source_is_no_failure(tmp_path):
    """The artist deleted the file before it was copied."""
    cache = DiskCache(tmp_path / "cache", LIMIT)
    cache.add_alpha(made(1), tmp_path / "gone.exr")
    assert cache.alpha(made(1)) is None


def test_many_threads_add_and_read(tmp_path):
    """The same key from all sides, with evictions all the time, loses nothing but files."""
    cache = DiskCache(tmp_path, 20 * (len(window_bytes(window(), key(0)))))

    def work(number):
        cache.add_window(key(number % 30), window(number % 30 / 64))
        found = cache.window(key(number % 30), SHAPE)
        return found is None or np.array_equal(found, window(number % 30 / 64))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(200)))
    assert cache.usage().nbytes <= cache.limit_bytes
    assert not list(tmp_path.rglob(".gvm-*"))


def _age(root, which, seconds):
    """Make a window's last use lie back."""
    (path,) = root.rglob(f"{which.hex()}.window")
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_a_folder_that_cannot_be_looked_into_holds_no_damage(tmp_path):
    """Whoever may not enter it asks as here, of too long a name: nothing was kept to be damaged."""
    cache, damaged = DiskCache(tmp_path / ("x" * 300), LIMIT), []
    cache.add_window(key(1), window())
    assert cache.has_new_window(key(1))
    assert cache.window(key(1), SHAPE, lambda: damaged.append(1)) is None
    assert cache.alpha(made(1), lambda: damaged.append(2)) is None
    assert not damaged
    assert cache.failures == 1
