// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import { RingHost } from '../../../../src/posix/node/file-ring/ring-host.js';
import type { StartThread, ThreadListener } from '../../../../src/posix/node/file-ring/thread-handle.js';
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

/** A host whose threads do what the test says, and what it warns of. */
function hostWith(t: Test, start: StartThread) {
  const timers = new ManualTimers();
  const buffers = new SharedBuffers(timers);
  t.teardown(() => buffers[Symbol.dispose]());
  buffers.take(4096);
  const warnings: string[] = [];
  const givenUp: string[] = [];
  const host = new RingHost(buffers, timers, start);
  const open = () =>
    host.open({
      onEnded: () => {},
      onGivenUp: (_left, why) => void givenUp.push(why),
      warn: (line) => void warnings.push(line),
    });
  return { open, warnings, givenUp };
}

t.test('a thread that is refused is reported once, and none is tried again', async (t) => {
  let attempts = 0;
  const { open, warnings } = hostWith(t, () => {
    attempts++;
    throw new Error('no permission');
  });
  for (let time = 0; time < 3; time++) t.equal(open(), undefined);
  t.equal(attempts, 1);
  t.match(warnings, [/threads of their own are not available: no permission$/]);
  t.equal(warnings.length, 1);
});

t.test('after threads that end at once there is no further ring, which is reported once', async (t) => {
  const threads: ThreadListener[] = [];
  const { open, warnings, givenUp } = hostWith(t, (_, listener) => void threads.push(listener));
  const [first, second] = [open(), open()];
  t.ok(first && second);
  for (let time = 0; time < 3; time++) for (const thread of threads.splice(0)) thread.onEnd('at once');
  t.same(givenUp, ['vain', 'vain']);
  t.equal(open(), undefined);
  const refusals = warnings.filter((line) => line.includes('threads end at once'));
  t.equal(refusals.length, 1);
});

t.test('a ring that was closed while its thread starts takes no call when it has', async (t) => {
  const threads: ThreadListener[] = [];
  const { open } = hostWith(t, (_, listener) => void threads.push(listener));
  const ring = open();
  ring?.giveUp();
  threads[0]?.onStart();
  t.equal(ring?.isRunning, false);
  t.equal(
    ring?.submit(0, 3, 0, 512, 0, () => {}),
    false,
  );
});
