"""A Hugging Face Hub on the loopback that has one repository, cuts lines, and remembers who asked.

It answers what `huggingface_hub` asks for a pull: the repository's state at a revision with sizes
and hashes, and a file's bytes at a commit, also from a byte on. Large files are sent by another
host, its content network, to which it redirects.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urlsplit

REPO = "geyongtao/gvm"
LICENCE = "bsd-2-clause"


@dataclass(kw_only=True)
class Faults:
    """What goes wrong.

    Attributes:
        cut_after: bytes of an answer's body after which the line is cut, one entry a cut.
        stall_after: bytes of a large file after which nothing more comes; 0 means never.
        down_after_cuts: the Hub answers 503 once the cuts are used up.
        claimed_sizes: sizes that the Hub claims of files, by name.
        damaged: files that are sent with one byte changed.
        bare: the state at a revision gives the files' names only, as some mirrors do.
        portal: every answer is a login page.
    """

    cut_after: list[int] = field(default_factory=list)
    stall_after: int = 0
    down_after_cuts: bool = False
    claimed_sizes: dict[str, int] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)
    bare: bool = False
    portal: bool = False


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request: its method, its path without the query, and its Range header."""

    method: str
    path: str
    range: str


class FakeHub:
    """Serves from the first line of the `with` block to its last."""

    def __init__(self) -> None:
        self.commits: dict[str, dict[str, bytes]] = {}
        self.branches: dict[str, str] = {}
        self.faults = Faults()
        self.asked: list[Asked] = []
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> FakeHub:  # noqa: PYI034 (`Self` is not in Python 3.10)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def content_network(self) -> str:
        """The address of the host that sends large files."""
        return self.endpoint.replace("127.0.0.1", "localhost")

    def push(self, folder: Path, *, branch: str = "main", more: Mapping[str, bytes] = {}) -> str:
        """Make a commit of a checkpoint's folder and of further files; return its hash."""
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        files |= more
        named = "".join(f"{name} {_sha256(files[name])}" for name in sorted(files))
        commit = hashlib.sha1(named.encode()).hexdigest()
        self.commits[commit] = files
        self.branches[branch] = commit
        return commit

    def fetched(self) -> list[str]:
        """Return the names of the files whose bytes were asked for, in order."""
        paths = (asked.path for asked in self.asked if asked.method == "GET")
        return [path.split("/", 5)[5] for path in paths if "/resolve/" in path]

    def state(self, commit: str) -> dict[str, object]:
        """Return what the Hub says of a commit."""
        files = self.commits[commit]
        siblings = [self._sibling(name, files[name]) for name in files]
        if self.faults.bare:
            siblings = [{"rfilename": sibling["rfilename"]} for sibling in siblings]
        return {
            "id": REPO,
            "sha": commit,
            "siblings": siblings,
            "cardData": {"license": LICENCE},
            "tags": [],
        }

    def _sibling(self, name: str, content: bytes) -> dict[str, object]:
        size = self.faults.claimed_sizes.get(name, len(content))
        sibling: dict[str, object] = {"rfilename": name, "size": size, "blobId": _blob(content)}
        if is_large(name):
            sibling["lfs"] = {"size": size, "sha256": _sha256(content), "pointerSize": 134}
        return sibling


def is_large(name: str) -> bool:
    """Return whether the Hub keeps a file outside git."""
    return name.endswith(".safetensors")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: ClassVar[FakeHub]

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Keep the terminal quiet."""

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        span = self.headers.get("Range", "")
        self.hub.asked.append(Asked(method=self.command, path=path, range=span))
        if self.hub.faults.portal:
            self._send(200, b"<html>Please log in</html>")
        elif match := re.fullmatch(rf"/api/models/{REPO}/revision/(.+)", path):
            self._state(match[1])
        elif match := re.fullmatch(rf"/{REPO}/resolve/([0-9a-f]+)/(.+)", path):
            self._resolve(match[1], match[2], span)
        elif match := re.fullmatch(r"/cdn/([0-9a-f]+)/(.+)", path):
            self._file(match[1], match[2], span)
        else:
            self._send(404, b"", {"X-Error-Code": "RepoNotFound"})

    def _state(self, revision: str) -> None:
        commit = self.hub.branches.get(revision, revision)
        if commit not in self.hub.commits:
            self._send(404, b"", {"X-Error-Code": "RevisionNotFound"})
            return
        body = json.dumps(self.hub.state(commit)).encode()
        self._send(200, body, {"Content-Type": "application/json"})

    def _resolve(self, commit: str, name: str, span: str) -> None:
        faults = self.hub.faults
        if faults.down_after_cuts and not faults.cut_after and span:
            self._send(503, b"")
        elif is_large(name):
            content = self.hub.commits[commit][name]
            headers = {
                "Location": f"{self.hub.content_network}/cdn/{commit}/{name}",
                "X-Linked-Size": str(len(content)),
                "X-Linked-ETag": f'"{_sha256(content)}"',
                "X-Repo-Commit": commit,
            }
            self._send(302, b"", headers)
        else:
            self._file(commit, name, span)

    def _file(self, commit: str, name: str, span: str) -> None:
        content = self.hub.commits[commit][name]
        headers = {"ETag": f'"{_blob(content)}"', "Accept-Ranges": "bytes"}
        if name in self.hub.faults.damaged:
            content = content[:-1] + bytes([content[-1] ^ 1])
        start = int(span.removeprefix("bytes=").partition("-")[0]) if span else 0
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        headers["X-Repo-Commit"] = commit
        self._send(206 if start else 200, content[start:], headers, may_cut=is_large(name))

    def _send(
        self,
        status: int,
        body: bytes,
        headers: Mapping[str, str] = {},
        *,
        may_cut: bool = False,
    ) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if may_cut and self.hub.faults.cut_after:
            body = body[: self.hub.faults.cut_after.pop(0)]
            self.close_connection = True
        stall = self.hub.faults.stall_after if may_cut else 0
        self.wfile.write(body[: stall or None])
        if stall and len(body) > stall:
            self.connection.recv(1)  # until the other side is gone
            self.close_connection = True


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
