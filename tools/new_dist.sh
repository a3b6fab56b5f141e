#!/bin/sh
# Makes room for a release beside the old one, and puts it in the old one's place; `make pack` calls it. Whatever fails between
# the two, dist/ is as it was.
#
#   tools/new_dist.sh begin   target/dist is empty, or has the helpers of the folder HELPERS
#   tools/new_dist.sh end     target/dist becomes dist
set -eu
helpers=${HELPERS:-}
fail() { echo "make pack: $1" >&2; exit 1; }

case ${1:-} in
begin)
    if [ -n "$helpers" ]; then
        [ -d "$helpers" ] || fail "HELPERS=$helpers is not a folder: give the one with the helpers"
        [ ! -e "$helpers/SHA256SUMS" ] ||
            fail "HELPERS=$helpers is a whole release: copy its helpers, and their .built-with.txt, into a folder of their own"
    fi
    rm -rf target/dist.new
    mkdir -p target/dist.new
    [ -z "$helpers" ] || cp -r -- "$helpers/." target/dist.new
    rm -rf target/dist
    mv target/dist.new target/dist
    ;;
end)
    rm -rf target/dist.old
    [ ! -e dist ] || mv dist target/dist.old
    mv target/dist dist
    rm -rf target/dist.old
    echo "The release is in dist/."
    ;;
*)
    echo "tools/new_dist.sh: begin or end" >&2
    exit 2
    ;;
esac
