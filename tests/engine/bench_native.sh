#!/bin/sh
# Times `threatfox scan` against what reading a log costs at least, and the Native hunt against bare parse_evtx;
# `make bench` calls it. Needs python3.
#
#   FEEDS    records in the feeds (100,000 and 1,000,000)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
work=$top/target/bench
helper=$top/target/release/threatfox
mkdir -p "$work"

log=$work/sysmon-all.evtx
[ -e "$log" ] || python3 "$top/tests/tools/bench_synth.py" "$log"
feeds=
for keys in ${FEEDS:-100000 1000000}; do
    feed=$work/feed-$keys.csv.gz
    python3 "$top/tests/tools/bench_export.py" "$log.planted.csv" "$keys" >"$work/export.csv"
    "$helper" normalize --allow-private -o "$feed" "$work/export.csv" 2>/dev/null
    feeds="$feeds $feed"
done
unmet=$work/feed-unmet.csv.gz
head -n 1 "$log.planted.csv" >"$work/none.csv"
python3 "$top/tests/tools/bench_export.py" "$work/none.csv" 100000 >"$work/export.csv"
"$helper" normalize --force --allow-private -o "$unmet" "$work/export.csv" 2>/dev/null

(cd "$top" && cargo build --locked --release --quiet --package same-as-evtx --example bare_evtx)
# shellcheck disable=SC2086 # each feed is a word
python3 "$top/tests/tools/bench_scan.py" "$helper" "$top/target/release/examples/bare_evtx" "$log" $feeds

BENCH_EVTX=$log BENCH_FEEDS=$feeds BENCH_UNMET=$unmet "$here/test.sh" -timeout 1h -v \
  -run '^TestEngine$/^TestBenchmarkTheNativeHunt$' 2>&1 | grep -E '^bench:|^ *--- FAIL|^FAIL|^ +Error|^panic'
