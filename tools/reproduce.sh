#!/bin/sh
# Builds a helper once more, from the last commit in another folder, and compares it with the one in dist/;
# `make reproduce` calls it after `make pack`.
#
#   tools/reproduce.sh linux|windows
set -eu
cd "$(dirname "$0")/.."
system=${1:?linux or windows}
second=$(mktemp -d)
trap 'rm -rf "$second"' EXIT
trap 'exit 130' HUP INT TERM

git clone --quiet --shared . "$second/threatfox"
"$second/threatfox/tools/build.sh" "$system"
helper=dist/threatfox_"$system"_amd64
[ "$system" != windows ] || helper=$helper.exe
cmp "$helper" "$second/threatfox/$helper" || {
    echo "FAILED: $helper was not made of the last commit by this script and these compilers" >&2
    exit 1
}
echo "ok  the same bytes from another folder: $helper"
