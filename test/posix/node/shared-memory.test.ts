// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { createSharedMemory } from '../../../src/posix/node/shared-memory.js';

const BYTES = 64 << 20;
const places = globalThis as { WebAssembly?: unknown };

t.test('there is shared memory of the size, which copies, also where WebAssembly has none', async (t) => {
  const { WebAssembly } = places;
  t.teardown(() => (places.WebAssembly = WebAssembly));
  const Refusing = function (): void {
    throw new RangeError('there is no room in the address space');
  };
  for (const present of [WebAssembly, undefined, { Memory: Refusing }]) {
    places.WebAssembly = present;
    const { shared, copy } = createSharedMemory(BYTES);
    t.equal(shared.byteLength, BYTES);
    const bytes = new Uint8Array(shared);
    t.same([bytes[0], bytes[BYTES - 1]], [0, 0]);
    bytes.set([1, 2, 3]);
    copy(BYTES - 3, 0, 3);
    t.same([...bytes.subarray(BYTES - 4)], [0, 1, 2, 3]);
  }
  t.equal(createSharedMemory(4096).shared.byteLength, 4096);
});
