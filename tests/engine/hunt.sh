#!/bin/sh
# Runs the hunt on logs of your own; `make hunt` and `make demo` call it. With the argument `check` it only looks whether it could.
#
#   EVTX             a log, or a folder of logs
#   FEED             a feed, or anything that `threatfox normalize` reads; several files if parted
#                    by blanks. Without it: ThreatFox's recent export is downloaded.
#   OUT              where the rows of Hits go, as JSON lines
#   NORMALIZE_ARGS   options of `threatfox normalize` (or fetch), such as --allow-private
#   HUNT_ARGS        parameters of the hunt, such as "MinStrength=weak MinConfidence=75"
#   VELOCIRAPTOR     a velociraptor binary to use instead of the engine in the tests; Go is not needed then
#   NATIVE           1 runs Windows.Detection.ThreatFox.Native: the helper reads the logs (in the tests' engine only)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
helper=${THREATFOX_BIN:-$top/target/release/threatfox}
pack=${PACK_BIN:-$top/target/release/pack}

fail() { echo "make hunt: $1" >&2; exit 1; }
# A path from the root, which no program takes for an option.
absolute() {
  case $1 in /*) path=$1 ;; *) path=./$1 ;; esac
  if [ -d "$path" ]; then (cd "$path" && pwd) && return; fi
  folder=$(cd "$(dirname "$path")" && pwd) && printf '%s/%s\n' "${folder%/}" "$(basename "$path")"
}
step=$top/tools/step.sh
# Runs a command with its output in $results/$output.out and $results/$output.log.
quietly='exec "$@" >"$results/$output.out" 2>"$results/$output.log"'

[ -n "${EVTX:-}" ] || fail 'name a log or a folder of logs: make hunt EVTX=Sysmon.evtx'
[ -e "$EVTX" ] || fail "$EVTX does not exist"
evtx=$(absolute "$EVTX") || fail "EVTX=$EVTX cannot be reached: see the line above"
# The hunt takes a glob, where only ? stands for a character that would mean something else, such as a bracket.
glob=$(printf '%s\n' "$evtx" | sed 's/[][{}*?]/?/g')
if [ -d "$evtx" ]; then glob="$glob/**/*.evtx"; fi
if [ -n "${OUT:-}" ]; then
  [ ! -d "$OUT" ] || fail "OUT=$OUT is a folder: give a file in it"
  out=$(absolute "$OUT" 2>/dev/null) || fail "OUT=$OUT: its folder does not exist: make it first, or give another file"
fi
if [ -n "${VELOCIRAPTOR:-}" ]; then
  [ -z "${NATIVE:-}" ] || fail 'NATIVE=1 runs in the tests engine only: leave VELOCIRAPTOR out'
  "$VELOCIRAPTOR" version >/dev/null 2>&1 ||
    fail "VELOCIRAPTOR=$VELOCIRAPTOR cannot be run: give the path of a Velociraptor program for this machine, or leave it out to build the engine with Go"
else
  command -v go >/dev/null || fail 'Go is missing: install Go, or give VELOCIRAPTOR=binary'
fi
[ -d "${TMPDIR:-/tmp}" ] && [ -w "${TMPDIR:-/tmp}" ] || fail "TMPDIR=${TMPDIR:-/tmp} is not a folder that can be written to: make it, or leave TMPDIR out"
if [ "${1:-}" = check ]; then exit 0; fi

results=$(mktemp -d) # a line of its own: if this fails, all ends here
results=$(absolute "$results") # since some steps run elsewhere
TMPDIR=$results # what they leave when they are stopped goes with it
export results TMPDIR
trap 'rm -rf "$results"' EXIT
trap 'exit 130' HUP INT TERM
feed=$results/threatfox-feed.csv.gz

is_feed() {
  [ -f "$1" ] && gzip -cdf <"$1" 2>/dev/null | head -n 1 | grep -q '^"\{0,1\}key"\{0,1\},"\{0,1\}kind"\{0,1\},'
}

# Unquoted on purpose below: these hold several words.
if [ -z "${FEED:-}" ]; then
  "$step" 'Feed: download the recent export from ThreatFox' "$helper" fetch --source recent ${NORMALIZE_ARGS:-} -o "$feed"
elif is_feed "$FEED"; then
  "$step" "Feed: $FEED as it is" cp -- "$FEED" "$feed"
else
  if [ -e "$FEED" ]; then set -- "$FEED"; else set -- $FEED; fi
  "$step" "Feed: normalize $FEED" "$helper" normalize ${NORMALIZE_ARGS:-} -o "$feed" -- "$@"
fi

if [ -n "${VELOCIRAPTOR:-}" ]; then
  # Velociraptor waits for each tool that a definition names, and without one it runs nothing. The feed is given as a file here, so the
  # definitions need no tools.
  cp -r "$top/artifacts" "$results/definitions"
  find "$results/definitions" -name '*.yaml' | while read -r definition; do
    awk '/^tools:/ { skip = 1; next } skip && /^[a-z]/ { skip = 0 } !skip' "$definition" >"$results/definition" && mv "$results/definition" "$definition"
  done
  set -- --args "EvtxGlob=$glob" --args "FeedFile=$feed" --args AnySystem=Y
  for arg in ${HUNT_ARGS:-}; do set -- "$@" --args "$arg"; done
  output=velociraptor "$step" "Hunt: $evtx with $VELOCIRAPTOR" sh -c "$quietly" quietly \
    "$VELOCIRAPTOR" --definitions "$results/definitions" artifacts collect Windows.Detection.ThreatFox --format jsonl "$@" ||
    { cat "$results/velociraptor.log" >&2; fail 'velociraptor failed'; }
  for source in Summary Hits Coverage; do
    grep "\"_Source\":\"Windows.Detection.ThreatFox/$source\"" "$results/velociraptor.out" >"$results/$source.jsonl" || true
  done
  grep -E '^\[(ERROR|WARN)' "$results/velociraptor.log" || true
else
  output=prepare "$step" "Ready Velociraptor's engine (its source is downloaded the first time)" sh -c "$quietly" quietly "$here/prepare.sh" ||
    { cat "$results/prepare.log" >&2; fail 'the engine cannot be had'; }
  output=build "$step" "Build Velociraptor's engine (some 10 minutes the first time, under a minute later)" sh -c "$quietly" quietly \
    "$here/test.sh" -c -o "$results/engine" ||
    { cat "$results/build.out" "$results/build.log" >&2; fail 'the engine cannot be built'; }
  VELOCIRAPTOR_MODULE_DIR=$(cd "$here" && go list -mod=readonly -m -f '{{.Dir}}' www.velocidex.com/golang/velociraptor)
  export VELOCIRAPTOR_MODULE_DIR
  export HUNT_DIR=$results HUNT_FEED=$feed HUNT_EVTX=$glob HUNT_ARGS=${HUNT_ARGS:-} HUNT_NATIVE=${NATIVE:-}
  cd "$here" # whose folders the engine's program looks for
  output=engine "$step" "Hunt: $evtx in Velociraptor's engine" sh -c "$quietly" quietly \
    "$results/engine" -test.timeout 2h -test.run '^TestEngine$/^TestRunTheHuntOnYourLogs$' ||
    { cat "$results/engine.out" "$results/engine.log" >&2; fail 'the engine failed'; }
fi

if ! grep -q '"Status":"searched' "$results/Coverage.jsonl"; then
  cat "$results"/failed.txt "$results"/velociraptor.log >&2 2>/dev/null || true
  fail "nothing was searched in $evtx"
fi
if [ -n "${OUT:-}" ]; then cp "$results/Hits.jsonl" "$out"; fi
"$pack" report "$results"
