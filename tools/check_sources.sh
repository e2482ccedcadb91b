#!/usr/bin/env bash
# The README's first command, for somebody who has nothing but a clean Debian 12 and these sources. As root; fetches Debian.
#     tools/check_sources.sh /tmp/root [MIRROR]
set -euo pipefail
source=$(realpath "$(dirname "$0")/..")
. "$source/tools/clean_root.sh"
clean_root "$@"
rm -rf "$1/bridgetower"
git clone -q --depth 1 "file://$source" "$1/bridgetower"

SECONDS=0
chroot "$1" /bridgetower/tools/demo
printf '\n== %s s from nothing to here\n' "$SECONDS"
