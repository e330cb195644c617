#!/bin/sh
# Builds a static libzmq for another system: zeromq.sh SYSTEM FOLDER [cmake options]
#
# SYSTEM names the toolchain file beside this script. The source is Debian's package, by the mirrors
# that this machine's apt knows; the system's own lists stay as they are. What was built of the same
# source, with the same options and compiler, is taken from FOLDER again. The last line of the
# output is the folder with include/zmq.h and lib/libzmq.a.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
system=$1
mkdir -p "$2"
cache=$(cd "$2" && pwd)
shift 2

fetch() {
    mkdir -p "$cache/apt/sources" "$cache/apt/lists/partial" "$cache/apt/archives/partial" "$cache/source"
    for list in /etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -s "$list" ] || continue
        sed -e 's/^Types: .*/Types: deb-src/' -e 's/^deb /deb-src /' "$list" \
            >"$cache/apt/sources/$(basename "$list")"
    done
    set -- -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$cache/apt/sources" \
        -o "Dir::State::Lists=$cache/apt/lists" -o "Dir::Cache=$cache/apt" -qq
    apt-get "$@" update
    (cd "$cache/source" && apt-get "$@" source --download-only zeromq3)
}

source_file() {
    find "$cache/source" -name 'zeromq3_*.dsc' 2>/dev/null | sort | tail -1
}

(
    flock 9 # several builds may share the folder
    if [ -z "$(source_file)" ] && ! fetch >"$cache/fetch.log" 2>&1; then
        cat "$cache/fetch.log" >&2
        echo "The source of libzmq cannot be had: apt gives no Debian source package zeromq3." >&2
        exit 1
    fi
) 9>"$cache/fetch.lock"
dsc=$(source_file)
hash=$(
    {
        cat "$cache"/source/zeromq3_* "$here/zeromq.sh" "$here/zeromq.cmake" "$here/$system.cmake"
        if [ -f "$here/$system.patch" ]; then cat "$here/$system.patch"; fi
        echo "$@"
    } | sha256sum | cut -c 1-16
)
built="$cache/zeromq-$system-$hash"
if [ ! -f "$built/lib/libzmq.a" ]; then
    work="$built.work"
    rm -rf "$work"
    mkdir -p "$work"
    {
        dpkg-source --no-check -x "$dsc" "$work/source"
        if [ -f "$here/$system.patch" ]; then patch -d "$work/source" -p1 <"$here/$system.patch"; fi
        # Its own tweetnacl is CURVE without another library to carry.
        cmake -S "$work/source" -B "$work/build" -DCMAKE_TOOLCHAIN_FILE="$here/$system.cmake" \
            -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$work/installed" -DCMAKE_INSTALL_LIBDIR=lib \
            -DWITH_LIBSODIUM=OFF -DENABLE_CURVE=ON -DWITH_LIBBSD=OFF -DBUILD_SHARED=OFF -DBUILD_STATIC=ON \
            -DBUILD_TESTS=OFF -DWITH_PERF_TOOL=OFF -DWITH_DOCS=OFF -DENABLE_PRECOMPILED=OFF \
            -DENABLE_WS=OFF -DENABLE_RADIX_TREE=OFF -DCMAKE_PROJECT_INCLUDE="$here/zeromq.cmake" \
            -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=12 "$@"
        cmake --build "$work/build" --parallel 2
        cmake --install "$work/build"
    } >"$built.log" 2>&1 || { tail -40 "$built.log" >&2; exit 1; }
    mv "$work/installed" "$built"
    rm -rf "$work"
fi
echo "$built"
