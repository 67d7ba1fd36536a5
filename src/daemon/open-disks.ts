// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errnoCode } from '../posix/errno.js';
import { SystemError } from '../posix/system-error.js';
import type { VbdRegistry } from '../disks/index.js';
import type { DiskOption } from './daemon-options.js';

/**
 * Attaches and opens disks, one after the other.
 *
 * @param isCancelled asked before each: whether no further one is to be opened
 * @throws (rejects with) SystemError that names the first disk that fails, and why
 */
export async function openDisks(
  registry: VbdRegistry,
  disks: readonly DiskOption[],
  isCancelled: () => boolean = () => false,
): Promise<void> {
  for (const { minor, exportName = minor, name, readOnly } of disks) {
    if (isCancelled()) return;
    const attached = registry.attach(minor);
    if (attached < 0) throw new SystemError(attached, `cannot attach minor ${minor}: ${errnoCode(attached)}`);
    try {
      await registry.open(minor, name, { readOnly, shared: false });
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      throw new SystemError(error.code, `cannot open disk ${exportName}=${name}: ${error.message}`, {
        cause: error,
      });
    }
  }
}
