"""One bundle for several systems: joined whole, of one release, or not at all."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.tree import ROOT


def bundle(folder: Path, binaries: str, version: str = "1.0") -> Path:
    """Write a bundle of one system."""
    contents = folder / binaries / "GVM.ofx.bundle" / "Contents"
    (contents / binaries).mkdir(parents=True)
    (contents / binaries / "GVM.ofx").write_text(binaries)
    (contents / "Info.plist").write_text(version)
    return contents.parent


def join(to: Path, *bundles: Path) -> subprocess.CompletedProcess[str]:
    """Run the script of `make bundle`."""
    words = [ROOT / "plugin_host" / "bundle.sh", to, *bundles]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)


def test_bundles_of_two_systems_become_one(tmp_path: Path):
    """What stood there before is gone: an old library would be loaded with a new one."""
    to = tmp_path / "GVM.ofx.bundle"
    (to / "Contents" / "Old").mkdir(parents=True)
    ran = join(to, bundle(tmp_path, "Linux-x86-64"), bundle(tmp_path, "Win64"))
    assert ran.returncode == 0, ran.stderr
    files = sorted(str(path.relative_to(to)) for path in to.rglob("*") if path.is_file())
    assert files == [
        "Contents/Info.plist",
        "Contents/Linux-x86-64/GVM.ofx",
        "Contents/Win64/GVM.ofx",
    ]


def test_bundles_of_two_releases_are_not_joined(tmp_path: Path):
    """A node and its server of one release say one number; the bundle that stood stays."""
    to = tmp_path / "GVM.ofx.bundle"
    assert join(to, bundle(tmp_path, "Linux-x86-64")).returncode == 0
    ran = join(to, tmp_path / "Linux-x86-64" / "GVM.ofx.bundle", bundle(tmp_path, "Win64", "2.0"))
    assert ran.returncode == 1
    assert "of another release" in ran.stderr
    assert not (to / "Contents" / "Win64").exists()
    assert join(to, tmp_path / "nothing").returncode == 1
    assert (to / "Contents" / "Linux-x86-64" / "GVM.ofx").is_file()
