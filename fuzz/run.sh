#!/usr/bin/env bash
# Runs every fuzz target for a time, with coverage and the address sanitizer, by any compiler (cargo-fuzz wants a nightly one).
# usage: fuzz/run.sh [TARGET ...]     environment: FUZZ_SECONDS (60) for each, CARGO_TARGET_DIR (target/fuzz)
set -o errexit -o nounset -o pipefail
cd "$(dirname "$0")"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/../target/fuzz}
host=$(rustc --version --verbose | sed -n 's/^host: //p')
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cdebug-assertions --cfg fuzzing"
# RUSTC_BOOTSTRAP: -Z options with a stable compiler.
RUSTC_BOOTSTRAP=1 RUSTFLAGS="$coverage -Zsanitizer=address" cargo build --release --quiet --target "$host"
if [ $# = 0 ]; then
  for source in fuzz_targets/*.rs; do set -- "$@" "$(basename "$source" .rs)"; done
fi
for target in "$@"; do
  echo "$target"
  mkdir -p "$CARGO_TARGET_DIR/corpus/$target"
  "$CARGO_TARGET_DIR/$host/release/$target" "$CARGO_TARGET_DIR/corpus/$target" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 \
    -rss_limit_mb=2048 -verbosity=0 -artifact_prefix="$CARGO_TARGET_DIR/$target-"
done
