#!/bin/sh
# Sees that tools are here; as root on a Debian-like system installs them: tools.sh SYSTEM PACKAGES TOOL...
#
# Otherwise says the one command in one line and ends with 1. PACKAGES is one argument.
set -eu

system=$1
packages=$2
shift 2

lacking() {
    for tool; do
        command -v "$tool" >/dev/null 2>&1 || { echo "$tool"; return; }
    done
}

[ -z "$(lacking "$@")" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq >/dev/null 2>&1 || true
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages \
        >/dev/null 2>&1 || true
    [ -z "$(lacking "$@")" ] && exit 0
fi
echo "The OpenFX plug-in for $system cannot be built here: there is no $(lacking "$@"); run:" \
    "sudo apt-get install $packages" >&2
exit 1
