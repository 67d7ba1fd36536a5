// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { BUFFERS_IDLE_MS, IdleRelease } from '../../../src/posix/node/idle-release.js';
import { OrdinaryBuffers } from '../../../src/posix/node/ordinary-buffers.js';
import { SharedBuffers } from '../../../src/posix/node/shared-buffers.js';
import type { Timers } from '../../../src/posix/timers.js';
import { ManualTimers } from '../fixture.js';

t.test('memory is released once after a time without a use, and again after the next use', async (t) => {
  const timers = new ManualTimers();
  let released = 0;
  using idle = new IdleRelease(timers, () => released++);
  for (let round = 1; round <= 2; round++) {
    idle.used();
    timers.pass(BUFFERS_IDLE_MS - 1);
    idle.used();
    timers.pass(BUFFERS_IDLE_MS);
    t.equal(released, round - 1, 'it was used within the time');
    timers.pass(1);
    t.equal(released, round);
    t.same(timers.set, [], 'no timer is left');
  }
});

t.test('waiting for the time holds no process alive, and ends with the use of the memory', async (t) => {
  const timers = new ManualTimers();
  const idle = new IdleRelease(timers, () => t.fail('it is released'));
  for (let round = 0; round < 2; round++) {
    idle.used();
    t.match(timers.set, [{ referenced: false }]);
    idle[Symbol.dispose]();
    t.same(timers.set, []);
  }
});

const POOLS: [string, (timers: Timers) => OrdinaryBuffers | SharedBuffers][] = [
  ['ordinary', (timers) => new OrdinaryBuffers(timers)],
  ['shared', (timers) => new SharedBuffers(timers, 8192)],
];
for (const [kind, create] of POOLS) {
  t.test(`${kind} buffers: to take one is a use, and so is to give it back`, async (t) => {
    const timers = new ManualTimers();
    const buffers = create(timers);
    const buffer = buffers.take(100);
    t.equal(timers.set.length, 1);
    timers.pass(BUFFERS_IDLE_MS);
    t.equal(timers.set.length, 0);
    buffers.give(buffer);
    t.equal(timers.set.length, 1);
    buffers[Symbol.dispose]();
    t.equal(timers.set.length, 0, 'its use is over');
  });
}
