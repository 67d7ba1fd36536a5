// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import fs from 'node:fs';

/** How a descriptor was opened, and its position: Linux has both in /proc. */
function descriptorInfo(fd: number): { readonly flags: number; readonly position: number } | undefined {
  try {
    const text = fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
    const flags = /^flags:\s+([0-7]+)$/m.exec(text)?.[1];
    const position = /^pos:\s+(\d+)$/m.exec(text)?.[1];
    if (flags === undefined || position === undefined) return undefined;
    return { flags: Number.parseInt(flags, 8), position: Number(position) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Whether a process was started without one of its standard streams (`>&-`).
 *
 * Node opens /dev/null for reading and writing in its place, before any script runs; a shell's `> /dev/null` opens it for
 * writing only, and that is what was asked for. Without /proc nothing is known: false.
 *
 * @param fd 0, 1 or 2
 */
export function wasClosed(fd: number): boolean {
  const info = descriptorInfo(fd);
  if (info === undefined || (info.flags & 3) !== fs.constants.O_RDWR) return false;
  const stats = fs.fstatSync(fd);
  return stats.isCharacterDevice() && stats.rdev === fs.statSync('/dev/null').rdev;
}

/** How many bytes a regular file has from where the descriptor stands; undefined for anything else. */
export function bytesLeft(fd: number): number | undefined {
  const stats = fs.fstatSync(fd);
  const info = descriptorInfo(fd);
  if (!stats.isFile() || info === undefined) return undefined;
  return Math.max(0, stats.size - info.position);
}
