#!/usr/bin/env bash
# OpenCV 5.0.0 (PyPI opencv-python-headless==5.0.0.93), bilinear resize of float32.
# Expected: a row that is resized in width alone, its height kept, is the same whether it is given by
#   itself or among others: nothing but its own pixels enters it.
# Seen: a picture of one row is rounded another way than the same row in a picture of two and more;
#   at widths that do not divide they differ by up to 7e-6, which is a hundred last bits.
# Why it matters: pictures that are worked on some rows at a time, for the memory's sake, must give
#   the same bits however they are cut. A strip of one row is given twice, and half thrown away.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "opencv-python-headless==5.0.0.93" "numpy==2.4.6"
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import cv2
import numpy as np

cv2.setNumThreads(1)
rows = np.random.default_rng(0).random((8, 160), np.float32)
together = cv2.resize(rows, (591, 8), interpolation=cv2.INTER_LINEAR)
alone = cv2.resize(rows[:1], (591, 1), interpolation=cv2.INTER_LINEAR)
pair = cv2.resize(rows[:2], (591, 2), interpolation=cv2.INTER_LINEAR)
off = np.abs(alone[0] - together[0]).max()
print(f"a row alone is off by {off:.1e}, a pair by {np.abs(pair - together[:2]).max():.1e}")
if off == 0 or not np.array_equal(pair, together[:2]):
    sys.exit("This has changed.")
print("As described.")
PY
