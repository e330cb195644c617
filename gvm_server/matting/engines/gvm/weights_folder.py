"""The folder of the GVM weights: where it is, what was pulled into it, and what is wrong with it.

- Nothing here imports torch or reads a tensor (test_nothing_heavy_is_imported): a server asks at
  each start, and weights can be checked where they cannot be run.
- The record, `gvm-weights.json` beside `unet/`, `vae/` and `scheduler/`, is believed while the
  files have the sizes and times that it knows; else the files' bytes are asked.
- Only files that the loader would read count; names are relative to the folder, with `/`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeAlias

from platformdirs import user_data_path

from gvm_client.errors import EngineError, ErrorCode, SettingsError
from gvm_client.folders import below_home, expanded
from gvm_server.matting.engines.gvm.checkpoint import (
    STEM,
    Shapes,
    StoredTensor,
    check_layout,
    read_header,
    stored_tensors,
    unet_shapes,
    vae_shapes,
    weight_files,
)
from gvm_server.matting.engines.gvm.config_files import read_config
from gvm_server.matting.engines.gvm.contents import content_of, sha256_of
from gvm_server.matting.engines.gvm.lora import CONFIG, FILES, adapter_file
from gvm_server.media.atomic_files import replacing

Progress: TypeAlias = Callable[[str, int, int], None]
"""Is told what is done, the bytes done of it, and the bytes in all."""

MANIFEST = "gvm-weights.json"
CONTACT = "chhshen@gmail.com"  # the authors': commercial use needs an agreement with them
ACADEMIC_USE, COMMERCIAL_USE = USES = ("academic", "commercial")
NETWORKS = ("unet", "vae")
CONFIGS = ("unet/config.json", "vae/config.json", "scheduler/scheduler_config.json")

_PATTERNS = (
    *CONFIGS,
    *(f"{network}/{STEM}.safetensors" for network in NETWORKS),
    *(f"{network}/{STEM}-*-of-*.safetensors" for network in NETWORKS),
    *(f"{network}/{STEM}.safetensors.index.json" for network in NETWORKS),
    *(f"unet/{name}" for name in (CONFIG, *FILES)),
)
_TIME_SLACK_NS = 2_000_000_000  # archives keep whole seconds, FAT every second one
CHECKING = "Checking"
_REMEDY = "Run `gvm weights pull` again: it fetches what is missing or wrong."


@dataclass(frozen=True, kw_only=True, slots=True)
class FileRecord:
    """What one file was when it was pulled."""

    size: int
    sha256: str
    mtime_ns: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What was pulled.

    Attributes:
        repo: the repository's name on the Hub.
        revision: the commit that the asked revision stood for.
        licence: the text that was shown and accepted.
        files: every file, by name.
        use: what the terms allow: ACADEMIC_USE as released; who has an agreement with the authors
            writes COMMERCIAL_USE into the record.
    """

    repo: str
    revision: str
    licence: str
    files: Mapping[str, FileRecord]
    use: str = ACADEMIC_USE

    def __post_init__(self) -> None:
        if self.use not in USES:
            raise ValueError(f"use is {self.use!r}; it must be {' or '.join(USES)}")


def weights_dir(explicit: Path | None) -> Path:
    """Return the folder of the weights: the one that was named, else the user's own.

    Raises:
        SettingsError: none was named, and there is no home folder.
    """
    if explicit is not None:
        return expanded(explicit).absolute()
    return below_home(lambda: Path(user_data_path("gvm"))) / "weights"


def find_weights(explicit: Path | None) -> Path | None:
    """Return the folder of the weights if all that a checkpoint needs is in it.

    Raises:
        EngineError: an index of shards is damaged.
    """
    try:
        folder = weights_dir(explicit)
    except SettingsError:
        return None  # without a home folder there are none in it
    return None if missing_files(folder) else folder


