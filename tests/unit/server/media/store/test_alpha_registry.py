"""Finished files are trusted while they are those that were proven, by the next server too."""

from __future__ import annotations

import os

import numpy as np
import OpenImageIO as oiio
import pytest

from gvm_server.media.store import alpha_registry as placed_module
from gvm_server.media.store.alpha_registry import AlphaRegistry, Verdict
from gvm_server.media.store.memo import Memo
from tests.fakes.plates import write_image
from tests.unit.server.media.store.test_cache import alpha_file, flip, made


@pytest.fixture
def memo(tmp_path):
    """What outlives a server."""
    return Memo(tmp_path / "cache")


def test_a_file_that_was_proven_is_not_read_by_the_next_server(tmp_path, memo, monkeypatch):
    """A folder of finished frames costs a look at each."""
    path = alpha_file(tmp_path / "a.exr", 1)
    AlphaRegistry(memo).remember(path, made(1))
    monkeypatch.setattr(placed_module, "prove_file", lambda _: pytest.fail("it was read"))
    memo.close()
    again = AlphaRegistry(Memo(tmp_path / "cache"))
    assert again.look(path, made(1).recipe) == (made(1), False)
    assert again.look(path, made(2).recipe) == (None, False)


def test_a_file_that_changed_is_read_and_found_damaged(tmp_path, memo):
    """Since the last server's time; a copy of it elsewhere is read too."""
    path = alpha_file(tmp_path / "a.exr", 1)
    AlphaRegistry(memo).remember(path, made(1))
    flip(path, -20)
    assert AlphaRegistry(memo).look(path, made(1).recipe) == (None, True)
    copy = alpha_file(tmp_path / "b.exr", 1)
    assert AlphaRegistry(memo).look(copy, made(1).recipe) == (made(1), False)


def test_a_record_that_is_none_is_not_believed(tmp_path, memo, monkeypatch):
    """The file is read."""
    path = alpha_file(tmp_path / "a.exr", 1)
    placed = AlphaRegistry(memo)
    memo.keep("placed", placed_module._key(path, placed_module._version(path)), b"x")
    assert placed.look(path, made(1).recipe) == (made(1), False)


NOISE = np.random.default_rng(0).bytes(100_000)


def overwrite(path, data, *, at=0):
    """Write into a file; it stays the same one on the disk."""
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def in_its_place(path, data):
    """Let another program write its own bytes into our file, as `cp` does."""
    path.write_bytes(data)


def retouch(path):
    """Write other pixels with every attribute of ours copied, as image tools do."""
    file = oiio.ImageInput.open(str(path))
    spec = file.spec()
    file.close()
    spec.attribute("compression", "none")
    other = path.with_suffix(".tmp.exr")
    out = oiio.ImageOutput.create(str(other))
    assert out.open(str(other), spec)
    assert out.write_image(np.full((spec.height, spec.width, 1), 0.25, np.float32))
    out.close()
    in_its_place(path, other.read_bytes())
    other.unlink()


