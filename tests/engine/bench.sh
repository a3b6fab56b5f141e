#!/bin/sh
# Times the hunt against bare parse_evtx; `make bench` calls it. Needs python3 for the log.
#
#   EVENTS   events in the log (140,000): of seven, five network connections, a DNS query, a process
#   KEYS     records in the feed (100,000)
#   ROUNDS   how often each way runs (3)
#   WAYS     which ways run: regular expressions on their names, each in a process of its own (all, in one process)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
work=$top/target/bench
events=${EVENTS:-140000}
keys=${KEYS:-100000}
mkdir -p "$work"

log=$work/sysmon-all${EVENTS:+-$EVENTS}.evtx
[ -e "$log" ] || python3 "$top/tests/tools/bench_synth.py" "$log" \
  --eid3 $((events * 5 / 7)) --eid22 $((events / 7)) --eid1 $((events / 7))
python3 "$top/tests/tools/bench_export.py" "$log.planted.csv" "$keys" >"$work/export.csv"
"$top/target/release/threatfox" normalize --force --allow-private -o "$work/threatfox-feed.csv.gz" "$work/export.csv"

echo "bench: $events events, $keys records"
for ways in ${WAYS:-.}; do
  BENCH_EVTX=$log BENCH_FEED=$work/threatfox-feed.csv.gz BENCH_ROUNDS=${ROUNDS:-3} BENCH_WAYS=$ways "$here/test.sh" -timeout 1h -v \
    -run '^TestEngine$/^TestBenchmarkTheHunt$' 2>&1 | grep -E '^bench:|^ *--- FAIL|^FAIL|^ +Error|^panic'
done
