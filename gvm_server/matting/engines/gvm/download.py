"""Downloads the GVM weights of one commit into a folder, with a record of what came.

- The terms are accepted, and the space is there, before the first byte of a weight is asked for.
- What stands is replaced only when everything new has come and its hashes are right; an interrupted
  pull leaves the old weights whole, and goes on where it was.
- The record is written last: a folder with a fitting record is a whole checkpoint.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gvm_client.errors import EngineError, ErrorCode, OutputError, SettingsError
from gvm_client.platform import replace_file
from gvm_server.matting.engines.gvm.contents import sha256_of
from gvm_server.matting.engines.gvm.hub import REPO, Hub, Release, RemoteFile
from gvm_server.matting.engines.gvm.weights_folder import (
    CHECKING,
    CONFIGS,
    CONTACT,
    NETWORKS,
    Manifest,
    Progress,
    counter,
    read_manifest,
    record_file,
    write_manifest,
)
from gvm_server.media.atomic_files import write_failure

DOWNLOADING = "Downloading"
PARTS = ".gvm-pull"
_GIB = 1 << 30
_GIT_HASH_DIGITS = 40


def terms(repo: str, declared: str) -> str:
    """Return the terms to show.

    Args:
        repo: the repository of the weights.
        declared: the licence that the repository declares; "" where it declares none.
    """
    says = f"declares the licence {declared!r}" if declared else "declares no licence"
    return f"""\
The weights of GVM (Generative Video Matting) are not part of this program.

- The authors give GVM for academic use under BSD-2-Clause. Commercial use needs
  an agreement with them: {CONTACT}.
- The weights are made from Stable Video Diffusion, whose own licence by
  Stability AI also holds for them.
- Their repository, {repo}, {says}.

Read both licences; whether your use is allowed is yours to judge."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PullRequest:
    """What to pull.

    Attributes:
        folder: where the weights shall lie.
        revision: a branch, a tag or a commit.
        repo: the repository's name on the Hub.
        endpoint: a mirror's address; None is HF_ENDPOINT, or huggingface.co.
    """

    folder: Path
    revision: str = "main"
    repo: str = REPO
    endpoint: str | None = None


def pull(
    request: PullRequest,
    accept: Callable[[str], bool],
    progress: Progress = lambda *_: None,
) -> Manifest:
    """Bring the weights; what stands already, by its hash, is not asked for again.

    Args:
        request: what to pull, and where to.
        accept: is shown the terms and says whether they are accepted.
        progress: is told how far it is.

    Returns:
        The record that was written.

    Raises:
        SettingsError: the terms were refused, or there is no such revision.
        OutputError: the space does not suffice, or the folder cannot be written.
        EngineError: the Hub cannot be reached, lacks files, or sent other bytes than it promised.
    """
    hub = Hub(request.folder, request.endpoint)
    release = hub.release(request.repo, request.revision)
    _check_whole(release)
    licence = terms(release.repo, release.declared)
    if not accept(licence):
        raise SettingsError(
            f"The terms of {release.repo} were not accepted; nothing was downloaded.",
            remedy="Read them, and accept them with --accept-licence.",
        )
    try:
        with _alone(request.folder):
            manifest = _Pull(request.folder, release, progress).run(hub, licence)
    except OSError as error:
        raise write_failure(request.folder, error) from error
    shutil.rmtree(request.folder / PARTS, ignore_errors=True)
    return manifest


