#!/bin/sh
# Make or refresh .venv from requirements.lock, every file checked against its hash.
#
# 1. Find a Python that can make virtual environments, a quick one if there is one. 2. Install uv
# into it with pip, from a lock of its own. 3. Let uv install the rest, which takes it 15 s where pip
# takes over a minute; where there is no uv for the platform, or it reaches no index, pip does that
# too.
set -eu
MB_NEEDED=1000
cd "$(dirname "$0")/.."

is_fit() {
    "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# One whose builder let the compiler profile it, as distributions do and pyenv does not unless told.
# Debian's sysconfig does not tell of it: what is installed under /usr is taken to be.
is_quick() {
    "$1" -c 'import sys, sysconfig
built_with = sysconfig.get_config_var("CONFIG_ARGS") or ""
sys.exit(sys.base_prefix != "/usr" and "--enable-optimizations" not in built_with)'
}

# What of these names is anywhere on the PATH, the first first.
pythons() {
    for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
        (IFS=:; for folder in $PATH; do echo "${folder:-.}/$name"; done)
    done
}

find_python() {
    any=
    IFS='
'
    for python in $(pythons); do
        if [ -x "$python" ] && is_fit "$python"; then
            any=${any:-$python}
            if is_quick "$python"; then
                any=$python
                break
            fi
        fi
    done
    unset IFS
    if [ -n "$any" ]; then
        echo "$any"
        return
    fi
    echo "Jibei needs Python 3.11 or later with its venv module, and none is on the PATH." >&2
    echo "Install it and start again; on Debian and Ubuntu: apt install python3 python3-venv" >&2
    return 1
}

pip_install() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes "$@"
}

# What pip was told, since uv does not read pip's settings.
setting_of_pip() {
    .venv/bin/python -m pip config list 2>/dev/null |
        sed -nE "s/^(:env:|global|user|site)\.$1='(.*)'$/\2/p" | head -n 1
}

# Most often it is the network; a disk that is nearly full is told as well.
explain() {
    echo "The dependencies could not be installed. Look at the lines above: most often the" >&2
    echo "network is down, or pip needs to be told of a proxy or mirror (pip config --help)." >&2
    free=$(df -Pm . | awk 'NR == 2 { print $4 }')
    if [ "$free" -lt "$MB_NEEDED" ]; then
        echo "Only $free MB are free on the disk of $PWD, and $MB_NEEDED are needed: free some" >&2
        echo "there and start again." >&2
    fi
    exit 1
}

if ! [ -x .venv/bin/python ] || ! is_fit .venv/bin/python; then
    python=$(find_python)
    echo "· virtual environment in .venv, of $("$python" --version), $python"
    rm -rf .venv
    "$python" -m venv .venv || explain
fi

echo "· dependencies (the first time takes a minute)"
index=$(setting_of_pip index-url)
if [ -n "$index" ] && [ -z "${UV_DEFAULT_INDEX:-}" ]; then
    export UV_DEFAULT_INDEX="$index"
fi
authority=$(setting_of_pip cert)
if [ -n "$authority" ] && [ -z "${SSL_CERT_FILE:-}" ]; then
    export SSL_CERT_FILE="$authority"
fi
if pip_install -r requirements-uv.lock &&
    .venv/bin/uv pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes requirements.lock; then
    exit 0
fi
echo "· uv cannot be used here; pip goes on, which takes longer"
pip_install -r requirements.lock || explain
