// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { FlushPolicy } from '../../../src/replication/disk/flush-policy.js';
import type { Done } from '../../../src/replication/disk/local-disk.js';
import { DEFAULT_REPLICATION_OPTIONS, type CommitOnFlush } from '../../../src/replication/disk/options.js';
import type { PrimaryRole } from '../../../src/replication/disk/primary/primary-role.js';
import { SimulatedWorld } from '../../../src/testing/index.js';

/** A policy, and a primary whose flushes and checkpoints a test ends. */
function policy(commitOnFlush: CommitOnFlush, phase = 'protected') {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const host = world.host('10.0.0.1');
  const its = new FlushPolicy(
    { registrar: host.serve(), posix: host.posix },
    { ...DEFAULT_REPLICATION_OPTIONS, address: '', directory: '', commitOnFlush, flushLimitSeconds: 5 },
  );
  const flushes: Done[] = [];
  const checkpoints: Done[] = [];
  const primary = {
    phase,
    flush: (done: Done) => flushes.push(done),
    checkpoint: (done: Done) => checkpoints.push(done),
  };
  its.primary = primary as unknown as PrimaryRole;
  const results: number[] = [];
  const flush = (): void => its.flush((result) => results.push(result));
  return { world, host, its, flushes, checkpoints, primary, results, flush };
}

t.test('with off, and with prefer while there is no backup, a flush is local', async (t) => {
  for (const [option, phase] of [
    ['off', 'protected'],
    ['prefer', 'alone'],
    ['prefer', 'copying'],
    ['prefer', 'streaming'],
  ] as const) {
    const { flush, flushes, checkpoints, results } = policy(option, phase);
    flush();
    t.same([flushes.length, checkpoints.length, results], [1, 0, []]);
    flushes[0]?.(-5);
    t.same(results, [-5], 'its result is that of the disk');
  }
});

t.test('with prefer it waits for both, and the end of the backup ends only the wait for that', async (t) => {
  for (const [local, remote, expected] of [
    [0, 7, 0],
    [0, -errno.ECONNABORTED, 0],
    [-5, 7, -5],
  ] as const) {
    const { flush, flushes, checkpoints, results } = policy('prefer');
    flush();
    flushes[0]?.(local);
    t.same(results, []);
    checkpoints[0]?.(remote);
    t.same(results, [expected]);
  }
});

t.test('with require it waits for both, whichever is first', async (t) => {
  const { flush, flushes, checkpoints, results } = policy('require', 'alone');
  flush();
  checkpoints[0]?.(7);
  t.same(results, []);
  flushes[0]?.(0);
  t.same(results, [0]);
});

t.test(
  'with require one whose checkpoint fails asks again once there is a backup, until its limit',
  async (t) => {
    const { world, its, flush, flushes, checkpoints, results } = policy('require', 'alone');
    flush();
    flushes[0]?.(0);
    checkpoints[0]?.(-errno.ENOTCONN);
    await world.run(3);
    t.same([results, checkpoints.length], [[], 1]);
    its.again();
    t.equal(checkpoints.length, 2);
    checkpoints[1]?.(-errno.ECONNABORTED);
    its.again();
    checkpoints[2]?.(9);
    t.same(results, [0]);
    its.again();
    await world.run(10);
    t.same([results, checkpoints.length], [[0], 3]);
  },
);

t.test('each has its own limit, in which it is EIO, also while it is asked for', async (t) => {
  const { world, flush, flushes, checkpoints, results } = policy('require', 'alone');
  flush();
  flushes[0]?.(0);
  checkpoints[0]?.(-errno.ENOTCONN);
  await world.run(2.2);
  flush();
  flushes[1]?.(0);
  await world.run(2.2);
  t.same(results, []);
  await world.run(1);
  t.same(results, [-errno.EIO], 'the first one after five seconds');
  await world.run(1.2);
  t.same(results, [-errno.EIO]);
  await world.run(1);
  t.same(results, [-errno.EIO, -errno.EIO]);
  checkpoints[1]?.(5);
  t.equal(results.length, 2, 'whatever comes later');
});

t.test('the limit of a flush is whole, whatever was flushed before', async (t) => {
  const { world, flush, flushes, checkpoints, results } = policy('require');
  flush();
  flushes[0]?.(0);
  checkpoints[0]?.(7);
  t.same(results, [0]);
  await world.run(0.9);
  flush();
  flushes[1]?.(0);
  await world.run(4.8);
  t.same(results, [0]);
  await world.run(0.5);
  t.same(results, [0, -errno.EIO]);
});

t.test('flushes that come again and again put no limit off', async (t) => {
  const { world, flush, flushes, results } = policy('require', 'alone');
  for (let count = 0; count < 15; count++) {
    flush();
    flushes.at(-1)?.(0);
    await world.run(0.4);
  }
  t.ok(results.length >= 1 && results.length < 4, `${results.length} have failed after 6 s`);
});

t.test('a flush that has failed asks for no checkpoint any more', async (t) => {
  for (const end of ['limit', 'asked', 'role'] as const) {
    const { world, its, primary, flush, flushes, checkpoints, results } = policy('require', 'alone');
    flush();
    flushes[0]?.(0);
    if (end === 'limit') checkpoints[0]?.(-errno.ENOTCONN);
    if (end === 'role') its.primary = undefined;
    else await world.run(6);
    t.same(results, [-errno.EIO]);
    if (end !== 'limit') checkpoints[0]?.(-errno.ECONNABORTED);
    its.primary = primary as unknown as PrimaryRole;
    its.again();
    t.equal(checkpoints.length, 1, end);
  }
});

t.test('a policy that is closed leaves nothing', async (t) => {
  const { its, flush, host } = policy('require', 'alone');
  const before = host.leftovers().length;
  flush();
  its.close();
  t.ok(host.leftovers().length < before);
});

t.test('without a primary a flush is refused, and those that wait fail', async (t) => {
  for (const end of ['close', 'role'] as const) {
    const { its, flush, flushes, checkpoints, results } = policy('require', 'alone');
    flush();
    flush();
    for (const local of flushes) local(0);
    checkpoints[0]?.(-errno.ENOTCONN);
    if (end === 'close') its.close();
    else its.primary = undefined;
    t.same(results, [-errno.EIO, -errno.EIO]);
    checkpoints[1]?.(3);
    t.equal(results.length, 2);
    if (end === 'close') continue;
    flush();
    t.same(results.slice(2), [-errno.EROFS]);
  }
});
