# What the tests under wine share; test.sh, engine.sh and memory.sh read it with `.`. It checks the tools, builds the helper for
# Windows where dist/ has none, and makes a fresh Windows in $work. A script sets $work, and $needs, the tools that it needs.
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
packages="wine64 wine gcc-mingw-w64-x86-64-win32 python3"

say() { echo "test-windows: $*" >&2; }

for tool in wine x86_64-w64-mingw32-gcc python3 ${needs-}; do
    command -v "$tool" >/dev/null || {
        echo "SKIPPED: $(basename "$0") did not run, $tool is missing. On Debian:" >&2
        echo "  apt-get install --no-install-recommends $packages" >&2
        exit 0
    }
done
helper=$top/dist/threatfox_windows_amd64.exe
[ -e "$helper" ] || {
    say "building the helper for Windows (the first time some 4 minutes)"
    "$top/tools/build.sh" windows
}

work=$top/target/$work
rm -rf "$work"
mkdir -p "$work"
export WINEDEBUG=-all WINEPREFIX="$work/wine" WINEDLLOVERRIDES="mscoree,mshtml="
say "making a fresh Windows in $work/wine"
wineboot -i >"$work/wineboot" 2>&1 || { cat "$work/wineboot" >&2; exit 1; }
system32=$WINEPREFIX/drive_c/windows/system32
# wine before 9 lacks a DLL that Windows has. Programs of Rust and of Go load it.
x86_64-w64-mingw32-gcc -shared -O2 -o "$system32/bcryptprimitives.dll" "$here/bcryptprimitives_stub.c" -ladvapi32
