// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/**
 * The memory of this process that is in RAM, in bytes; undefined while it cannot be read. The kernel reports it in a file: that
 * needs a free descriptor, and /proc. A report without it is better than none, and than an error in the middle of serving.
 */
export function residentBytes(read: () => number = () => process.memoryUsage.rss()): number | undefined {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) return undefined;
    throw error;
  }
}
