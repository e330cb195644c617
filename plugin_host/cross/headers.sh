#!/bin/sh
# Links the header-only libraries into a folder of their own: headers.sh CACHE
#
# /usr/include itself would bring this system's headers into another system's build. The output is
# the folder.
set -eu

mkdir -p "$1/headers"
folder=$(cd "$1/headers" && pwd)
for name in nlohmann msgpack msgpack.hpp Imath; do
    [ -e "/usr/include/$name" ] || { echo "There is no /usr/include/$name." >&2; exit 1; }
    ln -sfn "/usr/include/$name" "$folder/$name"
done
echo "$folder"
