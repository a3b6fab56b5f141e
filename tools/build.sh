#!/bin/sh
# Builds the helper for endpoints and servers into dist/, or the folder FOLDER; `make pack SYSTEMS="linux windows"` calls it.
#
#   tools/build.sh linux [FOLDER]      runs on any Linux with glibc 2.17 (2012) or newer
#   tools/build.sh windows [FOLDER]    runs on Windows 10, Server 2016 or newer
#
# The same source and compilers give the same bytes, whatever the folder and the time. What is missing is told by name.
#
#   THREATFOX_COMPANY   who builds, for the properties of the .exe
set -eu
cd "$(dirname "$0")/.."
top=$PWD
system=${1:?linux or windows}
dist=${2:-$top/dist}

# Paths of this machine must not get into the program; those of this folder are relative already.
remap="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"
export CARGO_INCREMENTAL=0

need() {
    command -v "$1" >/dev/null || { echo "tools/build.sh: $1 is missing: $2" >&2; exit 1; }
}

case $system in
linux)
    need cargo-zigbuild "pip install ziglang==0.17.1 cargo-zigbuild==0.24.1"
    target=x86_64-unknown-linux-gnu
    RUSTFLAGS=$remap CARGO_TARGET_DIR=$top/target/tools \
        cargo zigbuild --locked --release --package threatfox-cli --target $target.2.17
    built=$top/target/tools/$target/release/threatfox
    name=threatfox_linux_amd64
    compilers() { rustc --version --verbose; cargo-zigbuild --version; python3 -m ziglang version 2>/dev/null || zig version; }
    ;;
windows)
    # Debian's compiler, since it comes with the source of the standard library, which has to be built for this target.
    packages="apt-get install --no-install-recommends rustc-web cargo-web rust-web-src gcc-mingw-w64-x86-64-win32"
    need /usr/bin/cargo "$packages"
    need x86_64-w64-mingw32-gcc "$packages"
    target=x86_64-pc-windows-gnu
    library=$(/usr/bin/rustc --print sysroot)
    # ld sorts the imports by the paths of their libraries: crates' lie in this folder, mingw's in the system's, and which
    # comes first would depend on the folder's name. A relative path comes after every absolute one.
    mkdir -p target/tools
    ln -sfn "$(dirname "$(x86_64-w64-mingw32-gcc -print-file-name=libkernel32.a)")" target/tools/mingw
    # -Zbuild-std is for nightly compilers; RUSTC_BOOTSTRAP lets a release do it.
    PATH=/usr/bin:$PATH RUSTC_BOOTSTRAP=1 \
        CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc \
        RUSTFLAGS="$remap --remap-path-prefix=$library=rust -Clink-arg=-Wl,--no-insert-timestamp -Clink-arg=-Ltarget/tools/mingw" \
        CARGO_TARGET_DIR=$top/target/tools \
        cargo build --locked --release --package threatfox-cli -Zbuild-std=std,panic_abort --target $target
    built=$top/target/tools/$target/release/threatfox.exe
    name=threatfox_windows_amd64.exe
    compilers() { /usr/bin/rustc --version --verbose; x86_64-w64-mingw32-gcc --version | head -n 1; }
    ;;
*)
    echo "tools/build.sh: linux or windows, not $system" >&2
    exit 2
    ;;
esac

mkdir -p "$dist"
cp "$built" "$dist/$name"
# The same bytes need the same compilers.
compilers >"$dist/$name.built-with.txt"
