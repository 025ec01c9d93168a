#!/usr/bin/env bash
# Installs what tests/chromium.rs looks at the pages with, into target/tools/pages or $FANFARE_TOOLS/pages: axe-core and
# acorn, in the versions that package.json names. Both run in the browser; Node's npm only fetches them.
#
# npm is the machine's. Where it is missing, apt-get installs it, as root. What is there already stays; then nothing is
# asked for from anywhere.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
home=${FANFARE_TOOLS:-$here/../../target/tools}/pages
mkdir -p "$home"
home=$(cd "$home" && pwd)

say() { echo "${0##*/}: $*" >&2; }

# Has the machine provide packages of Debian's.
provide() {
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        say "$* are missing: only root can install them here, and only with apt-get"
        return 1
    fi
    say "installs $*"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
}

is_installed() {
    cmp -s "$here/package.json" "$home/package.json" &&
        [ -s "$home/node_modules/axe-core/axe.min.js" ] && [ -s "$home/node_modules/acorn/dist/acorn.js" ]
}

# What was begun and not finished counts as not installed: the file with the versions comes last. Neither package has
# dependencies, so there is nothing that a lock would hold.
install() {
    command -v npm >/dev/null || provide nodejs npm
    say "installs axe-core and acorn"
    rm -rf "$home/build" "$home/node_modules" "$home/package.json"
    mkdir "$home/build"
    cp "$here/package.json" "$home/build/"
    (cd "$home/build" && npm install --silent --no-package-lock --no-audit --no-fund >&2)
    mv "$home/build/node_modules" "$home/build/package.json" "$home/"
    rmdir "$home/build"
}

is_installed || install
is_installed || { say "the packages are not complete: see $home" && exit 1; }
