#!/usr/bin/env bash
# Installs the Debian packages in a clean Debian 12, runs the demo there, and builds and runs a program
# on the installed library. As root; fetches Debian.
#     tools/check_package.sh build/release /tmp/root [MIRROR]
set -euo pipefail
build=$(realpath "$1") root=$2
source=$(realpath "$(dirname "$0")/..")
. "$source/tools/clean_root.sh"
step() { printf '\n== %s (%s s)\n' "$*" "$SECONDS"; }

step "a clean Debian 12"
shift
clean_root "$@"

step "packages"
(cd "$build" && cpack -G DEB >/dev/null)
rm -f "$root"/tmp/*.deb
cp "$build"/*.deb "$root/tmp/"

SECONDS=0
step "apt install, demo"
chroot "$root" bash -ec 'apt-get update -qq; cd /tmp; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq ./bridgetower_*.deb >/dev/null
  /usr/share/bridgetower/examples/demo; bridgetower --version'

step "a program of one's own"
cp -r "$source/examples/match" "$root/tmp/match"
chroot "$root" bash -ec 'cd /tmp
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends g++ cmake make ./libbridgetower-dev_*.deb >/dev/null
  cmake -S match -B build -DCMAKE_BUILD_TYPE=Release >/dev/null
  cmake --build build >/dev/null
  share=/usr/share/bridgetower
  build/match $share/models/demo $share/examples/pictures/red-boat-sea.png "a red boat on the water"'
step "done"
