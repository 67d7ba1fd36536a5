// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { CheckpointInterval } from '../../../src/replication/disk/checkpoint-interval.js';
import type { PrimaryRole } from '../../../src/replication/disk/primary/primary-role.js';
import { SimulatedWorld } from '../../../src/testing/index.js';

/** An interval, and a primary whose checkpoints are counted. */
function interval(seconds: number | undefined, journalBytes?: number) {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const host = world.host('10.0.0.1');
  const primary = {
    phase: 'protected',
    peer: { kind: 'own' },
    checkpoints: { openBytes: 512, isRequested: false },
    count: 0,
    checkpoint: () => (primary.count += 1),
  };
  const role: { current: typeof primary | undefined } = { current: primary };
  const its = new CheckpointInterval(
    { registrar: host.serve(), posix: host.posix },
    {
      ...(seconds !== undefined && { checkpointIntervalSeconds: seconds }),
      ...(journalBytes !== undefined && { journalBytes }),
    },
    () => role.current as unknown as PrimaryRole | undefined,
  );
  return { world, its, primary, role };
}

t.test('what was written is committed after each interval, one second unless given', async (t) => {
  for (const [seconds, count] of [
    [undefined, 3],
    [0.5, 7],
    [2, 1],
  ] as const) {
    const { world, primary } = interval(seconds);
    await world.run(3.75);
    t.equal(primary.count, count, `${seconds} s`);
  }
});

t.test('with 0 nothing is, unless somebody asks', async (t) => {
  const { world, primary } = interval(0);
  await world.run(10);
  t.equal(primary.count, 0);
});

t.test('nothing is committed that was not written, was asked for already, or has no backup', async (t) => {
  for (const change of [
    (primary: ReturnType<typeof interval>['primary']) => (primary.checkpoints.openBytes = 0),
    (primary: ReturnType<typeof interval>['primary']) => (primary.checkpoints.isRequested = true),
    (primary: ReturnType<typeof interval>['primary']) => (primary.phase = 'streaming'),
    (primary: ReturnType<typeof interval>['primary']) => (primary.phase = 'alone'),
  ]) {
    const { world, primary } = interval(1);
    change(primary);
    await world.run(3.5);
    t.equal(primary.count, 0);
    Object.assign(primary, { phase: 'protected', checkpoints: { openBytes: 1, isRequested: false } });
    await world.run(1);
    t.equal(primary.count, 1, 'and it goes on');
  }
});

t.test('a C backup is sent such commits only if the interval was given', async (t) => {
  for (const [seconds, count] of [
    [undefined, 0],
    [1, 3],
  ] as const) {
    const { world, primary } = interval(seconds);
    primary.peer.kind = 'c';
    await world.run(3.5);
    t.equal(primary.count, count);
  }
});

t.test('a backup makes none, and one that is closed neither', async (t) => {
  const { world, its, primary, role } = interval(1);
  role.current = undefined;
  await world.run(2.5);
  role.current = primary;
  await world.run(1);
  t.equal(primary.count, 1);
  its.close();
  await world.run(5);
  t.equal(primary.count, 1);
});

t.test('much is committed before the interval is over, so that it fits into the journal', async (t) => {
  const { its, primary } = interval(undefined, 4096);
  its.wrote();
  t.equal(primary.count, 1, '512 bytes of 4096');
  primary.checkpoints.openBytes = 511;
  its.wrote();
  t.equal(primary.count, 1);
  const byCommand = interval(0, 4096);
  byCommand.its.wrote();
  t.equal(byCommand.primary.count, 0, 'what is committed by command is not committed at any other time');
  const usual = interval(1);
  usual.primary.checkpoints.openBytes = 32 << 20;
  usual.its.wrote();
  t.equal(usual.primary.count, 1, '32 MiB unless the journal is another');
});
