#!/bin/sh
# Runs the hunts in Velociraptor's engine built for Windows, under wine: what they read, fetch and start there, the helper's .exe
# included; `make test-windows` calls it. Skipped, and it says so, where wine, Go or the compiler for Windows is missing.
#
#   TESTS   the tests to run, by name (those of engine_tests.txt)
set -eu
work=test-windows-engine
needs=go
. "$(dirname "$0")/wine.sh"
. "$here/build_engine.sh"

# engine_tests.txt names those that read logs, fetch tools or start the helper. The server's artifacts run on Linux servers, and
# helpers that are shell scripts do not run here.
tests=${TESTS:-$(cat "$here/engine_tests.txt")}

say "making the logs that the tests would make with Python"
for tool in make_evtx.py make_wec.py; do
    python3 "$top/tests/tools/$tool" "$work/field.events.jsonl.$tool.evtx" <"$top/tests/data/field/field.events.jsonl" >/dev/null
done

say "running the hunts under wine"
engine_test -test.v -test.timeout 10m -test.run "^TestEngine\$/^($(echo $tests | tr ' ' '|'))\$" >"$work/said" 2>&1 || {
    grep -vE '^=== ' "$work/said" >&2
    exit 1
}
grep -E '^ *--- ' "$work/said"
for test in $tests; do
    grep -q -- "--- PASS: TestEngine/$test " "$work/said" || { say "FAILED: no test is called $test"; exit 1; }
done
