"""Small facts about files, kept on disk from one server to the next: a hash, an index, a stamp.

- A fact is found by the version of the file that it is about; of another version nothing is known.
- What cannot be kept or read costs a little time, never a job. A file that is damaged is begun
  anew, and each fact proves itself by a checksum. One that another server has held for seconds
  (it may be stopped) is let alone for a while.
- Each machine has a file of its own: SQLite's locks do not hold on every shared disk.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from threading import Lock

from gvm_server.media.atomic_files import host_name

LIMIT = 1 << 20  # facts; about 200 MB
MOST = 256  # facts asked for or kept at a time: SQLite takes 999 values where it is old
_SUM_BYTES = 8
_LOOK_EVERY = 4096  # facts kept between two looks at how many there are
_BUSY_SECONDS = 5.0  # for another server of this machine
_PAGES_KIB = 256  # of the file in memory; the system has the others
_REST_SECONDS = 60.0  # after one was waited for in vain
# Python cannot read SQLite's reason where it quotes what is damaged.
_DAMAGED = (sqlite3.Error, UnicodeError)

_log = logging.getLogger(__name__)


class Memo:
    """Facts by kind and key; safe to use from several threads, and by several servers at once.

    Args:
        folder: where they are kept; None keeps none.
        limit: facts that are kept; the oldest go first.
        learns: whether new facts are kept.
    """

    def __init__(self, folder: Path | None, limit: int = LIMIT, *, learns: bool = True) -> None:
        self._learns = learns
        self._connection: sqlite3.Connection | None = None
        self._path = None if folder is None else folder / f"facts-{host_name()}.sqlite"
        self._limit = limit
        self._lock = Lock()
        self._kept = 0
        self._rests_until = 0.0

    def recall(self, kind: str, key: bytes) -> bytes | None:
        """Return a fact; None where it is not known."""
        return self.recall_all(kind, (key,)).get(key)

    def recall_all(self, kind: str, keys: Collection[bytes]) -> dict[bytes, bytes]:
        """Return those of these facts that are known, at most MOST of them, by their keys."""
        if self._path is None or (self._connection is None and not _exists(self._path)):
            return {}  # asking makes no folder
        which = ", ".join("?" * len(keys))
        statement = f"SELECT key, value FROM facts WHERE kind = ? AND key IN ({which})"  # noqa: S608
        with self._lock:
            rows = self._do(statement, kind, *keys)
        facts = {}
        for key, value in rows:
            if isinstance(key, bytes) and isinstance(value, bytes):
                fact, proof = value[:-_SUM_BYTES], value[-_SUM_BYTES:]
                if proof == _sum(kind, key, fact):
                    facts[key] = fact
        return facts

    def keep(self, kind: str, key: bytes, fact: bytes) -> None:
        """Keep a fact, in the place of an older one of the same key."""
        self.keep_all(kind, {key: fact})

    def keep_all(self, kind: str, facts: Mapping[bytes, bytes]) -> None:
        """Keep facts, at most MOST of them, each in the place of an older one of the same key."""
        if not self._learns or not facts:
            return
        rows = [(kind, key, fact + _sum(kind, key, fact)) for key, fact in facts.items()]
        places = ", ".join(["(?, ?, ?)"] * len(rows))
        statement = f"INSERT OR REPLACE INTO facts VALUES {places}"  # noqa: S608
        with self._lock:
            self._do(statement, *chain.from_iterable(rows))
            before, self._kept = self._kept, self._kept + len(rows)
            if self._kept // _LOOK_EVERY > before // _LOOK_EVERY:
                self._forget()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._do("DELETE FROM facts")

    def close(self) -> None:
        """Give the file back; it is opened again where it is needed."""
        with self._lock:
            self._close()

    def __del__(self) -> None:
        self._close()

    def _forget(self) -> None:
        newest = "SELECT rowid FROM facts ORDER BY rowid DESC LIMIT ?"
        self._do(f"DELETE FROM facts WHERE rowid NOT IN ({newest})", self._limit)  # noqa: S608

    def _do(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Run a statement; a file that is no database, or is damaged, is removed and begun anew."""
        began = time.monotonic()
        if self._path is None or began < self._rests_until:
            return []
        try:
            return self._run(self._path, statement, values)
        except sqlite3.OperationalError as error:
            _log.debug("%s: %s", self._path, error)  # busy, full, not writable: not now
            self._close()
            if (now := time.monotonic()) - began >= _BUSY_SECONDS:
                self._rests_until = now + _REST_SECONDS
        except _DAMAGED as error:
            _log.warning("%s is damaged and is begun anew: %s", self._path, error)
            self._remove(self._path)
            with suppress(*_DAMAGED):
                return self._run(self._path, statement, values)
        return []

    def _run(
        self, path: Path, statement: str, values: tuple[object, ...]
    ) -> list[tuple[object, ...]]:
        return self._opened(path).execute(statement, values).fetchall()

    def _remove(self, path: Path) -> None:
        self._close()
        for ending in ("", "-wal", "-shm", "-journal"):
            with suppress(OSError):
                path.with_name(path.name + ending).unlink()

    def _opened(self, path: Path) -> sqlite3.Connection:
        if self._connection is None:
            with suppress(OSError):
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connection = connection
            connection.execute(f"PRAGMA cache_size = -{_PAGES_KIB}")
            # A fact that is lost with the power is found again.
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS facts"
                " (kind TEXT, key BLOB, value BLOB, UNIQUE (kind, key))"
            )
            with suppress(OSError):
                path.chmod(0o600)
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


NOTHING = Memo(None)


def _exists(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110 - a folder that may not be entered says no, not why


def _sum(kind: str, key: bytes, fact: bytes) -> bytes:
    parts = (kind.encode(), key, fact)
    digest = blake2b(digest_size=_SUM_BYTES)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()
