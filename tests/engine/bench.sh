#!/bin/sh
# Times the hunt against bare parse_evtx; `make bench` calls it. Needs python3 for the log.
#
#   EVENTS   network connections in the log (100,000)
#   KEYS     records in the feed (100,000)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
work=$top/target/bench
events=${EVENTS:-100000}
keys=${KEYS:-100000}
mkdir -p "$work"

log=$work/sysmon-$events.evtx
[ -e "$log" ] || python3 "$top/tests/tools/bench_synth.py" "$log" --eid3 "$events" --eid22 0 --eid1 0
python3 "$top/tests/tools/bench_export.py" "$log.planted.csv" "$keys" >"$work/export.csv"
"$top/target/release/threatfox" normalize --allow-private -o "$work/threatfox-feed.csv.gz" "$work/export.csv"

BENCH_EVTX=$log BENCH_FEED=$work/threatfox-feed.csv.gz "$here/test.sh" -timeout 1h -v \
  -run '^TestEngine$/^TestBenchmarkTheHunt$' 2>&1 | grep -E '^bench:|FAIL|Error|panic'
