"""What the foreground of a frame costs, and how near the truth it is.

    python -m benchmarks.foreground

CPU seconds on one thread and peak memory beyond the plate and its alpha at three sizes; then, on
the drawn scenes of tests/support/layered.py, the errors of the plain plate, of ours, and of
PyMatting's multi-level estimator as tests/golden/foreground.json keeps them. Exits with 1 where a
4K frame takes more than 10 s of CPU.

November 2026, one core of an AMD EPYC (OpenCV 5.0): 1080p 0.2 to 0.3 s,
UHD and 4096 x 2304 1.0 to 1.3 s, beside other work; 27 bytes a pixel, 12 of them the result.
"""

from __future__ import annotations

import json
import sys
import time
import tracemalloc

import cv2
import numpy as np

from gvm_server.matting.foreground import foreground
from tests.support.layered import SCENES, Scene, draw, fringe, recomposite
from tests.support.tree import ROOT

SIZES = ((1920, 1080), (3840, 2160), (4096, 2304))
REPEATS = 4  # the fastest counts: other programs only add to it
LIMIT = 10.0  # s of CPU for the largest


def main() -> int:
    """Print both tables."""
    cv2.setNumThreads(1)
    slowest = 0.0
    print(f"{'size':12}{'CPU s':>8}{'MiB':>8}{'bytes a pixel':>16}")
    for width, height in SIZES:
        scene = draw("strands")
        plate, alpha = (_tiled(each, width, height) for each in (scene.plate, scene.alpha))
        seconds = min(_seconds(plate, alpha) for _ in range(REPEATS))
        peak = _peak(plate, alpha)
        size = f"{width}x{height}"
        print(f"{size:12}{seconds:8.2f}{peak / 2**20:8.0f}{peak / alpha.size:16.1f}")
        slowest = max(slowest, seconds)
    judged = json.loads((ROOT / "tests/golden/foreground.json").read_text(encoding="utf-8"))
    print(f"\n{'scene':12}{'|aF-P| plate':>14}{'ours':>8}{'judge':>8}{'comp plate':>12}", end="")
    print(f"{'ours':>8}{'judge':>8}")
    for name in SCENES:
        scene = draw(name)
        made = foreground(scene.plate, scene.alpha)
        _print(name, scene, made, judged[name])
    return 0 if slowest <= LIMIT else 1


def _print(name: str, scene: Scene, made: np.ndarray, judged: dict[str, float]) -> None:
    figures = [fringe(scene, scene.plate), fringe(scene, made), judged["fringe"]]
    figures += [recomposite(scene, scene.plate), recomposite(scene, made), judged["recomposite"]]
    widths = (14, 8, 8, 12, 8, 8)
    print(f"{name:12}" + "".join(f"{f:{w}.1f}" for f, w in zip(figures, widths, strict=True)))


def _tiled(image: np.ndarray, width: int, height: int) -> np.ndarray:
    times = (-(-height // image.shape[0]), -(-width // image.shape[1]), 1)[: image.ndim]
    return np.ascontiguousarray(np.tile(image, times)[:height, :width])


def _seconds(plate: np.ndarray, alpha: np.ndarray) -> float:
    start = time.process_time()
    foreground(plate, alpha)
    return time.process_time() - start


def _peak(plate: np.ndarray, alpha: np.ndarray) -> int:
    """Return the bytes at the worst moment, the result's own among them."""
    tracemalloc.start()
    foreground(plate, alpha)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


if __name__ == "__main__":
    sys.exit(main())
