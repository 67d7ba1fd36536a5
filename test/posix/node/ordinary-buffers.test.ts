// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { OrdinaryBuffers } from '../../../src/posix/node/ordinary-buffers.js';
import type { Timers } from '../../../src/posix/timers.js';

/** Timers that are all due when the test says so. */
function dueTimers(): { readonly timers: Timers; readonly waits: number[]; readonly pass: () => void } {
  const due: (() => void)[] = [];
  const waits: number[] = [];
  const setTimeout = (callback: () => void, milliseconds: number) => {
    due.push(callback);
    waits.push(milliseconds);
    return { ref: () => {}, unref: () => {} };
  };
  const pass = (): void => due.splice(0).forEach((callback) => callback());
  return { timers: { now: () => 0, setTimeout, clearTimeout: () => {} }, waits, pass };
}

/** In bytes: what is allocated outside of the heap. */
function allocated(): number {
  return process.memoryUsage().arrayBuffers;
}

t.test('what nobody has used for a while is released, and what was given back with it', async (t) => {
  const { timers, waits, pass } = dueTimers();
  const buffers = new OrdinaryBuffers(timers);
  t.same(waits, [], 'there is no timer before the first use');
  const before = allocated();
  const use = (size: number): void => buffers.give(buffers.take(size));
  use(4 << 20);
  use(64 << 20);
  t.equal(buffers.spareBytes, 4 << 20, 'a large one is not kept');
  t.ok(allocated() - before >= 68 << 20);
  buffers.give(buffers.take(100));
  pass();
  t.ok(buffers.spareBytes > 0, 'it was used in the meantime');
  pass();
  t.equal(buffers.spareBytes, 0);
  t.ok(allocated() - before < 4 << 20, 'garbage is collected');
  pass();
  t.same(waits, [8000, 8000], 'nothing more is due until the next use');
});

t.test('what is given back after a release leads to another', async (t) => {
  const { timers, waits, pass } = dueTimers();
  const buffers = new OrdinaryBuffers(timers);
  const buffer = buffers.take(100);
  pass();
  buffers.give(buffer);
  t.equal(waits.length, 2);
  pass();
  t.equal(buffers.spareBytes, 0);
});
