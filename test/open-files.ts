// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readdirSync, readlinkSync } from 'node:fs';

/** The files in a directory that this process has open, and the directory. Others are opened and closed by tests beside this one. */
export function openFiles(directory: string): string[] {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch (error) {
      // It was closed since the list was read, as that of the list itself.
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
      throw error;
    }
  });
  return targets.filter((target) => target === directory || target.startsWith(`${directory}/`));
}
