#!/bin/sh
# Runs the helper for Windows under wine and compares what it makes with what the Linux helper makes; `make test-windows`
# calls it. Skipped, and it says so, where wine or the compiler for Windows is missing.
set -eu
work=test-windows
. "$(dirname "$0")/wine.sh"
linux=$top/target/release/threatfox
mkdir -p "$work/serve/export/csv/recent"
cp "$helper" "$work/threatfox.exe"

windows() {
    wine "$work/threatfox.exe" "$@"
}

same() {
    cmp "$work/linux" "$work/windows" || { echo "FAILED: $1: Windows gives other bytes than Linux" >&2; exit 1; }
    rm "$work/linux" "$work/windows"
    echo "ok  $1"
}

cd "$top/tests/data"
windows --version

"$linux" normalize threatfox/recent-2026-03-15.csv -o "$work/linux" 2>/dev/null
windows normalize threatfox/recent-2026-03-15.csv -o "$work/windows" 2>/dev/null
same "normalize: the same feed, byte for byte"

"$linux" normalize threatfox/recent-2026-03-15.csv -o "$work/feed.csv.gz" 2>/dev/null
gzip -cd "$work/feed.csv.gz" | cut -d, -f1 | tail -n +2 | head -200 >"$work/values"
"$linux" match --feed "$work/feed.csv.gz" <"$work/values" >"$work/linux"
windows match --feed "$work/feed.csv.gz" <"$work/values" >"$work/windows"
[ -s "$work/linux" ]
same "match: the same answers for $(wc -l <"$work/values") values"

cp threatfox/recent-2026-03-15.csv "$work/serve/export/csv/recent/index.html"
python3 -m http.server --bind 127.0.0.1 --directory "$work/serve" 0 >"$work/server" 2>&1 &
server=$!
trap 'kill $server' EXIT
for _ in 1 2 3 4 5 6 7 8 9 10; do
    port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$work/server")
    [ -n "$port" ] && break
    sleep 0.5
done
gzip -cd "$work/feed.csv.gz" >"$work/linux"
windows fetch --source recent --export-format csv --export-url "http://127.0.0.1:$port/export/" -o "$work/windows" 2>"$work/said" ||
    { cat "$work/said" >&2; exit 1; }
same "fetch: the same feed from a server"

for log in evtx/*.evtx; do
    "$linux" scan "$log" -o "$work/linux" 2>/dev/null || true
    windows scan "$log" -o "$work/windows" 2>/dev/null || true
    same "scan: the same events of $log"
done

# Another process holds a log and shares it with nobody, until hold's standard input ends.
x86_64-w64-mingw32-gcc -O2 -o "$work/hold.exe" "$here/hold.c"
cp evtx/sysmon-psexec-dns.evtx "$work/held.evtx"
mkfifo "$work/end"
wine "$work/hold.exe" "$work/held.evtx" <"$work/end" >"$work/held" &
exec 3>"$work/end"
for _ in 1 2 3 4 5 6 7 8 9 10; do
    grep -q held "$work/held" && break
    sleep 0.5
done
windows scan "$work/held.evtx" evtx/sysmon-psexec-dns.evtx --summary json -o "$work/windows" >"$work/said"
exec 3>&-
grep -q 'held.evtx.*"error":"cannot read [^"]*held.evtx' "$work/said" && [ -s "$work/windows" ] ||
    { echo "FAILED: a locked log is not told, or keeps another from being read" >&2; cat "$work/said" >&2; exit 1; }
rm "$work/windows"
echo "ok  scan: a log locked by another process is told, the other is read"

[ -z "$(find "$WINEPREFIX"/drive_c/users/*/Temp "$work" -maxdepth 1 -name '*threatfox-*' ! -name '*.exe')" ] ||
    { echo "FAILED: temporary files are left" >&2; exit 1; }
echo "ok  no temporary file is left"
