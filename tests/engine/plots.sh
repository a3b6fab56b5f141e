#!/bin/sh
# Measures the hunt against bare parse_evtx for feeds and logs of several sizes and draws what it found; `make plots` calls
# it. Needs python3 and some 10 minutes of an idle machine. Each way of each size is a process of its own.
#
#   ROUNDS   how often each way runs (2): the least time counts
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
table=$top/docs/plots/hunt.csv
mkdir -p "$top/docs/plots"

# One row a way: its name, the sizes, the least time, the processor time and the peak of memory.
measure() {
  echo "plots: $1 events, $2 keys" >&2
  ROUNDS=${ROUNDS:-2} EVENTS=$1 KEYS=$2 WAYS='bare all' "$here/bench.sh" |
    sed -nE "s/^bench: (bare|hunt).* +([0-9.]+) +[0-9.]+ +[0-9.]+ +([0-9.]+) +[0-9.]+ +([0-9]+)\$/\1,$1,$2,\2,\3,\4/p"
}

echo "way,events,keys,seconds,cpu_seconds,peak_mib" >"$table.new"
for keys in 10000 100000 300000 1000000; do measure 140000 $keys; done >>"$table.new"
for events in 20000 70000 280000; do measure $events 100000; done >>"$table.new"
mv "$table.new" "$table"
python3 "$top/tests/tools/plot_hunt.py" "$table" "$top/docs/plots"
