#!/bin/busybox sh
# SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
# SPDX-License-Identifier: BSD-3-Clause
#
# The first process of the virtual machine of `npm run test:linux` that uses a VHD: a file system lives through a snapshot
# under it and through a coalesce. Prints `RESULT NAME VALUE` for all that is to be compared; after `RESULT ask NAME` it
# waits for a line from outside. `RESULT end 0` when nothing failed.

/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev

result() {
  echo "RESULT $1 $2"
}

ask() {
  result ask "$1"
  read -r _
}

hash_of() {
  sha256sum "$1" | cut -d ' ' -f 1
}

connect() {
  nbd-client "$HOST" "$PORT" /dev/nbd0 -N 0 -block-size 512 -connections 2
}

use_disk() {
  set -e
  for module in e1000 nbd crc32c_generic ext4; do modprobe "$module"; done
  ifconfig eth0 10.0.2.15 netmask 255.255.255.0

  connect
  mkfs.ext4 -q -F /dev/nbd0
  mount -t ext4 /dev/nbd0 /mnt
  dd if=/dev/urandom of=/mnt/first bs=64k count=256 2>/dev/null
  sync
  result first "$(hash_of /mnt/first)"
  # The file system stays mounted, and something is written all the time.
  (while :; do dd if=/dev/urandom of=/mnt/busy bs=64k count=16 conv=fsync 2>/dev/null; done) &
  busy=$!
  ask snapshot
  kill "$busy"
  wait "$busy" || true
  dd if=/dev/urandom of=/mnt/second bs=64k count=256 2>/dev/null
  cp /mnt/second /mnt/third
  rm /mnt/busy
  sync
  result second "$(hash_of /mnt/second)"
  umount /mnt
  e2fsck -f -n /dev/nbd0 >/dev/null
  nbd-client -d /dev/nbd0
  ask coalesce

  connect
  e2fsck -f -n /dev/nbd0 >/dev/null
  mount -t ext4 /dev/nbd0 /mnt
  result first-again "$(hash_of /mnt/first)"
  result third "$(hash_of /mnt/third)"
  umount /mnt
  nbd-client -d /dev/nbd0
}

(use_disk)
result end $?
poweroff -f
