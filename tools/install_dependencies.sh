#!/usr/bin/env bash
# Installs every Debian package that the build and the tests need and that is missing.
set -euo pipefail

packages=(
  g++ cmake ninja-build ccache pkg-config dpkg-dev file
  libeigen3-dev nlohmann-json3-dev libstb-dev libjpeg62-turbo-dev libcli11-dev libhnswlib-dev
  libgtest-dev libgmock-dev libbenchmark-dev
  "$@"
)

missing=()
for package in "${packages[@]}"; do
  dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
    missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing ${missing[*]}"
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
