#!/bin/sh
# Sees that what the OpenFX plug-in is built with is here; as root on a Debian-like system installs it.
# Otherwise says the one command in one line and ends with 1.
set -eu

PACKAGES="cmake g++ make libzmq3-dev nlohmann-json3-dev libmsgpack-cxx-dev libimath-dev"
HINT="The OpenFX plug-in cannot be built here; run: sudo apt-get install $PACKAGES"

complete() {
    for tool in cmake g++ make objdump; do
        command -v "$tool" >/dev/null 2>&1 || return 1
    done
    for header in zmq.h nlohmann/json.hpp msgpack.hpp Imath/half.h; do
        printf '#if !__has_include(<%s>)\n#error missing\n#endif\n' "$header"
    done | g++ -std=c++17 -fsyntax-only -x c++ - >/dev/null 2>&1
}

complete && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq >/dev/null 2>&1 || true
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $PACKAGES \
        >/dev/null 2>&1 || true
    complete && exit 0
fi
echo "$HINT" >&2
exit 1
