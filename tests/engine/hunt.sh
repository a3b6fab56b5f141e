#!/bin/sh
# Runs the hunt on logs of your own; `make hunt` and `make demo` call it.
#
#   EVTX             a log, or a folder of logs
#   FEED             a feed, or anything that `threatfox normalize` reads; several files if parted
#                    by blanks. Without it: ThreatFox's recent export is downloaded.
#   OUT              where the rows of Hits go, as JSON lines
#   NORMALIZE_ARGS   options of `threatfox normalize` (or fetch), such as --allow-private
#   HUNT_ARGS        parameters of the hunt, such as "MinStrength=weak MinConfidence=75"
#   VELOCIRAPTOR     a velociraptor binary to use instead of the engine in the tests
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
helper=${THREATFOX_BIN:-$top/target/release/threatfox}

absolute() { (cd "$(dirname "$1")" && printf '%s/%s' "$PWD" "$(basename "$1")"); }
step() { printf '\n== %s\n' "$1"; started=$(date +%s); }
took() { printf '   (%s s)\n' "$(($(date +%s) - started))"; }
fail() { echo "make hunt: $1" >&2; exit 1; }

[ -n "${EVTX:-}" ] || fail 'name a log or a folder of logs: make hunt EVTX=Sysmon.evtx'
[ -e "$EVTX" ] || fail "$EVTX does not exist"
evtx=$(absolute "$EVTX")
if [ -d "$evtx" ]; then evtx="$evtx/**/*.evtx"; fi

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
feed=$results/threatfox-feed.csv.gz

is_feed() {
  [ -f "$1" ] && gzip -cdf <"$1" 2>/dev/null | head -n 1 | grep -q '^"\{0,1\}key"\{0,1\},"\{0,1\}kind"\{0,1\},'
}

# Unquoted on purpose below: these hold several words.
if [ -z "${FEED:-}" ]; then
  step 'Feed: download the recent export from ThreatFox'
  "$helper" fetch --source recent ${NORMALIZE_ARGS:-} -o "$feed"
elif is_feed "$FEED"; then
  step "Feed: $FEED as it is"
  cp "$FEED" "$feed"
else
  step "Feed: normalize $FEED"
  "$helper" normalize ${NORMALIZE_ARGS:-} -o "$feed" $FEED
fi
took

if [ -n "${VELOCIRAPTOR:-}" ]; then
  step "Hunt: $evtx with $VELOCIRAPTOR"
  set -- --args "EvtxGlob=$evtx" --args "FeedFile=$feed"
  for arg in ${HUNT_ARGS:-}; do set -- "$@" --args "$arg"; done
  "$VELOCIRAPTOR" --definitions "$top/artifacts" artifacts collect Windows.Detection.ThreatFox \
    --format jsonl "$@" >"$results/all.jsonl" 2>"$results/velociraptor.log" ||
    { cat "$results/velociraptor.log" >&2; fail 'velociraptor failed'; }
  for source in Summary Hits Coverage; do
    grep "\"_Source\":\"Windows.Detection.ThreatFox/$source\"" "$results/all.jsonl" >"$results/$source.jsonl" || true
  done
  grep -E '^\[(ERROR|WARN)' "$results/velociraptor.log" || true
else
  step "Hunt: $evtx in Velociraptor's engine"
  HUNT_DIR=$results HUNT_FEED=$feed HUNT_EVTX=$evtx HUNT_ARGS=${HUNT_ARGS:-} \
    "$here/test.sh" -timeout 2h -run '^TestEngine$/^TestRunTheHuntOnYourLogs$' >"$results/engine.log" 2>&1 ||
    { cat "$results/engine.log" >&2; fail 'the engine failed'; }
fi
took

if [ -n "${OUT:-}" ]; then cp "$results/Hits.jsonl" "$OUT"; fi
cd "$here" && exec go run ./report "$results"
