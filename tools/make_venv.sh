#!/bin/sh
# Make the virtual environment in the directory named by the first argument.
#
# Debian and Ubuntu ship Python without `ensurepip`; the package python3-venv holds it. It is
# installed where that is possible without asking; otherwise the reader is told what to type.
set -eu

venv=$1
python=${PYTHON:-python3}

say() { printf 'watchgate: %s\n' "$1" >&2; }

if ! command -v "$python" >/dev/null 2>&1; then
    say "there is no $python: install Python 3.11 or newer (Debian, Ubuntu: apt-get install python3), or name one: make PYTHON=/path/to/python3"
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    say "$python is $("$python" -V 2>&1), and Watchgate needs 3.11 or newer: name one with make PYTHON=/path/to/python3"
    exit 1
fi

if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    if ! command -v apt-get >/dev/null 2>&1; then
        say "$python has no ensurepip: install what your system calls python3-venv, then run make again"
        exit 1
    fi
    if [ "$(id -u)" -eq 0 ]; then
        as_root=""
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        say "$python has no ensurepip: type 'sudo apt-get install python3-venv', then run make again"
        exit 1
    fi
    say "installing python3-venv"
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >&2
fi

"$python" -m venv --clear "$venv"
