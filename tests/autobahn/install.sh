#!/usr/bin/env bash
# Installs the Autobahn|Testsuite for tests/autobahn.rs, into target/tools/autobahn or $FANFARE_TOOLS/autobahn.
#
# The suite needs CPython 2.7 with pip, which is looked for in $FANFARE_PYTHON2, PATH and pyenv's folder. Where there
# is none, Debian's last one is unpacked beside the suite. Everything stays in that folder, root is not needed, and
# where it is all there already, nothing happens.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
home=${FANFARE_TOOLS:-$here/../../target/tools}/autobahn
mkdir -p "$home"
home=$(cd "$home" && pwd)

# The last release of Debian with Python 2.7, and the packages that make up as much of it as is needed.
release=bullseye
packages=(python2.7-minimal libpython2.7-minimal libpython2.7-stdlib libpython2.7-dev libssl1.1 libffi7 python-pip-whl)

say() { echo "${0##*/}: $*" >&2; }
fail() { say "$@" && exit 1; }

is_installed() {
    cmp -s "$here/requirements.txt" "$home/requirements.txt" && cmp -s "$here/faster.txt" "$home/faster.txt" &&
        "$home/python" -c "import autobahntestsuite" >/dev/null 2>&1
}

# Whether a program can run the suite and install it. What is in PATH may be a stand-in that cannot.
is_python() {
    "$1" -c "import pip, ssl, sys, zlib; assert sys.version_info[:2] == (2, 7)" >/dev/null 2>&1
}

# Says which Python 2.7 this machine has, or nothing.
find_python() {
    local candidate
    if [ -n "${FANFARE_PYTHON2:-}" ]; then
        is_python "$FANFARE_PYTHON2" || fail "FANFARE_PYTHON2 names no CPython 2.7 with pip: $FANFARE_PYTHON2"
        echo "$FANFARE_PYTHON2"
        return
    fi
    for candidate in "$(command -v python2.7)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/2.7*/bin/python2.7; do
        if is_python "$candidate"; then
            echo "$candidate"
            return
        fi
    done
}

# Says where this machine has Debian from.
find_mirror() {
    local name
    name=$(. /etc/os-release && echo "${VERSION_CODENAME:-none}")
    apt-get --print-uris update | sed -n "s|^'\(.*\)/dists/$name/InRelease' .*|\1|p" | head -n 1
}

# Unpacks Debian's Python, with package lists of its own: what the machine has installed stays as it is.
unpack_python() {
    local mirror apt=$home/apt package
    command -v apt-get >/dev/null || fail "no CPython 2.7 with pip: name one in FANFARE_PYTHON2"
    mirror=$(find_mirror)
    [ -n "$mirror" ] || fail "no CPython 2.7 with pip, and no Debian to have it from: name one in FANFARE_PYTHON2"
    say "unpacks Python 2.7"
    mkdir -p "$apt"/{lists,archives}/partial
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release main" >"$apt/sources.list"
    local get=(apt-get -qq -o Acquire::Retries=3 -o APT::Sandbox::User=root -o Dir::State="$apt"
        -o Dir::Cache="$apt" -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null)
    "${get[@]}" update
    (cd "$apt/archives" && "${get[@]}" download "${packages[@]}")
    for package in "$apt"/archives/*.deb; do
        dpkg -x "$package" "$home/debian"
    done
    rm -rf "$apt"
}

# Makes what was unpacked work where it is. Sets `python` and `libraries`.
use_unpacked() {
    python=$home/debian/usr/bin/python2.7
    libraries=$(echo "$home"/debian/usr/lib/*-linux-gnu*)
    export LD_LIBRARY_PATH=$libraries
    export C_INCLUDE_PATH=$home/debian/usr/include:$home/debian/usr/include/python2.7
    export PYTHONPATH=$home/debian/pip
    local wheel # Debian has pip and its parts as wheels. Those would come first, and pip cannot build from them.
    for wheel in "$home"/debian/usr/share/python-wheels/*.whl; do
        "$python" -m zipfile -e "$wheel" "$PYTHONPATH"
        rm "$wheel"
    done
    is_python "$python" || fail "the unpacked Python does not run: name another one in FANFARE_PYTHON2"
}

pip() {
    "$python" -W ignore -m pip -q --disable-pip-version-check install --user --ignore-installed --no-deps \
        --no-warn-script-location "$@"
}

# Writes the file that the test starts. It comes last: what was begun and not finished counts as not installed.
write_launcher() {
    cp "$here/requirements.txt" "$here/faster.txt" "$home/"
    cat >"$home/python" <<END
#!/bin/sh
unset PYTHONHOME PYTHONPATH PYTHONNOUSERSITE
export PYTHONUSERBASE="$home/packages"${libraries:+ LD_LIBRARY_PATH=\"$libraries\"}
exec "$python" -W ignore "\$@"
END
    chmod +x "$home/python"
}

is_installed && exit
rm -rf "$home"
mkdir -p "$home"
unset PYTHONHOME PYTHONPATH PYTHONNOUSERSITE
export PYTHONUSERBASE=$home/packages
libraries=
python=$(find_python)
if [ -z "$python" ]; then
    unpack_python
    use_unpacked
fi
say "installs the Autobahn|Testsuite"
pip -r "$here/requirements.txt"
pip -r "$here/faster.txt" >/dev/null 2>&1 || say "goes on without wsaccel: the suite will be slower"
write_launcher
is_installed || fail "the suite does not start: see \"$home/python -c 'import autobahntestsuite'\""
