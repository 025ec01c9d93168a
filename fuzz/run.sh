#!/usr/bin/env bash
# Runs the fuzz targets, and says in a table what came of it. Needs a nightly toolchain and cargo-fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'END'
Usage: fuzz/run.sh [OPTIONS] [TARGET...]

Runs the targets, all of them unless some are named, and prints a table at the end.
What is found goes to fuzz/corpus/ and goes on from there the next time; crashes to fuzz/artifacts/.
The seeds in fuzz/seeds/ are read, never written.

Options:
  -s, --seconds N       how long each target runs [1200]
  -j, --jobs N          targets at a time [half of the processors]
      --sanitizer NAME  `none` is twice as fast, and there is no `unsafe` here;
                        `address` watches the crates below as well [none]
  -h, --help            this text

Exit status: 0 when nothing was found, 1 when something was, 2 when it could not run.
END
}

fail() { echo "fuzz/run.sh: $*; see --help" >&2; exit 2; }
number() { [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail "$1 wants a number"; }

seconds=1200
jobs=$(( ($(nproc) + 1) / 2 ))
sanitizer=none
targets=()
while [[ $# -gt 0 ]]; do
    case $1 in
        -s|--seconds) number "$@"; seconds=$2; shift ;;
        -j|--jobs) number "$@"; jobs=$2; shift ;;
        --sanitizer) sanitizer=${2:-}; [[ $sanitizer == none || $sanitizer == address ]] || fail "$1 is none or address"; shift ;;
        -h|--help) usage; exit ;;
        -*) fail "there is no option $1" ;;
        *) [[ -f fuzz/fuzz_targets/$1.rs ]] || fail "there is no target $1"; targets+=("$1") ;;
    esac
    shift
done
if [[ ${#targets[@]} -eq 0 ]]; then
    for path in fuzz/fuzz_targets/*.rs; do
        targets+=("$(basename "$path" .rs)")
    done
fi

command -v cargo-fuzz >/dev/null || fail "cargo-fuzz is missing: cargo install cargo-fuzz --locked"
cargo +nightly fuzz build --sanitizer "$sanitizer" || fail "the targets do not build"

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
touch "$logs/began"

# libFuzzer writes to its first folder alone: the seeds behind it are only read.
run() {
    mkdir -p "fuzz/corpus/$1" "fuzz/artifacts/$1"
    cargo +nightly fuzz run --sanitizer "$sanitizer" "$1" "fuzz/corpus/$1" "fuzz/seeds/$1" -- \
        -max_total_time="$seconds" -print_final_stats=1 -timeout=10 -rss_limit_mb=1024 >"$logs/$1" 2>&1 || true
}

# The last number behind a name in a target's log.
last() { grep -aoE "$2:? +[0-9]+" "$logs/$1" | tail -1 | grep -oE '[0-9]+$' || echo -; }

row() { printf '%-12s %8s %12s %8s %7s %9s %7s %8s\n' "$@"; }

export -f run
export seconds sanitizer logs
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I TARGET bash -c 'run TARGET'

found=0
row target seconds executions exec/s edges features corpus crashes
for target in "${targets[@]}"; do
    executions=$(last "$target" 'stat::number_of_executed_units')
    [[ $executions == - ]] && executions=$(grep -aoE '^#[0-9]+' "$logs/$target" | tail -1 | tr -d '#' || true)
    took=$(grep -aoE 'in [0-9]+ second' "$logs/$target" | tail -1 | grep -oE '[0-9]+' || echo -)
    corpus=$(find "fuzz/corpus/$target" -type f | wc -l)
    crashes=$(find "fuzz/artifacts/$target" -type f -newer "$logs/began" | wc -l)
    row "$target" "$took" "${executions:--}" "$(last "$target" 'exec/s')" "$(last "$target" 'cov')" \
        "$(last "$target" 'ft')" "$corpus" "$crashes"
    if [[ $crashes -gt 0 || $took == - ]]; then
        found=1
        echo "--- $target:" >&2
        grep -aE -A5 'panicked at|ERROR:|error' "$logs/$target" | cut -c1-200 | head -12 >&2 || true
    fi
done
exit "$found"
