#!/bin/sh
# Measures under wine the most memory that bare parse_evtx and the hunt hold, for a log of 115 MB and for one of 1 GB, where
# system32 has as many message files as a Windows has: on Windows parse_evtx lists them at each call. Fails if the hunt's memory
# grows by more than 15 % with the log. One hit of each finding is reported, as the test itself keeps all rows. Takes some five
# minutes on an idle machine, and 1.3 GB in target/.
#
#   TIMES   how often the large log has the small one's chunks (9)
set -eu
work=test-windows-memory
needs=go
. "$(dirname "$0")/wine.sh"
. "$here/build_engine.sh"

bench=$top/target/bench
small=$bench/sysmon-all.evtx
large=$work/large.evtx
mkdir -p "$bench"
say "making a log of 115 MB, one of ${TIMES:-9} times as much and a feed of 100,000 records"
[ -e "$small" ] || python3 "$top/tests/tools/bench_synth.py" "$small"
head -c 4096 "$small" >"$large"
i=0
while [ $i -lt "${TIMES:-9}" ]; do
    tail -c +4097 "$small" >>"$large"
    i=$((i + 1))
done
python3 "$top/tests/tools/bench_export.py" "$small.planted.csv" 100000 >"$work/export.csv"
"$top/target/release/threatfox" normalize --force --allow-private -o "$work/feed.csv.gz" "$work/export.csv" 2>/dev/null

mkdir -p "$system32/en-US"
i=0
while [ $i -lt 1900 ]; do
    echo >"$system32/en-US/component$i.dll.mui"
    i=$((i + 1))
done

# Prints the row of one way, which has a process of its own: on Windows a process's peak cannot be set back.
measure() {
    BENCH_EVTX=Z:$1 BENCH_FEED=Z:$work/feed.csv.gz BENCH_ROUNDS=1 BENCH_WAYS=$2 engine_test -test.timeout 1h -test.v \
        -test.run '^TestEngine$/^TestBenchmarkTheHunt$' >"$work/said" 2>&1 || { cat "$work/said" >&2; exit 1; }
    grep -E '^bench: .*[0-9]$' "$work/said"
}

for way in 'bare' 'hunt, a hit of each finding'; do
    for log in "$small" "$large"; do
        say "reading $(($(wc -c <"$log") / 1000000)) MB: $way"
        measure "$log" "^$way"
    done
done | tee "$work/rows"

tr -d '\r' <"$work/rows" | awk '/hunt, a hit/ { peak[++n] = $NF }
    END { if (n != 2 || peak[2] > 1.15 * peak[1]) { print "FAILED: the hunt takes more memory for a larger log"; exit 1 } }' >&2
echo "ok  the hunt's memory does not grow with the log"
