#!/usr/bin/env bash
# OpenImageIO 3.2.2.0 (PyPI openimageio==3.2.2.0), DPX files as FFmpeg 8 writes them (PyPI av==18.1.0).
# Expected: 1. The pixels of such a file begin at byte 1664, where SMPTE 268M has the part of film and television: it
#   has no rate, no timecode and no fields. 2. Its lines are filled up to four bytes each; the field for that is 0.
# Seen: 1. The reader takes the first pixels for that part: a timecode, a rate and an interlace that nobody wrote.
#   2. Lines of a length that four does not divide are read without the filling: the picture leans.
# Why it matters: an alpha would have a false timecode, and a matte would be of a scrambled picture, without a word.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "openimageio==3.2.2.0" "av==18.1.0" "numpy==2.4.6"
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import av
import numpy as np
import OpenImageIO as oiio

HEIGHT = 16
noise = np.random.default_rng(1)


def read(width):
    picture = noise.integers(1, 255, (HEIGHT, width, 3), dtype=np.uint8)
    with av.open("a.dpx", "w", format="image2") as container:
        stream = container.add_stream("dpx", rate=24)
        stream.width, stream.height, stream.pix_fmt = width, HEIGHT, "rgb24"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    file = oiio.ImageInput.open("a.dpx")
    spec, pixels = file.spec(), file.read_image(oiio.UINT8)
    file.close()
    return spec, np.array_equal(pixels, picture)


begin = {}
for width in (64, 62):
    spec, same = read(width)
    names = ("smpte:TimeCode", "dpx:FrameRate", "dpx:Interlace")
    said = {name: spec.getattribute(name) for name in names}
    head = open("a.dpx", "rb").read(8)
    offset = int.from_bytes(head[4:], "little" if head[:4] == b"XPDS" else "big")
    print(f"{width} pixels wide: pixels at byte {offset}, the same {same}; {said}")
    begin[width] = offset, same, said["smpte:TimeCode"] is not None
if begin != {64: (1664, True, True), 62: (1664, False, True)}:
    sys.exit("This has changed.")
print("As described.")
PY
