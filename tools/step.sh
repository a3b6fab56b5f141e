#!/bin/sh
# Runs a command: says what runs, every 10 s that it still runs, and at the end how long it took.
#
#   tools/step.sh NAME COMMAND…
set -eu
name=$1
shift
start=$(date +%s)
seconds() { echo "$(($(date +%s) - start))"; }

printf '== %s\n' "$name"
# Nobody who reads our output shall wait for the last sleep.
(while sleep 10 >/dev/null 2>&1; do printf '   … %s: %s s\n' "$name" "$(seconds)" >&2; done) &
beat=$!
trap 'kill "$beat" 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM
"$@"
printf '== %s: done in %s s\n' "$name" "$(seconds)"
