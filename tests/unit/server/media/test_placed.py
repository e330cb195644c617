"""Finished files are trusted while they are those that were proven, by the next server too."""

from __future__ import annotations

import pytest

from gvm_server.media import placed as placed_module
from gvm_server.media.memo import Memo
from gvm_server.media.placed import Placed
from tests.unit.server.media.test_cache import alpha_file, flip, made


@pytest.fixture
def memo(tmp_path):
    """What outlives a server."""
    return Memo(tmp_path / "cache")


def test_a_file_that_was_proven_is_not_read_by_the_next_server(tmp_path, memo, monkeypatch):
    """A folder of finished frames costs a look at each."""
    path = alpha_file(tmp_path / "a.exr", 1)
    Placed(memo).remember(path, made(1))
    monkeypatch.setattr(placed_module, "prove_file", lambda _: pytest.fail("it was read"))
    memo.close()
    again = Placed(Memo(tmp_path / "cache"))
    assert again.look(path, made(1).recipe) == (made(1), False)
    assert again.look(path, made(2).recipe) == (None, False)


def test_a_file_that_changed_is_read_and_found_damaged(tmp_path, memo):
    """Since the last server's time; a copy of it elsewhere is read too."""
    path = alpha_file(tmp_path / "a.exr", 1)
    Placed(memo).remember(path, made(1))
    flip(path, -20)
    assert Placed(memo).look(path, made(1).recipe) == (None, True)
    copy = alpha_file(tmp_path / "b.exr", 1)
    assert Placed(memo).look(copy, made(1).recipe) == (made(1), False)


def test_a_record_that_is_none_is_not_believed(tmp_path, memo, monkeypatch):
    """The file is read."""
    path = alpha_file(tmp_path / "a.exr", 1)
    placed = Placed(memo)
    memo.keep("placed", placed_module._key(path, placed_module._version(path)), b"x")
    assert placed.look(path, made(1).recipe) == (made(1), False)


def test_what_another_server_put_there_meanwhile_is_not_taken_for_ours(tmp_path, memo):
    """Two servers write other mattes of one frame: the later file is not believed to be ours."""
    path = alpha_file(tmp_path / "a.exr", 1)
    Placed(memo).remember(path, made(2))
    assert Placed(memo).look(path, made(2).recipe) == (None, False)


def test_a_file_that_goes_away_while_it_is_read_is_not_damaged(tmp_path, memo, monkeypatch):
    """Nobody is told of damage where there was none."""
    path = alpha_file(tmp_path / "a.exr", 1)
    monkeypatch.setattr(placed_module, "prove_file", lambda path: path.unlink())
    assert Placed(memo).look(path, made(1).recipe) == (None, False)
