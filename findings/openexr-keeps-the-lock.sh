#!/usr/bin/env bash
# OpenEXR 3.5.3 (PyPI openexr==3.5.3): `InputFile.channels` keeps the interpreter's lock for the whole reading.
#
# Expected: what decompresses millions of pixels in C++ lets other Python threads run meanwhile, as the
#           same module's `File` and OpenImageIO do.
# Seen:     a thread that counts does not advance while `InputFile.channels` reads; it does while `File`
#           reads the same file.
# Matters:  in a program that reads frames ahead on threads, all others stand still for each reading
#           (47 ms of a 1080p half frame here), so two cores are never both at work then. `File` costs the
#           same processor time, but reads every channel of every part, and takes a damaged file for one
#           without channels.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "openexr==3.5.3" "numpy==2.4.6"
"$work/venv/bin/python" - "$work/a.exr" <<'PY'
import sys
import threading

import numpy as np
import OpenEXR

path = sys.argv[1]
rng = np.random.default_rng(1)
pixels = {name: rng.random((4320, 7680), np.float32).astype(np.float16) for name in "RGB"}
says = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
OpenEXR.File(says, pixels).write(path)

sys.setswitchinterval(1e-4)
count, going = 0, True


def counting() -> None:
    global count
    while going:
        count += 1


def counted(read) -> int:
    """Return how far the other thread counts while a file is read."""
    before = count
    kept = read()
    after = count
    del kept
    return after - before


def by_input_file():
    return file.channels(["R", "G", "B"])


def by_file():
    return OpenEXR.File(path, num_threads=0)


file = OpenEXR.InputFile(path)
thread = threading.Thread(target=counting)
thread.start()
try:
    held, free = counted(by_input_file), counted(by_file)
finally:
    going = False
    thread.join()
print(f"OpenEXR {OpenEXR.__version__}: the other thread counted {held} during InputFile.channels,")
print(f"and {free} during File.")
if held * 20 > free:
    sys.exit("InputFile lets other threads run now.")
PY
