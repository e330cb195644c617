"""A movie's index: found once, kept for the next server, and counted where it proves wrong."""

from __future__ import annotations

import sqlite3
import zlib
from dataclasses import replace

import numpy as np
import pytest

from gvm_client.errors import InputError
from gvm_server.media.plates.movies import indexing
from gvm_server.media.plates.movies.index import MovieIndex
from gvm_server.media.plates.movies.indexing import index_movie
from gvm_server.media.store import file_keys
from gvm_server.media.store.memo import Memo
from tests.fakes.plates import MovieSpec, write_movie
from tests.unit.server.media.plates.movies.test_plate import FRAMES, KINDS, grey, opened


@pytest.mark.parametrize("kind", ["intra.mov", "b_frames.mp4", "intra.avi"])
def test_the_containers_table_spares_reading_the_movie(tmp_path, kind, monkeypatch):
    """The first look decodes a few pictures; the second one nothing at all."""
    spec = replace(KINDS[kind], frames=60)
    path = write_movie(tmp_path / kind, spec)
    monkeypatch.setattr(indexing, "_from_packets", lambda _: pytest.fail("it was gone through"))
    monkeypatch.setattr(indexing, "_by_counting", lambda _: pytest.fail("it was decoded"))
    assert index_movie(path).count == 60
    monkeypatch.setattr(indexing, "open_movie", lambda _: pytest.fail("it was opened again"))
    assert index_movie(path).count == 60


def test_a_movie_that_was_replaced_is_looked_at_again(tmp_path):
    """An index belongs to a file's path, size, time and inode."""
    path = write_movie(tmp_path / "a.mp4")
    assert index_movie(path).count == FRAMES
    write_movie(tmp_path / "b.mp4", MovieSpec(frames=7)).replace(path)
    assert index_movie(path).count == 7


@pytest.mark.parametrize("kind", ["vfr.mp4", "fragments.mp4", "stream.ts", "groups.mxf", "vfr.mkv"])
def test_the_next_server_does_not_go_through_a_movie_again(tmp_path, kind, monkeypatch):
    """An index is kept beside the cache, whole: every frame is as before."""
    path = write_movie(tmp_path / kind, KINDS[kind])
    monkeypatch.setattr(indexing, "_KNOWN", indexing._Memory())
    first = index_movie(path, Memo(tmp_path / "cache"))
    for name in ("_from_table", "_from_packets", "_by_counting"):
        monkeypatch.setattr(indexing, name, lambda _: pytest.fail("it was gone through"))
    monkeypatch.setattr(indexing, "_KNOWN", indexing._Memory())
    again = index_movie(path, Memo(tmp_path / "cache"))
    assert again.count == first.count == FRAMES
    for name in ("times", "key_frames", "seek_times"):
        one, other = getattr(first, name), getattr(again, name)
        assert (one is None) == (other is None)
        assert one is None or np.array_equal(one, other)


@pytest.mark.parametrize("fact", [b"noise", "of another movie", "shortened"])
def test_an_index_that_is_damaged_or_foreign_is_dropped(tmp_path, fact, monkeypatch):
    """The movie is gone through again, and what is kept then is right."""
    path = write_movie(tmp_path / "a.mkv", KINDS["vfr.mkv"])
    other = write_movie(tmp_path / "b.mkv", MovieSpec(frames=7))
    cache, key = Memo(tmp_path / "cache"), file_keys.hash_texts(*indexing._identity(path))
    good = index_movie(path, cache).to_bytes()
    if fact == b"noise":
        cache.keep(indexing.INDEX, key, fact)
    elif fact == "shortened":
        cache.keep(indexing.INDEX, key, good[:-5])
    else:  # under the first one's name, as a copied row would be
        cache.keep(indexing.INDEX, b"b", index_movie(other, cache).to_bytes())
        with sqlite3.connect(next((tmp_path / "cache").glob("*.sqlite"))) as database:
            database.execute(
                "UPDATE facts SET value = (SELECT value FROM facts WHERE key = ?) WHERE key = ?",
                (b"b", key),
            )
        database.close()
    monkeypatch.setattr(indexing, "_KNOWN", indexing._Memory())
    looks, look = [], indexing._from_packets
    monkeypatch.setattr(indexing, "_from_packets", lambda path: looks.append(1) or look(path))
    assert index_movie(path, cache).count == FRAMES
    assert looks == [1]
    monkeypatch.setattr(indexing, "_KNOWN", indexing._Memory())
    assert index_movie(path, Memo(tmp_path / "cache")).count == FRAMES
    assert looks == [1]


@pytest.mark.parametrize("kept", [b"", b"noise", zlib.compress(b"short"), zlib.compress(bytes(64))])
def test_what_is_no_index_is_not_taken_for_one(kept):
    """The movie is looked at again."""
    assert MovieIndex.from_bytes(kept) is None


def test_times_that_turn_out_wrong_are_counted_and_the_right_frame_comes(tmp_path, monkeypatch):
    """A container whose table lies behind its first pictures: counted once, then every frame."""
    path = write_movie(tmp_path / "a.mp4", MovieSpec(frames=60))
    real = indexing._from_table

    def lying(path):
        index = real(path)
        return replace(index, times=index.times + 1000 * (np.arange(60) >= 20))

    monkeypatch.setattr(indexing, "_from_table", lying)
    plate = opened(path)
    for frame in (5, 60, 33, 21, 45, 20, 1, 59):
        assert grey(plate.read(frame).pixels) == frame - 1
    counted = index_movie(path)
    assert (counted.count, counted.times) == (60, None)
    plate.close()


def test_a_movie_that_shows_fewer_frames_than_it_promises_is_said(tmp_path, monkeypatch):
    """With how many it shows."""
    path = write_movie(tmp_path / "a.mp4", MovieSpec(frames=40))
    real = indexing._from_table

    def lying(path):
        index = real(path)
        times = np.concatenate([index.times, index.times[-1:] + 9000])
        return replace(index, count=41, times=times)

    monkeypatch.setattr(indexing, "_from_table", lying)
    plate = opened(path)
    key = plate.key(5)
    for _ in range(2):
        with pytest.raises(InputError, match="it shows 40 frames, its container promised 41"):
            plate.read(41)
    plate.close()
    again = opened(path)
    assert again.last == 40
    assert again.key(5) != key, "what was made by the first numbers is not taken for these"
    assert grey(again.read(40).pixels) == 39