WRECKS = {
    "empty": lambda path: os.truncate(path, 0),
    "one byte": lambda path: os.truncate(path, 1),
    "100 bytes": lambda path: os.truncate(path, 100),
    "noise over the header": lambda path: overwrite(path, NOISE[: path.stat().st_size // 2]),
    "noise over all": lambda path: overwrite(path, NOISE[: path.stat().st_size]),
    "zeros": lambda path: overwrite(path, bytes(path.stat().st_size)),
    "the stamp's name": lambda path: overwrite(path, b"X", at=path.read_bytes().index(b"gvm:key")),
    "a bit of the header": lambda path: flip(path, 20),
    "the last half": lambda path: os.truncate(path, path.stat().st_size // 2),
}

OTHERS = {
    "a text": lambda path: in_its_place(path, b"notes of the artist\n"),
    "a short thing": lambda path: in_its_place(path, NOISE[:90]),
    "a long thing": lambda path: in_its_place(path, NOISE),
    "room that was taken": lambda path: path.write_bytes(bytes(90)),
    "an image": write_image,
    "a retouched copy": retouch,
}


@pytest.mark.parametrize("name", WRECKS)
def test_what_is_left_of_ours_is_known_by_the_next_server(tmp_path, memo, name):
    """Also where its folder was renamed; not where nobody recorded it."""
    path = alpha_file(tmp_path / "a.exr", 1)
    AlphaRegistry(memo).remember(path, made(1))
    WRECKS[name](path)
    moved = tmp_path / "moved"
    moved.mkdir()
    path = path.rename(moved / path.name)
    assert AlphaRegistry(memo).examine(path) == (Verdict.DAMAGED, None)
    assert AlphaRegistry(memo).is_ours(path)
    assert AlphaRegistry(memo).look(path, made(1).recipe) == (None, True)


@pytest.mark.parametrize("new", [False, True])
@pytest.mark.parametrize("name", OTHERS)
def test_what_others_wrote_is_never_ours(tmp_path, memo, name, new):
    """Into our very file, or into a new one, which may get the old one's place on the disk."""
    path = alpha_file(tmp_path / "a.exr", 1, side=64)
    placed = AlphaRegistry(memo)
    placed.remember(path, made(1))
    if new:
        data = path.read_bytes()
        path.unlink()
        path.write_bytes(data)
    OTHERS[name](path)
    assert placed.examine(path)[0] in {Verdict.FOREIGN, Verdict.CHANGED}
    assert not placed.is_ours(path)
    assert placed.look(path, made(1).recipe) == (None, False)


@pytest.mark.parametrize("name", ["empty", "noise over the header", "zeros", "100 bytes"])
def test_without_a_record_a_wreck_is_nobodys(tmp_path, memo, name):
    """The record was lost, or another machine wrote it."""
    path = alpha_file(tmp_path / "a.exr", 1)
    WRECKS[name](path)
    assert AlphaRegistry(memo).examine(path) == (Verdict.FOREIGN, None)
    assert not AlphaRegistry(memo).is_ours(path)


def test_a_link_is_not_trusted_for_what_it_led_to(tmp_path, memo):
    """Its own times and place do not change when its target does."""
    path = alpha_file(tmp_path / "a.exr", 1)
    link = tmp_path / "link.exr"
    link.symlink_to(path)
    placed = AlphaRegistry(memo)
    placed.remember(link, made(1))
    assert placed.look(link, made(1).recipe) == (None, False)
    assert not placed.is_ours(link)


def test_one_of_ours_that_cannot_be_read_is_made_again(tmp_path, memo, monkeypatch):
    """As long as it was; what has another length may be anybody's."""
    path = alpha_file(tmp_path / "a.exr", 1)
    AlphaRegistry(memo).remember(path, made(1))
    os.utime(path)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)
    monkeypatch.setattr(type(path), "read_bytes", refuse)
    assert AlphaRegistry(memo).examine(path) == (Verdict.DAMAGED, None)
    os.truncate(path, 10)
    assert AlphaRegistry(memo).examine(path) == (Verdict.FOREIGN, None)


def test_what_another_server_put_there_meanwhile_is_not_taken_for_ours(tmp_path, memo):
    """Two servers write other mattes of one frame: the later file is not believed to be ours."""
    path = alpha_file(tmp_path / "a.exr", 1)
    AlphaRegistry(memo).remember(path, made(2))
    assert AlphaRegistry(memo).look(path, made(2).recipe) == (None, False)


def test_a_file_that_goes_away_while_it_is_read_is_not_damaged(tmp_path, memo, monkeypatch):
    """Nobody is told of damage where there was none."""
    path = alpha_file(tmp_path / "a.exr", 1)
    monkeypatch.setattr(placed_module, "prove_file", lambda path: path.unlink())
    assert AlphaRegistry(memo).look(path, made(1).recipe) == (None, False)
