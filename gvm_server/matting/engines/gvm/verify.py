"""Says what is wrong with a folder of GVM weights: all of it, not just the first thing.

Laws:
1. Nothing here imports torch: weights can be judged where they cannot be run.
2. Each problem names its place and what to do; of one file the first problem is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gvm_client.errors import EngineError
from gvm_server.matting.engines.gvm.layout import Shapes, unet_shapes, vae_shapes
from gvm_server.matting.engines.gvm.lora import adapter_file
from gvm_server.matting.engines.gvm.reading import read_config
from gvm_server.matting.engines.gvm.store import (
    NETWORKS,
    FileRecord,
    Manifest,
    Progress,
    counter,
    missing_files,
    read_manifest,
    sha256_of,
)
from gvm_server.matting.engines.gvm.weights import (
    StoredTensor,
    check_layout,
    read_header,
    stored_tensors,
    weight_files,
)

CHECKING = "Checking"

_REMEDY = "Run `gvm weights pull` again: it fetches what is missing or wrong."


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that is wrong: a sentence with the values, the file or folder, what to do."""

    what: str
    where: str
    remedy: str


def verify(folder: Path, progress: Progress = lambda *_: None) -> list[Problem]:
    """Check the files, the configs, the tensors' names and shapes, and the recorded hashes.

    Args:
        folder: should hold `unet/`, `vae/` and `scheduler/`.
        progress: is told how many bytes have been hashed.

    Returns:
        The problems in the order of these checks; none where the weights are good. Hashes are
        compared only where a pull left its record.
    """
    problems: dict[str, Problem] = {}
    for problem in _problems(folder, progress):
        problems.setdefault(problem.where, problem)
    return list(problems.values())


def _problems(folder: Path, progress: Progress) -> Iterator[Problem]:
    try:
        for name in missing_files(folder):
            where = str(folder / name)
            yield Problem(what=f"{name} is missing.", where=where, remedy=_REMEDY)
        adapter_file(folder / "unet")
    except EngineError as error:
        yield _problem(error)
    yield from _networks(folder)
    try:
        manifest = read_manifest(folder)
    except EngineError as error:
        yield _problem(error)
    else:
        if manifest is not None:
            yield from _hashes(folder, manifest, progress)


def _networks(folder: Path) -> Iterator[Problem]:
    expected: dict[str, Shapes] = {}
    try:
        config = read_config(folder)
        expected = {"unet": unet_shapes(config.unet), "vae": vae_shapes(config.vae)}
    except EngineError as error:
        yield _problem(error)
    for network in NETWORKS:
        yield from _network(folder / network, expected.get(network))


def _network(folder: Path, expected: Shapes | None) -> Iterator[Problem]:
    try:
        headers = [_header(path) for path in weight_files(folder)]
        damaged = [found for found in headers if isinstance(found, EngineError)]
        yield from map(_problem, damaged)
        if expected is not None and not damaged:
            check_layout(stored_tensors(folder), expected, folder)
    except EngineError as error:
        yield _problem(error)


def _header(path: Path) -> dict[str, StoredTensor] | EngineError:
    try:
        return read_header(path)
    except EngineError as error:
        return error


def _hashes(folder: Path, manifest: Manifest, progress: Progress) -> Iterator[Problem]:
    total = sum(record.size for record in manifest.files.values())
    before = 0
    for name, record in sorted(manifest.files.items()):
        what = _difference(folder / name, record, counter(progress, CHECKING, before, total))
        if what:
            yield Problem(what=f"{name} {what}.", where=str(folder / name), remedy=_REMEDY)
        before += record.size


def _difference(path: Path, record: FileRecord, hashed: Callable[[int], None]) -> str:
    """Return what is not as it was pulled, or ""."""
    try:
        size = path.stat().st_size
        if size != record.size:
            return f"has {size} bytes; {record.size} were pulled"
        found = sha256_of(path, hashed)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    same = found == record.sha256
    return "" if same else f"has the SHA-256 {found}; {record.sha256} was pulled"


def _problem(error: EngineError) -> Problem:
    return Problem(what=error.message, where=error.path, remedy=error.remedy)
