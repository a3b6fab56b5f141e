#!/bin/sh
# Fuzz each parser with libFuzzer: FUZZ_SECONDS (default 600) each, in 512 MiB of memory, 128 MiB at once.
#
# Usage: fuzz.sh [TARGET…]
#
# No nightly compiler: the flags that let libFuzzer see which code was reached are stable. A C++ compiler builds libFuzzer.
# What it finds lies in target/fuzz/, with the corpus it built; the next run goes on from there.
set -eu
cd "$(dirname "$0")/../.."

folder=target/fuzz
all=$(cargo run --locked --quiet --package threatfox-fuzz --bin samples -- $folder/corpus)

host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
 -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Coverflow-checks"
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_STRIP=none CARGO_PROFILE_RELEASE_DEBUG=line-tables-only
# --target keeps the flags from what runs while building; the program is the only one that has libFuzzer in it.
cargo build --locked --quiet --release --package threatfox-fuzz --features libfuzzer --bin fuzz \
	--target "$host" --target-dir $folder

for target in ${@:-$all}; do
	echo "== fuzz $target: ${FUZZ_SECONDS:-600} s"
	if ! FUZZ_TARGET=$target "$folder/$host/release/fuzz" "$folder/corpus/$target" -artifact_prefix="$folder/$target-" \
		-max_total_time="${FUZZ_SECONDS:-600}" -max_len=16384 -timeout=10 -rss_limit_mb=512 -malloc_limit_mb=128 \
		-print_final_stats=1 >"$folder/$target.log" 2>&1; then
		tail -n 40 "$folder/$target.log"
		echo "fuzz.sh: $target failed; the input is $folder/$target-*, the whole log $folder/$target.log" >&2
		exit 1
	fi
	grep -E '^Done|DONE +cov:|number_of_executed|peak_rss' "$folder/$target.log"
done
