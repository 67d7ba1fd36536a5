// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readdirSync, readlinkSync } from 'node:fs';

/** What a descriptor of this process leads to; empty when it is closed. */
export function targetOf(fd: number | string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

/** What this process has open at a path or below it. Tests in the same process open and close other files meanwhile. */
export function openFiles(path: string): string[] {
  const targets = readdirSync('/proc/self/fd').map((fd) => targetOf(fd));
  return targets.filter((target) => target === path || target.startsWith(`${path}/`));
}
