#!/bin/busybox sh
# SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
# SPDX-License-Identifier: BSD-3-Clause
#
# The first process of the virtual machine of `npm run test:linux`: makes a block device of the disk that is served at
# HOST and PORT, and uses it. What the kernel's command line sets in capitals is in the environment. Prints `RESULT NAME
# VALUE` for all that is to be compared, and `RESULT end 0` when nothing failed.

/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev

result() {
  echo "RESULT $1 $2"
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
  result bytes $(($(cat /sys/block/nbd0/size) * 512))
  result write_cache "$(tr ' ' '-' </sys/block/nbd0/queue/write_cache)"

  mkfs.ext4 -q -F /dev/nbd0
  mount -t ext4 /dev/nbd0 /mnt
  dd if=/dev/urandom of=/mnt/first bs=64k count=1024 2>/dev/null
  cp /mnt/first /mnt/second
  result written "$(hash_of /mnt/first)"
  # Both files have to be on the disk, and what is freed in the journal too: only then is there something to trim.
  sync
  rm /mnt/first
  sync
  fstrim /mnt
  umount /mnt
  nbd-client -d /dev/nbd0

  # Another connection, and nothing left in the kernel's cache.
  connect
  mount -t ext4 /dev/nbd0 /mnt
  result read "$(hash_of /mnt/second)"
  umount /mnt
  e2fsck -f -n /dev/nbd0 >/dev/null
  result disk "$(hash_of /dev/nbd0)"
  nbd-client -d /dev/nbd0
}

(use_disk)
result end $?
poweroff -f
