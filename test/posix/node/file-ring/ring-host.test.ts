// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { RingHost } from '../../../../src/posix/node/file-ring/ring-host.js';
import type { ThreadListener } from '../../../../src/posix/node/file-ring/thread-handle.js';
import { SharedBuffers } from '../../../../src/posix/node/shared-buffers.js';
import { ManualTimers } from '../../fixture.js';

t.test('all rings together have 64 threads at most; one that ends makes room for another', async (t) => {
  const timers = new ManualTimers();
  using buffers = new SharedBuffers(timers);
  buffers.take(4096);
  const threads: ThreadListener[] = [];
  const warnings: string[] = [];
  const host = new RingHost(buffers, timers, (_, listener) => void threads.push(listener));
  const open = () =>
    host.open({ onEnded: () => {}, onGivenUp: () => {}, warn: (line) => void warnings.push(line) });
  const rings = Array.from({ length: 63 }, open);
  t.ok(rings.every((ring) => ring !== undefined));
  // One ring's second thread is the last that may be.
  const [first] = rings;
  threads[0]?.onStart();
  for (const position of [0, 8192]) first?.submit(0, 3, 0, 512, position, () => {});
  first?.publish();
  timers.pass(5);
  t.equal(threads.length, 64);
  t.equal(open(), undefined);
  threads[1]?.onStart();
  t.same(warnings, []);
  rings[2]?.giveUp();
  threads[2]?.onEnd('it was stopped');
  t.not(open(), undefined);
  t.equal(open(), undefined);
  threads[63]?.onStart();
  timers.pass(5);
  t.match(warnings, [/^cannot start a thread for file calls: 64 threads are running$/]);
});
