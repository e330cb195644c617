"""Says what is wrong with a folder of GVM weights: all of it, not just the first thing.

Laws:
1. Nothing here imports torch: weights can be judged where they cannot be run.
2. Each problem names its place and what to do; a file is named once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gvm_client.errors import EngineError
from gvm_server.matting.gvm.config import CheckpointConfig
from gvm_server.matting.gvm.layout import unet_shapes, vae_shapes
from gvm_server.matting.gvm.lora import adapter_file
from gvm_server.matting.gvm.reading import read_config
from gvm_server.matting.gvm.store import (
    NETWORKS,
    Manifest,
    Progress,
    missing_files,
    read_manifest,
    sha256_of,
)
from gvm_server.matting.gvm.weights import check_layout, read_header, stored_tensors, weight_files

CHECKING = "Checking"

_PULL_AGAIN = "Run `gvm weights pull` again: it fetches what is missing or wrong."


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that is wrong: a sentence with the values, the file or folder, what to do."""

    what: str
    where: str
    remedy: str


def verify(folder: Path, progress: Progress = lambda *_: None) -> list[Problem]:
    """Check the layout, the configs, the tensors' names and shapes, and the recorded hashes.

    Args:
        folder: should hold `unet/`, `vae/` and `scheduler/`.
        progress: is told how many bytes have been hashed.

    Returns:
        The problems in the order of these checks; none where the weights are good. Hashes are
        compared only where a pull left its record.
    """
    problems: list[Problem] = []
    for check in (_layout, _headers, _tensors, _adapter):
        problems += check(folder)
    named = {problem.where for problem in problems}
    problems += [found for found in _hashes(folder, progress) if found.where not in named]
    return list(dict.fromkeys(problems))


def _layout(folder: Path) -> Iterator[Problem]:
    try:
        missing = missing_files(folder)
    except EngineError as error:
        yield _problem(error)
        return
    for name in missing:
        yield Problem(
            what=f"{name} is missing.", where=str(folder / name), remedy=_PULL_AGAIN
        )


def _headers(folder: Path) -> Iterator[Problem]:
    """Find files that are cut short or are not safetensors."""
    for network in NETWORKS:
        for path in _standing(folder / network):
            yield from _caught(lambda path=path: read_header(path))


def _tensors(folder: Path) -> Iterator[Problem]:
    """Find configs that are not GVM's, and tensors that do not fit them."""
    if any(_layout(folder)) or any(_headers(folder)):
        return
    try:
        config = read_config(folder)
    except EngineError as error:
        yield _problem(error)
        return
    yield from _caught(lambda: _check_unet(folder / "unet", config))
    yield from _caught(lambda: _check_vae(folder / "vae", config))


def _check_unet(folder: Path, config: CheckpointConfig) -> None:
    check_layout(stored_tensors(folder), unet_shapes(config.unet), folder)


def _check_vae(folder: Path, config: CheckpointConfig) -> None:
    check_layout(stored_tensors(folder), vae_shapes(config.vae), folder)


def _adapter(folder: Path) -> Iterator[Problem]:
    yield from _caught(lambda: adapter_file(folder / "unet"))


def _hashes(folder: Path, progress: Progress) -> Iterator[Problem]:
    try:
        manifest = read_manifest(folder)
    except EngineError as error:
        yield _problem(error)
        return
    if manifest is not None:
        yield from _differing(folder, manifest, progress)
