"""What a movie says of itself is found once for a version of the file."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from fractions import Fraction

import pytest

from gvm_client.errors import ErrorCode, InputError
from gvm_client.settings import PlateKeys
from gvm_server.media.file_access import Roots
from gvm_server.media.geometry import Orientation
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.movies import decoder, index, indexing
from gvm_server.media.plates.movies.file import MovieMetadata
from gvm_server.media.plates.movies.look import MovieLook
from gvm_server.media.plates.open import open_plate
from gvm_server.media.store.memo import Memo
from tests.fakes.plates import MovieSpec, write_movie

LOOK = MovieLook(
    facts=MovieMetadata(
        aspect=Fraction(64, 45), rate=Fraction(24000, 1001), timecode="01:00:00:00"
    ),
    size=(720, 576),
    orientation=Orientation(transposed=True),
    curve=1,
    primaries=9,
    interlaced=True,
    alpha=False,
)
TURNED = MovieSpec(
    rotation=90, rate=Fraction(24000, 1001), timecode="01:00:00:00", aspect=Fraction(2)
)


def opened(path, memo, **options: object):
    """Open a plate whose keys are of its content, as a later server does that knows these facts."""
    asked = PlateOptions(path=str(path), keys=PlateKeys.CONTENT, memo=memo, **options)
    return open_plate(asked, roots=Roots())


def said(plate):
    """Return what of a plate does not need its pictures."""
    frames = range(plate.first, plate.last + 1)
    headers = [plate.header(frame) for frame in frames]
    return plate.notes, plate.colour.name, headers, [plate.key(frame) for frame in frames]


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), None])
def test_a_look_comes_back_as_it_was_kept(rate):
    """With and without a rate."""
    look = replace(LOOK, facts=replace(LOOK.facts, rate=rate))
    assert MovieLook.from_bytes(look.to_bytes()) == look


@pytest.mark.parametrize(
    "fact",
    [b"noise", b"\xff", b"[]", b"{}", b'{"facts": 1}', LOOK.to_bytes().replace(b"24000", b"x")],
)
def test_what_is_no_look_is_none(fact):
    """Whatever another release may have kept there."""
    assert MovieLook.from_bytes(fact) is None


def test_a_field_more_is_no_look():
    """Of a newer release, say."""
    fact = json.loads(LOOK.to_bytes()) | {"newer": 1}
    assert MovieLook.from_bytes(json.dumps(fact).encode()) is None


@pytest.mark.parametrize("first", [1, 5])
def test_a_movie_that_is_known_is_not_opened(tmp_path, monkeypatch, first):
    """Extent, headers, colours and keys by content, of the whole clip; a picture opens it."""
    path = write_movie(tmp_path / "a.mov", TURNED)
    plate = opened(path, Memo(tmp_path / "cache"), first=first)
    expected, pixels = said(plate), plate.read(first).pixels
    plate.close()
    monkeypatch.setattr(indexing, "_KNOWN", indexing._Memory())
    with monkeypatch.context() as closed:
        for module in (decoder, index, indexing):
            closed.setattr(module, "open_movie", lambda _: pytest.fail("it was opened"))
        again = opened(path, Memo(tmp_path / "cache"), first=first)
        assert said(again) == expected
    assert (again.read(first).pixels == pixels).all()
    again.close()
    again.close()


def test_a_movie_that_was_never_opened_is_closed(tmp_path):
    """As a job does that finds all its frames finished."""
    path = write_movie(tmp_path / "a.mov", TURNED)
    opened(path, Memo(tmp_path / "cache")).close()
    opened(path, Memo(tmp_path / "cache")).close()


def test_another_movie_in_its_place_is_looked_at(tmp_path):
    """Though path, size and time be the same."""
    path, cache = tmp_path / "a.mov", tmp_path / "cache"
    write_movie(path, TURNED)
    before = opened(path, Memo(cache))
    status = path.stat()
    write_movie(path, replace(TURNED, rotation=0))
    with path.open("ab") as file:
        file.truncate(status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = opened(path, Memo(cache))
    assert before.header(1).display.width == after.header(1).display.height
    before.close()
    after.close()


def test_an_alpha_that_is_not_there_is_said_each_time(tmp_path):
    """By a look that was kept, too."""
    path = write_movie(tmp_path / "a.mov", TURNED)
    for _ in range(2):
        with pytest.raises(InputError, match="no alpha") as caught:
            opened(path, Memo(tmp_path / "cache"), layer="A")
        assert caught.value.code is ErrorCode.PLATE_MISMATCH
