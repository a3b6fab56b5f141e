#!/bin/sh
# Runs the hunts in Velociraptor's engine built for Windows, under wine: what they read, fetch and start there, the helper's .exe
# included, and watches a log; `make test-windows` calls it. Skipped, and it says so, where wine, Go or the compiler for Windows is missing.
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

say "watching a log that grows, under wine"
log=$work/grows.evtx
python3 "$top/tests/tools/bench_synth.py" "$log" --eid3 1000 --eid22 200 --eid1 200 >/dev/null
python3 "$top/tests/tools/bench_export.py" "$log.planted.csv" 1000 >"$work/export.csv"
"$top/target/release/threatfox" normalize --force --allow-private -o "$work/feed.csv.gz" "$work/export.csv" 2>/dev/null
BENCH_SECONDS=15 BENCH_EVTX=Z:$log BENCH_FEED=Z:$work/feed.csv.gz engine_test -test.v -test.timeout 10m \
    -test.run '^TestEngine$/^TestBenchmarkLive$' >"$work/said" 2>&1 || {
    grep -vE '^=== ' "$work/said" >&2
    exit 1
}
grep -E '^live: ' "$work/said"
grep -qE '^live: [1-9][0-9]* of .* hits told' "$work/said" || { say "FAILED: no hit was told"; exit 1; }
