"""A movie's frames told by the packets that they are decoded from."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from gvm_client.settings import PlateKeys
from gvm_server.media.plates.movies import index
from gvm_server.media.store.file_keys import FileKeys
from gvm_server.media.store.memo import Memo
from tests.fakes.plates import MovieSpec, write_movie
from tests.unit.server.media.plates.movies.test_plate import FRAMES, KINDS, opened

CONTENT = (
    *("b_frames.mp4", "open_gop.mp4", "vfr.mp4", "packed.avi", "decode_times.avi", "intra.avi"),
    *("stream.ts", "intra.mov", "lossless.mkv", "no_times.mpg", "fragments.mp4", "groups.mxf"),
    *("hidden.webm", "studio.mxf"),
)


def keys_of(path):
    """Return a movie's content keys, by frame."""
    plate = opened(path, keys=PlateKeys.CONTENT)
    keys = {frame: plate.key(frame) for frame in range(plate.first, plate.last + 1)}
    plate.close()
    return keys


@pytest.mark.parametrize("kind", CONTENT)
def test_equal_content_keys_mean_equal_pictures(tmp_path, kind):
    """A copy has the same keys; where another picture stands, and around it, they differ."""
    path = write_movie(tmp_path / kind, KINDS[kind])
    copy = tmp_path / "copies" / kind
    copy.parent.mkdir()
    shutil.copyfile(path, copy)
    keys = keys_of(path)
    assert keys_of(copy) == keys
    assert len(set(keys.values())) == FRAMES
    other = tmp_path / "others" / kind
    other.parent.mkdir()
    write_movie(other, replace(KINDS[kind], odd=30))
    theirs = keys_of(other)
    one, two = opened(path), opened(other)
    for frame in keys:
        if keys[frame] == theirs[frame]:
            assert np.array_equal(one.read(frame).pixels, two.read(frame).pixels), frame
    assert keys[31] != theirs[31]
    if kind.startswith("intra"):
        assert [frame for frame in keys if keys[frame] != theirs[frame]] == [31]
    one.close()
    two.close()


@pytest.mark.parametrize("kind", ["intra.mov", "b_frames.mp4", "intra.avi"])
def test_a_movie_is_not_read_whole_for_a_key(tmp_path, kind, monkeypatch):
    """The packets of the frame's own group and its neighbours only."""
    path = write_movie(tmp_path / kind, replace(KINDS[kind], frames=240))
    read = []
    real = index._read_places
    monkeypatch.setattr(
        index, "_read_places", lambda path, places: read.append(places) or real(path, places)
    )
    monkeypatch.setattr(FileKeys, "_hash", lambda *_: pytest.fail("it was read whole"))
    plate = opened(path, keys=PlateKeys.CONTENT)
    plate.key(120)
    assert 0 < sum(len(places) for places in read) <= 60
    plate.key(120)
    assert sum(len(places) for places in read) <= 60, "twice"
    plate.close()


@pytest.mark.parametrize("kind", ["intra.mov", "b_frames.mp4"])
@pytest.mark.parametrize("changed", [False, True])
def test_a_movie_that_is_the_same_is_not_read_again_for_its_keys(
    tmp_path, kind, changed, monkeypatch
):
    """By the next server; one that was written over in place, with its size and time, is."""
    path = write_movie(tmp_path / kind, replace(KINDS[kind], frames=60))
    first = opened(path, keys=PlateKeys.CONTENT, memo=Memo(tmp_path / "cache"))
    keys = [first.key(frame) for frame in range(1, 61)]
    first.close()
    if changed:
        status, data = path.stat(), path.read_bytes()
        path.write_bytes(data)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    read = []
    for name in ("_read_places", "_read_packets"):
        real = getattr(index, name)
        monkeypatch.setattr(
            index, name, lambda *given, real=real: read.append(given) or real(*given)
        )
    again = opened(path, keys=PlateKeys.CONTENT, memo=Memo(tmp_path / "cache"))
    assert [again.key(frame) for frame in range(1, 61)] == keys
    assert bool(read) == changed
    again.close()


def test_an_orientation_is_part_of_a_content_key(tmp_path):
    """The same packets, turned."""
    plain = write_movie(tmp_path / "a.mp4")
    turned = write_movie(tmp_path / "b.mp4", MovieSpec(rotation=180))
    assert not set(keys_of(plain).values()) & set(keys_of(turned).values())
