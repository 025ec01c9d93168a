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

. "$here/../outside/install.sh"

is_installed() {
    cmp -s "$here/package.json" "$home/package.json" &&
        [ -s "$home/node_modules/axe-core/axe.min.js" ] && [ -s "$home/node_modules/acorn/dist/acorn.js" ]
}

if ! is_installed; then
    say "installs axe-core and acorn"
    install_npm
fi
is_installed || { say "the packages are not complete: see $home" && exit 1; }
