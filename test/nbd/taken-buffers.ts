// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Test } from 'tap';
import { sharedBuffers } from '../../src/posix/node/shared-buffers.js';

/** The shared buffers that are taken from now on and not given back, until the test has ended. */
export function takenBuffers(t: Test): ReadonlySet<Buffer> {
  const taken = new Set<Buffer>();
  const [take, give] = [sharedBuffers.take.bind(sharedBuffers), sharedBuffers.give.bind(sharedBuffers)];
  t.teardown(() => Object.assign(sharedBuffers, { take, give }));
  Object.assign(sharedBuffers, {
    take(length: number): Buffer {
      const buffer = take(length);
      taken.add(buffer);
      return buffer;
    },
    give(buffer: Buffer): void {
      taken.delete(buffer);
      give(buffer);
    },
  });
  return taken;
}
