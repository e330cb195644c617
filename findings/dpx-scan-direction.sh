#!/usr/bin/env bash
# OpenImageIO 3.2.2.0 (PyPI openimageio==3.2.2.0), DPX files whose lines run from top to bottom.
# Expected: SMPTE 268M, "image orientation" 4 to 7: the file holds lines of "pixels per line"
#   pixels, each a column of the picture. A reader gives either the stored lines or the turned picture.
#   A writer that is given TIFF orientation 3 (rotated by half a turn) stores code 3.
# Seen: a file of 6 pixels per line and 4 lines is given as 4 wide and 6 high, its stored pixels cut
#   at 4: neither the stored lines nor the turned picture. The full size says 6x4. And the writer
#   stores code 2 for orientation 3 and code 3 for orientation 4, the reader reads them the other way.
# Why it matters: a film scan so stored would be matted as a scrambled picture, and a half-turned DPX
#   comes back mirrored. A plate like the first must be refused, not guessed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "openimageio==3.2.2.0" "numpy==2.4.6"
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import OpenImageIO as oiio

WIDTH, HEIGHT = 6, 4
picture = np.repeat((np.arange(WIDTH * HEIGHT, dtype=np.uint8) * 10).reshape(HEIGHT, WIDTH, 1), 3, 2)


def written(tag):
    spec = oiio.ImageSpec(WIDTH, HEIGHT, 3, "uint8")
    spec.attribute("Orientation", tag)
    file = oiio.ImageOutput.create("a.dpx")
    assert file.open("a.dpx", spec) and file.write_image(picture)
    file.close()
    read = oiio.ImageInput.open("a.dpx")
    spec, pixels = read.spec(), read.read_image(oiio.UINT8)
    read.close()
    header = open("a.dpx", "rb").read(2048)
    code = int.from_bytes(header[768:770], "little" if header[:4] == b"XPDS" else "big")
    return code, spec, pixels


code, spec, pixels = written(5)
lines = pixels[..., 0].reshape(-1)
print(f"code {code}: read as {spec.width}x{spec.height}, full {spec.full_width}x{spec.full_height}")
scrambled = (
    (spec.width, spec.height) == (HEIGHT, WIDTH)
    and (spec.full_width, spec.full_height) == (WIDTH, HEIGHT)
    and np.array_equal(lines, picture[..., 0].reshape(-1))
    and not np.array_equal(pixels, picture.transpose(1, 0, 2))
)
mirrored = []
for tag in (3, 4):
    code, spec, _ = written(tag)
    back = spec.getattribute("Orientation")
    print(f"orientation {tag} is stored as code {code} and read back as {back}")
    mirrored.append((code, back))
if not scrambled or mirrored != [(2, 4), (3, 3)]:
    sys.exit("This has changed.")
print("As described.")
PY
