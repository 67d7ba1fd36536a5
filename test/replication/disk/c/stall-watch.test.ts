// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { StallWatch } from '../../../../src/replication/disk/c/stall-watch.js';
import { SimulatedWorld } from '../../../../src/testing/index.js';
import { leftovers } from './stream-pair.js';

/** A watch that allows a standstill of four seconds, in a world of its own. */
function watch() {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const host = world.host('10.0.0.1');
  const state = { isWaiting: true, progress: 0, stalls: 0 };
  const made = new StallWatch({
    host: { registrar: host.serve(), posix: host.posix },
    seconds: 4,
    isWaiting: () => state.isWaiting,
    progress: () => state.progress,
    onStall: () => (state.stalls += 1),
  });
  return { world, host, state, watch: made };
}

t.test('a standstill is noticed once, after the time that is allowed', async (t) => {
  const { world, state, watch: made } = watch();
  made.check();
  await world.run(3.9);
  t.equal(state.stalls, 0);
  await world.run(0.2);
  t.equal(state.stalls, 1);
  await world.run(20);
  t.equal(state.stalls, 1);
  made.check();
  await world.run(4.1);
  t.equal(state.stalls, 2, 'unless it is checked again');
});

t.test(
  'a standstill is noticed a quarter of the time late at most, however often it is checked',
  async (t) => {
    const { world, state, watch: made } = watch();
    made.check();
    await world.run(0.5);
    state.progress += 1;
    for (let count = 0; count < 10; count++) {
      await world.run(0.4);
      made.check();
    }
    t.equal(state.stalls, 0, 'less than four seconds since the last progress');
    await world.run(1.1);
    t.equal(state.stalls, 1);
  },
);

t.test('a standstill after progress is noticed without another check', async (t) => {
  const { world, state, watch: made } = watch();
  made.check();
  await world.run(1.4);
  state.progress += 1;
  await world.run(4);
  t.equal(state.stalls, 0);
  await world.run(1);
  t.equal(state.stalls, 1, 'a quarter of the time late at most');
});

t.test('as long as something moves, or nothing is waited for, there is no standstill', async (t) => {
  const { world, state, watch: made } = watch();
  made.check();
  for (let count = 0; count < 10; count++) {
    await world.run(1.5);
    state.progress += 1;
  }
  t.equal(state.stalls, 0);
  state.isWaiting = false;
  await world.run(20);
  made.check();
  await world.run(20);
  t.equal(state.stalls, 0);
  state.isWaiting = true;
  await world.run(20);
  t.equal(state.stalls, 0, 'the watch had ended');
  made.check();
  await world.run(4.1);
  t.equal(state.stalls, 1);
});

t.test('a watch that is closed notices nothing, and leaves nothing open', async (t) => {
  const { world, host, state, watch: made } = watch();
  made.check();
  made.close();
  await world.run(10);
  t.equal(state.stalls, 0);
  t.same(leftovers(host), []);
});
