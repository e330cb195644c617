"""The record that a pull leaves beside the weights, made of files that lie there."""

from __future__ import annotations

from pathlib import Path

from gvm_server.matting.engines.gvm.weights_folder import (
    Manifest,
    record_file,
    sha256_of,
    write_manifest,
)

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def record(folder: Path) -> Manifest:
    """Write the record that a pull of these files at COMMIT would have left, and return it."""
    names = [path.relative_to(folder).as_posix() for path in folder.glob("*/*")]
    files = {
        name: record_file(folder / name, sha256_of(folder / name, lambda _: None)) for name in names
    }
    manifest = Manifest(repo="a/b", revision=COMMIT, licence="terms", files=files)
    write_manifest(folder, manifest)
    return manifest
