#!/bin/sh
# Install the programs that the tests of real ends drive, where that is possible without asking.
#
# It never fails for want of a package: the tests that need it are skipped and say so. In CI
# (CI=true) such a skip is a failure (tests/conftest.py), so nothing is lost silently there.
# PACKAGES=no installs nothing. Note that Debian starts sshd when openssh-server is installed.
set -eu

PATH=$PATH:/usr/sbin:/sbin
here=${0%/*}

say() { printf 'watchgate: %s\n' "$1" >&2; }

missing=""
need() { # PACKAGE PROGRAM: PACKAGE is missing when PROGRAM is
    command -v "$2" >/dev/null 2>&1 || case " $missing " in
        *" $1 "*) ;;
        *) missing="$missing $1" ;;
    esac
}

need_module() { # PACKAGE FILE: PACKAGE is missing when no file of that name is among rsyslog's modules
    for file in /usr/lib/rsyslog/"$2" /usr/lib/*/rsyslog/"$2"; do
        [ -e "$file" ] && return
    done
    missing="$missing $1"
}

need openssh-server sshd
need openssh-sftp-server /usr/lib/openssh/sftp-server
need openssh-client ssh
need openssh-client scp
need openssh-client sftp
need openssh-client ssh-keygen
need rsync rsync
need git git
need asciinema asciinema
need ttyrec ttyplay
need bsdutils scriptreplay
need age age
need ansible-core ansible-playbook
need chromium chromium
need sudo sudo
need opendoas doas
need zsh zsh
need fish fish
need dash dash
need busybox busybox
need mksh mksh
need vim vim
need less less
need tmux tmux
need rsyslog rsyslogd
need_module rsyslog-relp imrelp.so
need_module rsyslog-openssl lmnsd_ossl.so

"$here/syslog_ng.sh"
[ -n "$missing" ] || exit 0

if [ "${PACKAGES:-yes}" = no ]; then
    say "not installed, by PACKAGES=no:$missing; the tests that need them are skipped"
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    say "not installed, there is no apt-get here:$missing; the tests that need them are skipped"
    exit 0
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    say "not installed, neither root nor sudo without a password:$missing; the tests that need them are skipped. To run them: sudo apt-get install$missing"
    exit 0
fi

apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >&2; }

say "installing for the tests:$missing"
apt update || say "apt-get update failed; trying with the package lists that are here"
"$here/syslog_ng.sh" # where it could not be found before, with the lists that are new now
# One by one: a package that this distribution does not have must not hold back the others.
for package in $missing; do
    apt install -y --no-install-recommends "$package" \
        || say "could not install $package; the tests that need it are skipped"
done
