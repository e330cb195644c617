#!/usr/bin/env bash
# OpenImageIO 3.2.2.0 (PyPI openimageio==3.2.2.0), text attributes of the images that are read.
# Expected: a process that opens an EXR, reads its header and closes it holds no more afterwards, as
#   it does for attributes that are numbers.
# Seen: each text that was not seen before stays for the life of the process (the library keeps
#   attribute texts in its table of unique strings). 4,000 headers with a camera's twenty texts of 95
#   characters that differ from file to file cost more than 8 MiB, about 3 KiB a file; headers with
#   the same texts, or with numbers that differ, cost nothing. Writing does the same.
# Why it matters: a long-running image server grows with the frames that it has ever seen, not with
#   those that it holds. Texts of which each frame has its own (keys, hashes, times) do not belong
#   into an attribute that goes through the library, or it is to be started anew now and then.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "openimageio==3.2.2.0" "numpy==2.4.6" "psutil==7.2.2"
cd "$work"
"$work/venv/bin/python" - <<'PY'
import ctypes
import sys

import numpy as np
import OpenImageIO as oiio
import psutil

FILES, TEXTS = 4000, 20


def header(number):
    """Write and read a small EXR; `number` is what its attributes differ by."""
    spec = oiio.ImageSpec(4, 4, 1, oiio.HALF)
    for place in range(TEXTS):
        spec.attribute(f"camera:text{place}", f"{number:08d} {place:02d} ".ljust(95, "x"))
    file = oiio.ImageOutput.create("exr")
    assert file.open("a.exr", spec) and file.write_image(np.zeros((4, 4, 1), np.float32))
    file.close()
    read = oiio.ImageInput.open("a.exr")
    assert read.spec().getattribute("camera:text0").startswith(f"{number:08d}")
    read.close()


def numbers(number):
    spec = oiio.ImageSpec(4, 4, 1, oiio.HALF)
    for place in range(TEXTS):
        spec.attribute(f"camera:number{place}", float(number * TEXTS + place))
    file = oiio.ImageOutput.create("exr")
    assert file.open("a.exr", spec) and file.write_image(np.zeros((4, 4, 1), np.float32))
    file.close()
    read = oiio.ImageInput.open("a.exr")
    assert read.spec().getattribute("camera:number0") == float(number * TEXTS)
    read.close()


def held():
    """MiB, with what was freed given back to the system."""
    ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_info().rss / 2**20


def growth(ask):
    for number in range(500):
        ask(number)
    before = held()
    for number in range(500, 500 + FILES):
        ask(number)
    return held() - before


same, other, text = growth(lambda _: header(1)), growth(numbers), growth(header)
print(f"{FILES} headers: same texts {same:.1f} MiB, other numbers {other:.1f} MiB,"
      f" other texts {text:.1f} MiB ({text * 2**20 / FILES:.0f} bytes a file)")
if not (same < 1 and other < 1 and text > 8):
    sys.exit("This has changed.")
print("As described.")
PY
