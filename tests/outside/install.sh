# What the scripts that install tools for tests have in common; they source it, and have set $here, where their lists are,
# and $home, where things go.

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

# Fetches the packages that package.json names. What was begun and not finished counts as not installed: the file with the
# versions comes last. None of them has dependencies, so there is nothing that a lock would hold.
install_npm() {
    command -v npm >/dev/null || provide nodejs npm
    rm -rf "$home/build" "$home/node_modules" "$home/package.json"
    mkdir "$home/build"
    cp "$here/package.json" "$home/build/"
    (cd "$home/build" && npm install --silent --no-package-lock --no-audit --no-fund >&2)
    mv "$home/build/node_modules" "$home/build/package.json" "$home/"
    rmdir "$home/build"
}
