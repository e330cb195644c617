"""The disk cache: found by key, bounded, and never a reason for a job to fail."""

from __future__ import annotations

import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from gvm_client.settings import Depth
from gvm_server.media.cache import DiskCache
from gvm_server.media.exr import read_alpha, write_alpha
from gvm_server.media.plate import Box, FrameHeader

LIMIT = 1 << 30


def key(number):
    """Return a key of 16 bytes."""
    return number.to_bytes(16, "big")


def alpha_file(path, number):
    """Write a finished alpha with this key."""
    box = Box(x=0, y=0, width=4, height=4)
    write_alpha(
        path,
        np.full((4, 4), 0.5, np.float32),
        header=FrameHeader(display=box, data=box),
        depth=Depth.HALF,
        attributes={"gvm:key": key(number).hex()},
    )
    return path


def window(value=0.5, frames=2):
    """Return a window's alphas."""
    return np.full((frames, 8, 16), value, np.float16)


def test_windows_come_back_bit_for_bit_and_survive_a_restart(tmp_path):
    """Another cache on the same folder finds what the first one kept."""
    cache = DiskCache(tmp_path, LIMIT)
    array = np.random.default_rng(0).random((3, 8, 16)).astype(np.float16)
    assert cache.window(key(1)) is None
    assert not cache.has_window(key(1))
    cache.add_window(key(1), array)
    again = DiskCache(tmp_path, LIMIT)
    assert again.has_window(key(1))
    found = again.window(key(1))
    assert found.dtype == np.float16
    assert np.array_equal(found, array)


def test_alphas_are_copies_found_by_their_key(tmp_path):
    """What becomes of the artist's file does not touch the cache's."""
    cache = DiskCache(tmp_path / "cache", LIMIT)
    source = alpha_file(tmp_path / "a.exr", 1)
    assert cache.alpha(key(1)) is None
    cache.add_alpha(key(1), source)
    source.unlink()
    assert np.all(read_alpha(cache.alpha(key(1))) == 0.5)
    assert cache.alpha(key(2)) is None


@pytest.mark.parametrize("damage", [b"", b"junk", b"\x93NUMPY"])
def test_a_corrupt_window_is_absent_and_removed(tmp_path, damage, caplog):
    """It is made again, and the log says so."""
    cache = DiskCache(tmp_path, LIMIT)
    cache.add_window(key(1), window())
    (path,) = tmp_path.rglob("*.npy")
    path.write_bytes(damage)
    assert cache.window(key(1)) is None
    assert not cache.has_window(key(1))
    assert path.name in caplog.text
    cache.add_window(key(1), window())
    assert np.array_equal(cache.window(key(1)), window())


def test_a_truncated_window_and_one_of_another_kind_are_absent(tmp_path):
    """Neither a cut file nor an array of another type or shape is handed out."""
    cache = DiskCache(tmp_path, LIMIT)
    cache.add_window(key(1), window())
    (path,) = tmp_path.rglob("*.npy")
    os.truncate(path, path.stat().st_size - 8)
    assert cache.window(key(1)) is None
    for array in (np.zeros((2, 8, 16), np.float64), np.zeros((8, 16), np.float16)):
        np.save(path, array)
        assert cache.window(key(1)) is None
        assert not path.exists()


def test_an_alpha_with_another_stamp_is_absent(tmp_path):
    """A file is trusted for the key inside it, not for its name."""
    cache = DiskCache(tmp_path / "cache", LIMIT)
    cache.add_alpha(key(1), alpha_file(tmp_path / "a.exr", 1))
    (path,) = (tmp_path / "cache").rglob("*.exr")
    alpha_file(path, 2)
    assert cache.alpha(key(1)) is None
    assert not path.exists()


def test_the_least_recently_used_go_first(tmp_path):
    """A hit counts as a use; the limit holds after every addition."""
    size = 128 + window().nbytes
    cache = DiskCache(tmp_path, 10 * size)
    for number in range(10):
        cache.add_window(key(number), window())
        _age(tmp_path, key(number), 100 - number)
    assert cache.window(key(0)) is not None
    cache.add_window(key(10), window())
    usage = cache.usage()
    assert usage.nbytes <= 10 * size * 0.9
    assert cache.has_window(key(0))
    assert cache.has_window(key(10))
    assert not cache.has_window(key(1))


def test_the_limit_counts_what_lay_there_before(tmp_path):
    """A new process sees the files of the last one."""
    size = 128 + window().nbytes
    first = DiskCache(tmp_path, LIMIT)
    for number in range(10):
        first.add_window(key(number), window())
    second = DiskCache(tmp_path, 5 * size)
    second.add_window(key(10), window())
    assert second.usage().nbytes <= 5 * size
    assert second.has_window(key(10))


def test_usage_and_clear_say_what_is_there(tmp_path):
    """Both kinds are counted; after clearing nothing is left, and work goes on."""
    cache = DiskCache(tmp_path / "cache", LIMIT)
    cache.add_window(key(1), window())
    cache.add_alpha(key(2), alpha_file(tmp_path / "a.exr", 2))
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
        cache.add_alpha(key(4), alpha_file(tmp_path / "a.exr", 4))
    assert len(caplog.records) == 1
    assert cache.window(key(0)) is None
    assert cache.alpha(key(4)) is None
    assert cache.usage().files == 0


def test_no_room_at_all_keeps_nothing(tmp_path):
    """A limit of zero turns the cache off."""
    cache = DiskCache(tmp_path, 0)
    cache.add_window(key(1), window())
    assert not cache.has_window(key(1))


def test_a_vanished_source_is_no_failure(tmp_path):
    """The artist deleted the file before it was copied."""
    cache = DiskCache(tmp_path / "cache", LIMIT)
    cache.add_alpha(key(1), tmp_path / "gone.exr")
    assert cache.alpha(key(1)) is None


def test_many_threads_add_and_read(tmp_path):
    """The same key from all sides, with evictions all the time, loses nothing but files."""
    cache = DiskCache(tmp_path, 20 * (128 + window().nbytes))

    def work(number):
        cache.add_window(key(number % 30), window(number % 30 / 64))
        found = cache.window(key(number % 30))
        return found is None or np.array_equal(found, window(number % 30 / 64))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(200)))
    assert cache.usage().nbytes <= cache.limit_bytes
    assert not list(tmp_path.rglob(".gvm-*"))


def _age(root, which, seconds):
    """Make a window's last use lie back."""
    (path,) = root.rglob(f"{which.hex()}.npy")
    then = time.time() - seconds
    os.utime(path, (then, then))
