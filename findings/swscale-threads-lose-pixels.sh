#!/usr/bin/env bash
# PyAV 18.1.0 (PyPI av==18.1.0, FFmpeg 8.1.2), libswscale from 8-bit RGBA to planar 10-bit YUV, with
#   several threads; the same from RGB and to 4:2:2. x86-64.
# Expected: a picture is converted into the same values on any count of threads.
# Seen: where a line of 16-bit values ends within a vector of the converter, here 998 pixels, the
#   first 8 values of some lines are what the line before has behind its end: 0 in luma. They are
#   lines at which another thread's share begins. It is a race, other lines each time: of 998x500
#   about a third of the pictures on 8 threads and two cores, fewer of a smaller picture, none on one
#   thread, at 1920x1080, or in 8 bits.
# Why it matters: a movie of 10 bits with an alpha, ProRes 4444 for one, gets black dashes and holes
#   at its left edge, in some frames and without any error. `threads=1` converts what is to be exact.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "av==18.1.0" "numpy==2.4.6"
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import av
import numpy as np

KIND, TIMES = "yuva444p10le", 100


def converted(width, threads):
    """Convert the same noise once more; return its planes, without what lies behind their lines."""
    picture = np.random.default_rng(0).integers(0, 256, (500, width, 4), np.uint8)
    frame = av.VideoFrame.from_ndarray(picture, "rgba").reformat(format=KIND, threads=threads)
    lines = [np.frombuffer(bytes(p), "<u2").reshape(p.height, -1) for p in frame.planes]
    return np.stack([each[:, :width] for each in lines])


wrong = {}
for width, threads in ((998, 1), (998, 8), (1024, 8)):
    right, columns = converted(width, 1), set()
    wrong[width, threads] = 0
    for _ in range(TIMES):
        off = np.argwhere(converted(width, threads) != right)
        wrong[width, threads] += len(off) > 0
        columns |= set(off[:, 2].tolist())
    where = f", in columns {min(columns)} to {max(columns)}" if columns else ""
    print(f"{width} wide, {threads} threads: {wrong[width, threads]} of {TIMES} wrong{where}")
if wrong[998, 1] or wrong[1024, 8] or not wrong[998, 8]:
    sys.exit("This has changed.")
print("As described.")
PY