class _Pull:
    """One pull into one folder."""

    def __init__(self, folder: Path, release: Release, progress: Progress) -> None:
        self._folder = folder
        self._release = release
        self._progress = progress
        self._before = _record(folder)
        self._hashes: dict[str, str] = {}

    def run(self, hub: Hub, licence: str) -> Manifest:
        """Fetch what does not stand, check it, put it in place, write the record."""
        wanted = [file for file in self._release.files if not self._stands(file)]
        self._check_space(wanted)
        total = sum(file.size for file in wanted)
        done = 0
        for file in wanted:
            hub.fetch(file, self._part(file), counter(self._progress, DOWNLOADING, done, total))
            done += file.size
        for file in wanted:
            self._check_part(file)
        self._settle(wanted)
        files = {
            name: record_file(self._folder / name, sha256)
            for name, sha256 in sorted(self._hashes.items())
        }
        manifest = Manifest(
            repo=self._release.repo, revision=self._release.commit, licence=licence, files=files
        )
        write_manifest(self._folder, manifest)
        return manifest

    def _part(self, file: RemoteFile) -> Path:
        # Named after the content too, so a part is never continued with another file.
        name = hashlib.sha256(f"{file.name} {file.etag}".encode()).hexdigest()[:16]
        return self._folder / PARTS / f"{name}.part"

    def _stands(self, file: RemoteFile) -> bool:
        path = self._folder / file.name
        if not path.is_file() or path.stat().st_size != file.size:
            return False
        sha256 = self._hash(path)
        if not _fits(path, sha256, file.etag):
            return False
        self._hashes[file.name] = sha256
        return True

    def _check_space(self, wanted: Sequence[RemoteFile]) -> None:
        parts = [self._part(file) for file in wanted]
        needed = sum(file.size for file in wanted)
        needed -= sum(part.stat().st_size for part in parts if part.is_file())
        free = shutil.disk_usage(self._folder).free
        if needed > free:
            raise OutputError(
                f"The weights need {needed / _GIB:.2f} GiB more ({needed} bytes);"
                f" {free / _GIB:.2f} GiB ({free} bytes) are free in {self._folder}.",
                remedy="Free some space, or name a folder on another disk with --weights.",
                code=ErrorCode.DISK_FULL,
                path=str(self._folder),
            )

    def _check_part(self, file: RemoteFile) -> None:
        part = self._part(file)
        sha256 = self._hash(part)
        if not _fits(part, sha256, file.etag):
            part.unlink()
            raise EngineError(
                f"{file.name} arrived damaged: its hash is {sha256}, {file.etag} was promised.",
                remedy="Run `gvm weights pull` again: this file is fetched anew.",
                code=ErrorCode.ENGINE_UNAVAILABLE,
                path=str(self._folder / file.name),
            )
        self._hashes[file.name] = sha256

    def _settle(self, wanted: Sequence[RemoteFile]) -> None:
        """Put the parts in their places, and take away what only the last release had."""
        for file in wanted:
            path = self._folder / file.name
            path.parent.mkdir(exist_ok=True)
            replace_file(self._part(file), path)
        for name in self._before.files if self._before else ():
            if name not in self._hashes:
                (self._folder / name).unlink(missing_ok=True)

    def _hash(self, path: Path) -> str:
        total = path.stat().st_size
        return sha256_of(path, counter(self._progress, CHECKING, 0, total))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep two pulls from writing into the same parts."""
    from filelock import FileLock, Timeout  # noqa: PLC0415 - huggingface_hub brings it

    parts = folder / PARTS
    parts.mkdir(parents=True, exist_ok=True)
    lock = FileLock(parts / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise EngineError(
            f"Another pull writes into {folder}.",
            remedy="Wait until it is done.",
            code=ErrorCode.ENGINE_UNAVAILABLE,
            path=str(folder),
        ) from error
    try:
        yield
    finally:
        lock.release()


def _record(folder: Path) -> Manifest | None:
    try:
        return read_manifest(folder)
    except EngineError:
        return None  # a damaged record is replaced by this pull


def _check_whole(release: Release) -> None:
    names = {file.name for file in release.files}
    lacks = [name for name in CONFIGS if name not in names]
    lacks += [
        f"{network}/*.safetensors"
        for network in NETWORKS
        if not any(name.startswith(f"{network}/diffusion") for name in names)
    ]
    if lacks:
        raise EngineError(
            f"{release.repo} lacks {', '.join(lacks)} at {release.commit[:8]}.",
            remedy="Name another revision with --revision.",
            code=ErrorCode.ENGINE_UNAVAILABLE,
        )


def _fits(path: Path, sha256: str, etag: str) -> bool:
    """Return whether a file has the hash that the Hub promised: SHA-256, or git's of a blob."""
    if len(etag) != _GIT_HASH_DIGITS:
        return sha256 == etag
    content = path.read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
    return blob.hexdigest() == etag
