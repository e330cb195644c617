#!/bin/sh
# Builds the OpenFX plug-in for Windows on Linux: windows.sh FOLDER CACHE [cmake options]
#
# CACHE keeps libzmq. The plug-in carries its libraries inside: nothing lies beside it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$1
cache=$2
shift 2

"$here/tools.sh" Windows "g++-mingw-w64-x86-64-posix cmake make dpkg-dev" \
    x86_64-w64-mingw32-g++-posix x86_64-w64-mingw32-windres cmake make dpkg-source apt-get
"$here/../setup.sh"
compiler=$(x86_64-w64-mingw32-g++-posix -dumpfullversion)
zmq=$("$here/zeromq.sh" windows "$cache" "-DGVM_COMPILER=$compiler" -DZMQ_WIN32_WINNT=0x0A00 -DZMQ_HAVE_IPC=0)
headers=$("$here/headers.sh" "$cache")
mkdir -p "$(dirname "$folder")"
cmake -S "$here/.." -B "$folder" -DCMAKE_TOOLCHAIN_FILE="$here/windows.cmake" \
    -DZMQ_INCLUDE="$zmq/include" -DGVM_ZMQ_LIBRARY="$zmq/lib/libzmq.a" -DJSON_INCLUDE="$headers" \
    -DMSGPACK_INCLUDE="$headers" -DIMATH_INCLUDE="$headers" "$@" >"$folder.log" 2>&1 ||
    { cat "$folder.log" >&2; exit 1; }
cmake --build "$folder" --parallel 2 >>"$folder.log" 2>&1 || { cat "$folder.log" >&2; exit 1; }
