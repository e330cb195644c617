#!/bin/sh
# Builds the OpenFX plug-in for macOS on Linux, arm64 and x86-64 in one file:
# macos.sh FOLDER CACHE [cmake options]
#
# The compiler is clang of PyPI's ziglang, with libc++ and macOS' headers; the linker is LLVM's,
# because zig's makes no bundles and ignores the list of exports. CACHE keeps the compiler and
# libzmq. The file is signed ad hoc, slice by slice, as it is linked: nothing may touch it after.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1" "$2"
folder=$(cd "$1" && pwd)
cache=$(cd "$2" && pwd)
shift 2
ZIG_RELEASE=0.17.0
LLVM=14  # Debian 12's

"$here/tools.sh" macOS "lld-$LLVM llvm-$LLVM cmake make patch dpkg-dev" \
    "ld64.lld-$LLVM" "llvm-lipo-$LLVM" cmake make patch dpkg-source apt-get
"$here/../setup.sh"

zig="$cache/zig-$ZIG_RELEASE/ziglang"
if [ ! -x "$zig/zig" ]; then
    rm -rf "$cache/zig.new"
    "${PYTHON:-python3}" -m pip install --quiet --disable-pip-version-check --no-deps \
        --target "$cache/zig.new" "ziglang==$ZIG_RELEASE" >"$cache/zig.log" 2>&1 || {
        cat "$cache/zig.log" >&2
        echo "The OpenFX plug-in for macOS cannot be built here: pip gives no ziglang $ZIG_RELEASE." >&2
        exit 1
    }
    rm -rf "$cache/zig-$ZIG_RELEASE"
    mv "$cache/zig.new" "$cache/zig-$ZIG_RELEASE"
fi
export ZIG_GLOBAL_CACHE_DIR="$cache/zig-cache" ZIG_LOCAL_CACHE_DIR="$cache/zig-cache"
headers=$("$here/headers.sh" "$cache")

# Compiles for one architecture: cmake gets programs of its own, and the linker libc++ by path.
prepare() {
    mkdir -p "$GVM_TOOLS"
    for name in cc c++ ar ranlib; do
        case $name in c*) target=" -target $1-macos.11.0" ;; *) target= ;; esac
        printf '#!/bin/sh\nexec "%s" %s%s "$@"\n' "$zig/zig" "$name" "$target" >"$GVM_TOOLS/$name"
        chmod +x "$GVM_TOOLS/$name"
    done
    printf '#include <iostream>\nint main() { std::cout << 1; }\n' >"$GVM_TOOLS/main.cpp"
    (cd "$GVM_TOOLS" && ./c++ -O2 --verbose main.cpp -o main) >"$GVM_TOOLS/link.log" 2>&1 ||
        { tail -20 "$GVM_TOOLS/link.log" >&2; exit 1; }
    for name in libc++ libc++abi libcompiler_rt; do
        found=$(tr ' ' '\n' <"$GVM_TOOLS/link.log" | grep -F "/$name.a" | tail -1)
        [ -n "$found" ] || { echo "zig does not say where its $name.a is." >&2; exit 1; }
        (cd "$GVM_TOOLS" && cp "$found" "$GVM_TOOLS/$name.a")
    done
    # Targets that LLVM 14 does not know.
    sed -z -e 's/,[[:space:]]*arm64e\.x1-[a-z]*//g; s/arm64e-/arm64-/g' \
        "$zig/lib/libc/darwin/libSystem.tbd" >"$GVM_TOOLS/libSystem.tbd"
}

build() {
    export GVM_ARCH="$1" GVM_TOOLS="$cache/zig-tools/$1" GVM_LINKER="ld64.lld-$LLVM"
    prepare "$2"
    zmq=$("$here/zeromq.sh" macos "$cache" "-DGVM_ARCH=$1" "-DGVM_COMPILER=ziglang-$ZIG_RELEASE")
    own="$folder/$1"
    shift 2
    cmake -S "$here/.." -B "$own" -DCMAKE_TOOLCHAIN_FILE="$here/macos.cmake" \
        -DZMQ_INCLUDE="$zmq/include" -DGVM_ZMQ_LIBRARY="$zmq/lib/libzmq.a" -DJSON_INCLUDE="$headers" \
        -DMSGPACK_INCLUDE="$headers" -DIMATH_INCLUDE="$headers" "$@" >"$own.log" 2>&1 ||
        { cat "$own.log" >&2; exit 1; }
    cmake --build "$own" --parallel 2 >>"$own.log" 2>&1 || { cat "$own.log" >&2; exit 1; }
}

# Both at once: configuring and linking leave a core idle.
build arm64 aarch64 "$@" & arm=$!
build x86_64 x86_64 "$@" & intel=$!
wait "$arm" && wait "$intel" || { wait; exit 1; }
contents=GVM.ofx.bundle/Contents
mkdir -p "$folder/$contents/MacOS"
"llvm-lipo-$LLVM" -create "$folder"/*/$contents/MacOS/GVM.ofx -output "$folder/GVM.ofx.new"
mv "$folder/GVM.ofx.new" "$folder/$contents/MacOS/GVM.ofx"
cp "$folder/arm64/$contents/Info.plist" "$folder/$contents/Info.plist"
