#!/bin/sh
# Builds the OpenFX plug-in: plugin_host/build.sh FOLDER [cmake options]
#
# The bundle carries the ZeroMQ of the pyzmq wheel where $PYTHON has one: it is small, needs only the
# libsodium beside it, runs on old systems, and its name clashes with no host's own.
set -eu

source=$(dirname "$0")
folder=$1
shift
"$source/setup.sh"
zmq=$("${PYTHON:-python3}" - <<'PYTHON' 2>/dev/null || true
import pathlib, zmq
wheel = pathlib.Path(zmq.__file__).parents[1] / "pyzmq.libs"
print(next(iter(sorted(wheel.glob("libzmq*.so*"))), ""))
PYTHON
)
cmake -S "$source" -B "$folder" -DGVM_ZMQ_LIBRARY="$zmq" "$@" >"$folder.log" 2>&1 ||
    { cat "$folder.log" >&2; exit 1; }
cmake --build "$folder" --parallel 2 >>"$folder.log" 2>&1 || { cat "$folder.log" >&2; exit 1; }