def missing_files(folder: Path) -> list[str]:
    """Return the names of the files that a checkpoint needs and the folder lacks.

    Raises:
        EngineError: an index of shards is damaged.
    """
    needed = [folder / name for name in CONFIGS]
    for network in NETWORKS:
        needed += weight_files(folder / network)
    return [path.relative_to(folder).as_posix() for path in needed if not path.is_file()]


def is_weights_file(name: str) -> bool:
    """Return whether the loader would read a file of this name."""
    return any(fnmatchcase(name, pattern) for pattern in _PATTERNS)


def read_manifest(folder: Path) -> Manifest | None:
    """Return the record of a folder, or None where there is none.

    Raises:
        EngineError: it cannot be read, or is not such a record.
    """
    path = folder / MANIFEST
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        files = {str(name): FileRecord(**entry) for name, entry in fields.pop("files").items()}
        manifest = Manifest(**fields, files=files)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EngineError(
            f"The record {path} cannot be read ({error}).",
            remedy="Run `gvm weights pull` again, or delete the record to use the folder as it is.",
            code=ErrorCode.ENGINE_UNAVAILABLE,
            path=str(path),
        ) from error
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the record of a folder, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    text = json.dumps(asdict(manifest), indent=2) + "\n"
    with replacing(folder / MANIFEST, size_hint=len(text)) as temporary:
        temporary.write_text(text, encoding="utf-8")


def record_file(path: Path, sha256: str) -> FileRecord:
    """Return the record of a file with this hash, as it lies there now."""
    stat = path.stat()
    return FileRecord(size=stat.st_size, sha256=sha256, mtime_ns=stat.st_mtime_ns)


def retimed(manifest: Manifest, folder: Path) -> Manifest:
    """Return the record with the times that the files have now; for hashes that were compared."""
    files = {
        name: record_file(folder / name, record.sha256) for name, record in manifest.files.items()
    }
    return replace(manifest, files=files)


def agrees(manifest: Manifest, folder: Path) -> bool:
    """Return whether the files are those of the record, by names, sizes and times."""
    if set(manifest.files) != set(_present(folder)):
        return False
    return all(_unchanged(folder / name, record) for name, record in manifest.files.items())


def engine_revision(folder: Path) -> str:
    """Return a short word that changes whenever the weights change; it goes into every key.

    The word is the pulled commit and a hash of the files' hashes; for a folder whose record does
    not fit, or that has none, `local` and that hash. Both are the same on every machine. Where the
    record is not there, or knows other times, the files are read once in a process.

    Args:
        folder: one that `find_weights` found.

    Raises:
        EngineError: the record or a file cannot be read.
    """
    manifest = read_manifest(folder)
    recorded = {} if manifest is None else _hashes_in(manifest)
    try:
        if manifest is not None and agrees(manifest, folder):
            found = recorded
        else:
            found = {name: content_of(folder / name) for name in _present(folder)}
    except OSError as error:
        raise EngineError(
            f"The weights in {folder} cannot be read: {error.strerror}.",
            remedy="Check that you may read the files there.",
            code=ErrorCode.ENGINE_UNAVAILABLE,
            path=str(folder),
        ) from error
    source = manifest.revision[:8] if manifest is not None and found == recorded else "local"
    return f"{source}-{_short_hash(found)}"


def counter(progress: Progress, what: str, before: int, total: int) -> Callable[[int], None]:
    """Return what one file's count goes to, where `before` bytes of `total` were done."""
    return lambda count: progress(what, before + count, total)


def _present(folder: Path) -> list[str]:
    rooms = {pattern.partition("/")[0] for pattern in _PATTERNS}
    names = (f"{room}/{path.name}" for room in rooms for path in (folder / room).glob("*"))
    return sorted(name for name in names if is_weights_file(name))


def _unchanged(path: Path, record: FileRecord) -> bool:
    stat = path.stat()
    late = abs(stat.st_mtime_ns - record.mtime_ns)
    return stat.st_size == record.size and late <= _TIME_SLACK_NS


def _hashes_in(manifest: Manifest) -> dict[str, str]:
    return {name: record.sha256 for name, record in manifest.files.items()}


def _short_hash(hashes: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()[:12]


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
