#!/bin/sh
# Installs the programs of others that tests talk to (tests/peers.txt, Debian packages), where this machine allows it.
# Where it does not, the tests that need them are skipped, and the summary says so.
cd "$(dirname "$0")" || exit
missing=""
for package in $(cat peers.txt); do
  dpkg-query --show --showformat='${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "not installed (that takes root and apt-get):$missing" >&2
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 -- a list of names
apt-get update -qq && apt-get install -qq --yes --no-install-recommends $missing >/dev/null || echo "not installed:$missing" >&2
