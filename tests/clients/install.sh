#!/usr/bin/env bash
# Installs the clients of tests/clients.rs, into target/tools/clients or $FANFARE_TOOLS/clients: Python's websockets
# in an environment of its own, and Node's ws, in the versions that requirements.txt and package.json name.
#
# Python 3 and Node are the machine's. Where they are missing, apt-get installs them, as root. What is there already
# stays; then nothing is asked for from anywhere.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
home=${FANFARE_TOOLS:-$here/../../target/tools}/clients
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

has_websockets() {
    cmp -s "$here/requirements.txt" "$home/requirements.txt" &&
        "$home/python/bin/python" -c "import websockets" >/dev/null 2>&1
}

has_ws() {
    cmp -s "$here/package.json" "$home/package.json" &&
        NODE_PATH=$home/node_modules node -e "require('ws')" >/dev/null 2>&1
}

# What was begun and not finished counts as not installed: the file with the version comes last.
install_websockets() {
    python3 -c "import ensurepip, venv" >/dev/null 2>&1 || provide python3 python3-venv
    say "installs Python websockets"
    rm -rf "$home/python"
    python3 -m venv "$home/python"
    "$home/python/bin/python" -m pip -q --disable-pip-version-check install -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$home/"
}

# The package has no dependencies, so there is nothing that a lock would hold.
install_ws() {
    command -v npm >/dev/null || provide nodejs npm
    say "installs Node ws"
    rm -rf "$home/build" "$home/node_modules" "$home/package.json"
    mkdir "$home/build"
    cp "$here/package.json" "$home/build/"
    (cd "$home/build" && npm install --silent --no-package-lock --no-audit --no-fund >&2)
    mv "$home/build/node_modules" "$home/build/package.json" "$home/"
    rmdir "$home/build"
}

has_websockets || install_websockets
has_ws || install_ws
has_websockets && has_ws || { say "a client cannot be loaded: see $home" && exit 1; }
