"""Writes tests/golden/foreground.json: what PyMatting makes of the drawn scenes.

    python -m venv JUDGE && JUDGE/bin/pip install pymatting opencv-python-headless
    JUDGE/bin/python -m tests.tools.judge_foreground

Its multi-level estimator (Germer et al. 2020) is the judge of ours. It brings numba and SciPy
(0.6 GB), so its errors are kept and not the package. It clips to 0..1: the plate is divided by a
power of two above its maximum, which is exact.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from pymatting import estimate_foreground_ml

from tests.support.layered import SCENES, draw, fringe, recomposite

PATH = Path(__file__).parents[1] / "golden" / "foreground.json"


def main() -> None:
    """Write each scene's two errors."""
    made: dict[str, object] = {"estimator": f"pymatting {version('pymatting')} multi-level"}
    for name in SCENES:
        scene = draw(name)
        scale = np.float32(2.0 ** np.ceil(np.log2(scene.plate.max())))
        judged = estimate_foreground_ml(scene.plate / scale, scene.alpha) * scale
        made[name] = {
            "fringe": round(fringe(scene, judged), 2),
            "recomposite": round(recomposite(scene, judged), 2),
        }
    PATH.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
