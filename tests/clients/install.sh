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

. "$here/../outside/install.sh"

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

install_ws() {
    say "installs Node ws"
    install_npm
}

has_websockets || install_websockets
has_ws || install_ws
has_websockets && has_ws || { say "a client cannot be loaded: see $home" && exit 1; }
