#!/bin/sh
# Measures the live artifact: a log grows by 50 events per second; `make bench` calls it after bench.sh, whose log and feed it takes.
#
#   SECONDS_LIVE   how long the log grows, for each of the two ways (600)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(cd "$here/../.." && pwd)/target/bench
BENCH_SECONDS=${SECONDS_LIVE:-600} BENCH_EVTX=$work/sysmon-all.evtx BENCH_FEED=$work/threatfox-feed.csv.gz "$here/test.sh" -timeout 1h -v \
  -run '^TestEngine$/^TestBenchmarkLive$' 2>&1 | grep -E '^live:|^ *--- FAIL|^FAIL|^ +Error|^panic'
