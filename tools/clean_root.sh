# clean_root ROOT [MIRROR]: a Debian 12 with nothing in it, to run commands in with chroot. As root; fetches Debian.
# For the scripts beside it, which source it.
clean_root() {
  local root=$1 mirror=${2:-http://deb.debian.org/debian}
  [ -x "$root/bin/bash" ] || debootstrap --variant=minbase bookworm "$root" "$mirror" >/dev/null
  for file in /etc/apt/apt.conf.d/*proxy*; do [ ! -f "$file" ] || cp "$file" "$root/etc/apt/apt.conf.d/"; done
  mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
  trap "umount '$root/proc'" EXIT
}
