// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { backupEvents, primaryEvents } from '../../../src/replication/disk/role-events.js';
import { SimulatedWorld } from '../../../src/testing/index.js';
import { SideNode } from './world.js';

async function opened() {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const node = new SideNode(world, '10.0.0.1', {});
  t.equal(await world.complete(node.opened), 0);
  node.events.splice(0);
  let reached = 0;
  const primary = primaryEvents(
    node.engine,
    () => (reached += 1),
    () => {},
  );
  return { node, primary, reached: () => reached };
}

t.test('what a verification finds is an event and an error; its end is an event alone', async (t) => {
  const { node, primary } = await opened();
  primary.verified('difference', 384, 128);
  t.equal(node.engine.status().lastError, 'the backup differs within 128 sectors at 384');
  primary.verified('unreadable', 640, 128);
  const error = 'the backup cannot read what it has within 128 sectors at 640';
  t.equal(node.engine.status().lastError, error);
  primary.verified('ended', 0, 4096);
  t.equal(node.engine.status().lastError, error);
  t.match(node.events, [
    { kind: 'verify', what: 'difference', sector: 384, sectors: 128 },
    { kind: 'error' },
    { kind: 'verify', what: 'unreadable', sector: 640, sectors: 128 },
    { kind: 'error', message: error },
    { kind: 'verify', what: 'ended', sector: 0, sectors: 4096 },
  ]);
});

t.test('a phase other than alone is reported to those who wait for a backup', async (t) => {
  const { primary, reached } = await opened();
  primary.phase('alone', 'the backup is lost');
  t.equal(reached(), 0);
  primary.phase('copying', 'there is one');
  t.equal(reached(), 1);
});

t.test('a checkpoint of a backup is an event with the error that it failed with, if it did', async (t) => {
  const { node } = await opened();
  const backup = backupEvents(node.engine);
  backup.committed(3, 512, 0.5, 0);
  backup.committed(4, 1024, 1, -errno.EIO);
  t.match(node.events, [
    { kind: 'checkpoint', epoch: 3, bytes: 512, seconds: 0.5, failure: null },
    { kind: 'checkpoint', epoch: 4, bytes: 1024, seconds: 1, failure: 'EIO' },
  ]);
});

t.test('a backup with its first checkpoint has no changes of its own any more', async (t) => {
  const { node } = await opened();
  t.equal(await node.write(0, 8, 1), 0);
  t.equal(await node.write(1024, 8, 1), 0);
  const { map } = node.engine.state;
  t.ok(map.bits.count >= 2);
  backupEvents(node.engine).initialised();
  t.equal(map.bits.count, 0);
});

/** An engine that writes down what it is called for. */
function played() {
  const calls: unknown[][] = [];
  const note =
    (name: string) =>
    (...args: unknown[]): void =>
      void calls.push([name, ...args]);
  const engine = {
    changed: note('changed'),
    fail: note('fail'),
    reporter: { tell: note('tell'), notice: note('notice') },
    peering: { lost: note('lost') },
    state: { map: { bits: [3, 5], lower: note('lower') } },
  };
  return { calls, note, engine: engine as never };
}

t.test('all that a primary reports is passed on', async (t) => {
  const { calls, note, engine } = played();
  const its = primaryEvents(engine, note('reached'), note('wrote'));
  its.phase('alone', 'the backup is lost');
  its.phase('streaming', 'there is one');
  its.checkpoint({ epoch: 3, seconds: 0.5, bytes: 512, failure: null });
  its.wrote();
  its.detached('it is gone', 'lost');
  its.resync('begun', 1024, 'maps');
  its.failed('write the map', -errno.EIO);
  its.verified('difference', 384, 128);
  its.verified('ended', 0, 4096);
  its.unsolicited();
  its.notice('a local write failed');
  const differs = 'the backup differs within 128 sectors at 384';
  t.strictSame(calls, [
    ['changed', 'the backup is lost'],
    ['changed', 'there is one'],
    ['reached'],
    ['tell', { kind: 'checkpoint', epoch: 3, seconds: 0.5, bytes: 512, failure: null }],
    ['wrote'],
    ['lost', 'it is gone', 'lost'],
    ['tell', { kind: 'resync', what: 'begun', bytes: 1024, reason: 'maps' }],
    ['fail', 'write the map', -errno.EIO],
    ['tell', { kind: 'verify', what: 'difference', sector: 384, sectors: 128 }],
    ['changed', differs],
    ['notice', differs],
    ['tell', { kind: 'verify', what: 'ended', sector: 0, sectors: 4096 }],
    ['tell', { kind: 'unsolicited' }],
    ['notice', 'a local write failed'],
  ]);
});

t.test('all that a backup reports is passed on', async (t) => {
  const { calls, engine } = played();
  const its = backupEvents(engine);
  its.committed(3, 512, 0.5, 0);
  its.initialised();
  its.failed('write the image', -errno.EIO);
  its.notice('a segment is damaged');
  t.strictSame(calls, [
    ['tell', { kind: 'checkpoint', epoch: 3, seconds: 0.5, bytes: 512, failure: null }],
    ['lower', 3],
    ['lower', 5],
    ['changed', 'the first checkpoint is committed'],
    ['fail', 'write the image', -errno.EIO],
    ['notice', 'a segment is damaged'],
  ]);
});
