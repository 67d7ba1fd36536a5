// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errnoCode, strerror } from '../posix/errno.js';
import type { VbdRegistry } from '../disks/index.js';
import type { DiskOption } from './daemon-options.js';

/**
 * Attaches and opens disks, one after the other.
 *
 * @throws (rejects with) Error that names the first disk that fails, with the errno's name as `code`
 */
export async function openDisks(registry: VbdRegistry, disks: readonly DiskOption[]): Promise<void> {
  for (const { minor, name, readOnly } of disks) {
    let result = registry.attach(minor);
    if (result === 0) {
      result = await new Promise<number>((resolve) => {
        registry.open(minor, name, { readOnly, shared: false }, resolve);
      });
    }
    if (result < 0) {
      const code = errnoCode(result);
      throw Object.assign(new Error(`cannot open disk ${minor}=${name}: ${code} (${strerror(-result)})`), {
        code,
      });
    }
  }
}
