"""Facts that outlive a server, and what damages them."""

from __future__ import annotations

import os
import random
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from gvm_server.media.store import memo as memo_module
from gvm_server.media.store.memo import MOST, NOTHING, Memo


def file_of(folder: Path) -> Path:
    """Return the one file that facts are kept in."""
    (path,) = folder.glob("*.sqlite")
    return path


def test_a_fact_is_known_to_the_next_server(tmp_path: Path):
    """By kind and key; the newest of a key; the file is its owner's."""
    folder = tmp_path / "new" / "cache"
    memo = Memo(folder)
    assert memo.recall("hash", b"a") is None
    memo.keep("hash", b"a", b"old")
    memo.keep("hash", b"a", b"fact")
    memo.close()
    again = Memo(folder)
    assert again.recall("hash", b"a") == b"fact"
    assert again.recall("index", b"a") is None
    assert again.recall("hash", b"b") is None
    assert stat.S_IMODE(file_of(folder).stat().st_mode) == 0o600
    again.clear()
    assert again.recall("hash", b"a") is None


def test_facts_are_kept_and_recalled_together(tmp_path: Path):
    """Those that are known, of the kind that is asked for; the newest of a key."""
    memo = Memo(tmp_path)
    facts = {b"%d" % number: b"fact %d" % number for number in range(MOST)}
    memo.keep("hash", b"0", b"old")
    memo.keep_all("hash", facts)
    memo.keep_all("hash", {})
    asked = [*list(facts)[:-1], b"unknown"]
    assert memo.recall_all("hash", asked) == {key: facts[key] for key in asked[:-1]}
    assert memo.recall_all("index", asked) == {}
    assert memo.recall_all("hash", ()) == {}


