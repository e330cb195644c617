#!/bin/sh
# Joins bundles of several systems into one: bundle.sh TO FROM...
#
# TO and each FROM is a GVM.ofx.bundle. What TO held before is replaced when all of it stands.
set -eu

to=$1
shift
fresh="$to.new"
rm -rf "$fresh"
mkdir -p "$fresh"
for from; do
    [ -f "$from/Contents/Info.plist" ] || { echo "$from is no bundle: build it first." >&2; exit 1; }
    if [ -f "$fresh/Contents/Info.plist" ] && ! cmp -s "$fresh/Contents/Info.plist" "$from/Contents/Info.plist"; then
        echo "$from is of another release than the others: build all of them again." >&2
        exit 1
    fi
    cp -R "$from/Contents" "$fresh/"
done
rm -rf "$to"
mv "$fresh" "$to"
ls -d "$to"/Contents/*/
