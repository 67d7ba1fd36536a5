// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import { errno } from '../../src/posix/index.js';
import { CallFault } from '../../src/testing/index.js';
import { MinRate, RATE_SECONDS } from '../../src/transfer/min-rate.js';
import { bench } from '../disks/bench.js';
import { type Fault, failingRegistrar } from '../failing-calls.js';

const SLOW = 'ETIMEDOUT: the primary sends less than 100 bytes a second';

/** A peer that sends what the test says, watched by a clock that the test moves. */
function watched(t: Test, rate: number) {
  const { server, clock, pass } = bench(t);
  let bytes = 0;
  const told: string[] = [];
  const watch = new MinRate({
    registrar: server,
    clock,
    rate,
    bytes: () => bytes,
    onEnd: (code, why) => told.push(`${code}: ${why}`),
  });
  t.teardown(() => watch[Symbol.dispose]());
  t.equal(watch.start(), 0);
  /** So many bytes come, and the time of a measurement passes. */
  const span = async (more: number): Promise<void> => {
    bytes += more;
    await pass(RATE_SECONDS + 1);
  };
  return { told, span, watch, clock, server };
}

t.test('nine seconds’ worth of the minimum rate is enough, one byte less is not', async (t) => {
  const { told, span } = watched(t, 100);
  await span(900);
  await span(900);
  t.same(told, []);
  await span(899);
  t.same(told, [SLOW]);
  await span(0);
  t.equal(told.length, 1, 'told once');
});

t.test('a peer that waits for us is not slow; without a minimum rate, no peer is', async (t) => {
  const waiting = watched(t, 100);
  waiting.watch.pause();
  await waiting.span(0);
  await waiting.span(0);
  t.same(waiting.told, []);
  const free = watched(t, 0);
  t.notOk(
    [...free.server.scheduler.events()].some(({ timeoutSeconds }) => timeoutSeconds === RATE_SECONDS),
    'nothing is waited for',
  );
  await free.span(0);
  t.same(free.told, []);
});

t.test(
  'the time in which a peer has waited for us is taken off, even when that has just ended',
  async (t) => {
    const { told, span, watch, clock } = watched(t, 100);
    watch.pause();
    clock.seconds += 4;
    watch.resume();
    await span(500);
    t.same(told, []);
    watch.pause();
    clock.seconds += RATE_SECONDS + 1;
    watch.resume();
    await span(0);
    t.same(told, []);
    watch.pause();
    clock.seconds += 4;
    watch.resume();
    await span(499);
    t.same(told, [SLOW]);
  },
);

t.test(
  'a wait that lasts beyond a measurement is taken off the next one only for what is left',
  async (t) => {
    const { told, span, watch, clock } = watched(t, 100);
    watch.pause();
    await span(0);
    clock.seconds += 2;
    watch.resume();
    await span(699);
    t.same(told, [SLOW]);
  },
);

t.test('setting the clock back does not shorten a waiting peer’s time', async (t) => {
  const { told, span, watch, clock } = watched(t, 100);
  watch.pause();
  clock.seconds -= 5;
  watch.resume();
  clock.seconds += 5;
  await span(900);
  t.same(told, []);
  watch.pause();
  clock.seconds -= 5;
  watch.resume();
  clock.seconds += 5;
  await span(899);
  t.equal(told.length, 1, 'nor does it lengthen it');
});

t.test('a wait counts from its first pause, and going on without one changes nothing', async (t) => {
  const { told, span, watch, clock } = watched(t, 100);
  watch.pause();
  clock.seconds += 4;
  watch.pause();
  clock.seconds += 2;
  watch.resume();
  watch.resume();
  await span(300);
  t.same(told, []);
  watch.resume();
  await span(899);
  t.same(told, [SLOW]);
});

t.test('a rate that cannot be measured again is reported', async (t) => {
  const { server, clock, pass } = bench(t);
  const fault: Fault = new CallFault({ nth: 2, error: errno.EBUSY });
  const told: string[] = [];
  const watch = new MinRate({
    registrar: failingRegistrar(server, fault),
    clock,
    rate: 100,
    bytes: () => 1000,
    onEnd: (code, why) => told.push(`${code}: ${why}`),
  });
  t.equal(watch.start(), 0);
  await pass(RATE_SECONDS + 1);
  t.same(told, ['EBUSY: there is no event left to watch its rate']);
});