@pytest.mark.parametrize("damage", ["noise", "short", "folder"])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, damage: str):
    """What was known is lost, and nothing else."""
    memo = Memo(tmp_path)
    for number in range(300):
        memo.keep("hash", b"%d" % number, b"fact" * 20)
    memo.close()
    path = file_of(tmp_path)
    if damage == "noise":
        path.write_bytes(b"SQLite format 3\0" + os.urandom(5000))
    elif damage == "short":
        os.truncate(path, path.stat().st_size // 2 + 100)
    else:
        path.unlink()
        path.mkdir()
    again = Memo(tmp_path)
    assert again.recall("hash", b"7") in (None, b"fact" * 20)
    again.keep("hash", b"new", b"1")
    assert again.recall("hash", b"new") == (None if damage == "folder" else b"1")


def test_damage_anywhere_in_the_file_is_neither_believed_nor_raised(tmp_path: Path):
    """Pages, their pointers and the schema, which SQLite quotes in its reasons as it finds them."""
    source = random.Random(1)
    for number in range(40):
        memo = Memo(tmp_path / str(number))
        facts = {b"%d" % key: bytes([key]) * (3 * key) for key in range(50)}
        for key, fact in facts.items():
            memo.keep("hash", key, fact)
        memo.close()
        path = file_of(tmp_path / str(number))
        data = bytearray(path.read_bytes())
        if number == 0:
            data = data.replace(b"facts", b"f\xd4cts").replace(b"TABLE", b"T\xd4BLE")
        else:
            for _ in range(200):
                data[source.randrange(100, len(data))] ^= 1 << source.randrange(8)
        path.write_bytes(data)
        again = Memo(tmp_path / str(number))
        for key, fact in facts.items():
            assert again.recall("hash", key) in (None, fact)
            again.keep("hash", key, fact)
        again.keep("hash", b"new", b"1")
        assert again.recall("hash", b"new") == b"1"
        again.close()


def test_a_file_that_another_server_holds_for_long_costs_one_wait(tmp_path: Path, monkeypatch):
    """That server may be stopped in the midst of a write."""
    monkeypatch.setattr(memo_module, "_BUSY_SECONDS", 0.2)
    memo = Memo(tmp_path)
    memo.keep("hash", b"a", b"1")
    memo.close()
    with closing(sqlite3.connect(file_of(tmp_path), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        for number in range(100):
            memo.keep("hash", b"%d" % number, b"2")
        assert time.monotonic() - began < 100 * 0.2 / 4
        other.execute("ROLLBACK")
    monkeypatch.setattr(memo, "_rests_until", 0.0)
    memo.keep("hash", b"a", b"3")
    assert memo.recall("hash", b"a") == b"3"


def test_a_fact_that_was_altered_is_not_believed(tmp_path: Path):
    """Each proves itself: another key's value, and other bytes."""
    memo = Memo(tmp_path)
    memo.keep("hash", b"a", b"of a")
    memo.keep("hash", b"b", b"of b")
    memo.close()
    with sqlite3.connect(file_of(tmp_path)) as database:
        database.execute(
            "UPDATE facts SET value = (SELECT value FROM facts WHERE key = ?) WHERE key = ?",
            (b"a", b"b"),
        )
    database.close()
    again = Memo(tmp_path)
    assert again.recall("hash", b"a") == b"of a"
    assert again.recall("hash", b"b") is None


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Counted now and then."""
    monkeypatch.setattr(memo_module, "_LOOK_EVERY", 10)
    memo = Memo(tmp_path, limit=20)
    for number in range(100):
        memo.keep("hash", b"%d" % number, b"fact")
    assert memo.recall("hash", b"0") is None
    assert memo.recall("hash", b"99") == b"fact"
    with sqlite3.connect(file_of(tmp_path)) as database:
        assert database.execute("SELECT count(*) FROM facts").fetchone()[0] == 20
    database.close()


def test_several_threads_and_processes_keep_facts_at_once(tmp_path: Path):
    """All that they kept is there."""
    code = (
        "import sys; from pathlib import Path; from gvm_server.media.store.memo import Memo;"
        " memo = Memo(Path(sys.argv[1]));"
        " [memo.keep(sys.argv[2], b'%d' % n, b'x') for n in range(200)]"
    )
    words = [sys.executable, "-c", code, str(tmp_path)]
    others = [subprocess.Popen([*words, name]) for name in "ab"]
    memo = Memo(tmp_path)

    def keep(kind: str) -> None:
        for number in range(200):
            memo.keep(kind, b"%d" % number, b"x")

    threads = [threading.Thread(target=keep, args=(name,)) for name in "cd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait() for process in others] == [0, 0]
    for kind in "abcd":
        assert all(memo.recall(kind, b"%d" % number) == b"x" for number in range(200))


def test_where_nothing_can_be_kept_nothing_is_known():
    """A cache of no size, and a place that is no folder."""
    for memo in (NOTHING, Memo(Path("/dev/null/cache"))):
        memo.keep("hash", b"a", b"fact")
        assert memo.recall("hash", b"a") is None


def test_a_database_that_stays_busy_is_waited_for_once(tmp_path: Path, monkeypatch):
    """Each fact of ten thousand frames would wait as long again; later it is asked again."""
    monkeypatch.setattr(memo_module, "_BUSY_SECONDS", 0.05)
    memo = Memo(tmp_path)
    memo.keep("hash", b"a", b"old")
    with closing(sqlite3.connect(file_of(tmp_path), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        memo.close()
        began = time.monotonic()
        for number in range(200):
            memo.keep("hash", b"%d" % number, b"fact")
        assert time.monotonic() - began < 5
        other.execute("ROLLBACK")
    monkeypatch.setattr(memo, "_rests_until", 0.0)
    assert memo.recall("hash", b"a") == b"old"
    memo.keep("hash", b"a", b"new")
    assert memo.recall("hash", b"a") == b"new"


def test_asking_makes_no_file(tmp_path: Path):
    """A command that only looks leaves nothing behind."""
    assert Memo(tmp_path / "cache").recall("hash", b"a") is None
    assert not (tmp_path / "cache").exists()


def test_a_folder_that_cannot_be_looked_into_holds_nothing(tmp_path: Path):
    """Whoever may not enter it asks as here, of too long a name: each job failed of its cache."""
    memo = Memo(tmp_path / ("x" * 300))
    memo.keep("kind", b"key", b"fact")
    assert memo.recall("kind", b"key") is None
