#!/bin/sh
# Unpack syslog-ng for the tests, beside rsyslog: as Debian packages the two exclude each other.
#
# Nothing is installed: the packages are downloaded with apt-get, whose signatures hold for them, and
# unpacked into DIRECTORY (default .packages/syslog-ng), where the tests look. It needs no root. Like
# test_packages.sh it never fails for want of a package: the tests that need it are skipped and say so.
set -eu

PATH=$PATH:/usr/sbin:/sbin
directory=${1:-${0%/*}/../.packages/syslog-ng}

say() { printf 'watchgate: %s\n' "$1" >&2; }
without() { say "no syslog-ng for the tests: $1; the tests that need it are skipped"; exit 0; }

command -v syslog-ng >/dev/null 2>&1 && exit 0
[ -x "$directory/usr/sbin/syslog-ng" ] && exit 0
[ "${PACKAGES:-yes}" != no ] || without "by PACKAGES=no"
for tool in apt-get apt-cache dpkg dpkg-query; do
    command -v "$tool" >/dev/null 2>&1 || without "there is no $tool here"
done

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q ' installed$'; }

packages=syslog-ng-core
for package in $(apt-cache depends syslog-ng-core 2>/dev/null | sed -n 's/^ *Depends: \(lib[^<>]*\)$/\1/p'); do
    installed "$package" || packages="$packages $package"
done

say "unpacking for the tests: $packages"
rm -rf "$directory.new"
mkdir -p "$directory.new"
downloads=$(mktemp -d)
trap 'rm -rf "$downloads"' EXIT
# shellcheck disable=SC2086  # a list of package names
(cd "$downloads" && apt-get -qq download $packages >&2) || without "apt-get could not download $packages"
for package in "$downloads"/*.deb; do
    dpkg -x "$package" "$directory.new" || without "$package could not be unpacked"
done
rm -rf "$directory"
mv "$directory.new" "$directory"
