// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type BigIntStats, statSync } from 'node:fs';

/**
 * What all names of a file or directory have in common, and no other has: its device and inode. Undefined when it is not
 * there, is not what is meant, or cannot be looked at: why, whoever opens it reports.
 */
export function fileIdentity(
  path: string,
  isMeant: (found: BigIntStats) => boolean = () => true,
): string | undefined {
  try {
    const found = statSync(path, { bigint: true });
    return isMeant(found) ? `${found.dev}:${found.ino}` : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) return undefined;
    throw error;
  }
}
