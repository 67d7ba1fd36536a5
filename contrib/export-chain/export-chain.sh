#!/bin/sh
# SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
# SPDX-License-Identifier: BSD-3-Clause
#
# export-chain.sh IMAGE TARGET: see README.md. TAPDISK_TS is the command to run instead of tapdisk-ts.
set -eu

[ $# -eq 2 ] || { echo "usage: $0 IMAGE TARGET" >&2; exit 2; }
image=$(realpath "$1")
target=$2
directory=$(mktemp -d)
socket=$directory/nbd.sock
uri="nbd+unix:///?socket=$socket"

# The loop below may look before the shell in the background has opened the file.
: >"$directory/ready"
# shellcheck disable=SC2086 # TAPDISK_TS may have arguments
${TAPDISK_TS:-tapdisk-ts} daemon --log-level err --control-directory "$directory" \
  --read-only-disk "0=vhd:$image" --nbd "$socket" >>"$directory/ready" &
daemon=$!
trap 'kill "$daemon" 2>/dev/null || true; wait "$daemon" 2>/dev/null || true; rm -rf "$directory"' EXIT

# The daemon says when it listens; without an image it ends.
until grep -q '^ready' "$directory/ready"; do
  kill -0 "$daemon" 2>/dev/null || exit 1
  sleep 0.1
done

case $target in
*.qcow2) qemu-img convert -f raw -O qcow2 "$uri" "$target" ;;
*) nbdcopy "$uri" "$target" ;;
esac
