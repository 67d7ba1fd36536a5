// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { existsSync, readdirSync, readlinkSync } from 'node:fs';

/** What a descriptor of this process leads to; empty when it is closed. */
function targetOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

/** What the descriptors of this process lead to; nothing where the kernel does not list them. */
function targets(): string[] {
  if (!existsSync('/proc/self/fd')) return [];
  return readdirSync('/proc/self/fd').map((fd) => targetOf(fd));
}

/** What this process has open at a path or below it. Tests in the same process open and close other files meanwhile. */
export function openFiles(path: string): string[] {
  return targets().filter((target) => target === path || target.startsWith(`${path}/`));
}

/** How many sockets the kernel has for this process. Those of an earlier test may still be on their way out. */
export function openSockets(): number {
  return targets().filter((target) => target.startsWith('socket:')).length;
}
