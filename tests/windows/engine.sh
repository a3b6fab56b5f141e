#!/bin/sh
# Runs the hunts in Velociraptor's engine built for Windows, under wine: what they read, fetch and start there, the helper's .exe
# included; `make test-windows` calls it. Skipped, and it says so, where wine, Go or the compiler for Windows is missing.
#
#   TESTS   the tests to run, a regular expression on their names (those below)
set -eu
work=test-windows-engine
needs=go
. "$(dirname "$0")/wine.sh"
. "$here/build_engine.sh"

# Of the engine's tests those that read logs, fetch tools or start the helper. The server's artifacts run on Linux servers, and
# helpers that are shell scripts do not run here.
tests=${TESTS:-$(tr '\n' '|' <"$here/engine_tests.txt" | sed 's/|$//')}

say "making the logs that the tests would make with Python"
for tool in make_evtx.py make_wec.py; do
    python3 "$top/tests/tools/$tool" "$work/field.events.jsonl.$tool.evtx" <"$top/tests/data/field/field.events.jsonl" >/dev/null
done

say "running the hunts under wine"
engine_test -test.v -test.timeout 10m -test.run "^TestEngine\$/^($tests)\$" >"$work/said" 2>&1 || {
    grep -vE '^=== ' "$work/said" >&2
    exit 1
}
grep -E '^ *--- ' "$work/said"
grep -qE '^ *--- PASS: TestEngine/' "$work/said" || { say "FAILED: no test ran"; exit 1; }
