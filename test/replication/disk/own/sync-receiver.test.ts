// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import type { SyncTarget } from '../../../../src/replication/disk/backup/sync-target.js';
import type { Done } from '../../../../src/replication/disk/local-disk.js';
import { SyncReceiver } from '../../../../src/replication/disk/own/sync-receiver.js';
import { spareBuffers } from '../../../../src/replication/disk/spare-buffers.js';
import { SimulatedWorld } from '../../../../src/testing/index.js';

const MIB = 2048;

/** A receiver over a target whose writes and syncs a test ends. */
function receiver() {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const host = world.host('10.0.0.1');
  const writes: { readonly what: string; readonly done: Done }[] = [];
  const syncs: Done[] = [];
  const log: string[] = [];
  const target: SyncTarget = {
    id: 'x',
    grains: [],
    hasFailed: false,
    resume: () => Promise.resolve(),
    readerOf: () => undefined,
    confirm: () => {},
    write: (sector, bytes, done, crcs) => {
      const last = bytes[0] === bytes.at(-1) ? '' : ` to ${bytes.at(-1)}`;
      writes.push({ what: `${bytes.length} of ${bytes[0]}${last} at ${sector}, crcs ${crcs?.join()}`, done });
    },
    zero: (sector, sectors, done) => writes.push({ what: `${sectors} zeroes at ${sector}`, done }),
    sync: (done) => syncs.push(done),
    finish: () => Promise.resolve(undefined),
  };
  const its = new SyncReceiver({
    host: { registrar: host.serve(), posix: host.posix },
    target,
    progress: (sequence) => log.push(`progress ${sequence}`),
    onFailure: (result) => log.push(`failed ${result}`),
    onWritten: () => log.push('written'),
  });
  const take = (sequence: number, sectors: number, byte?: number): void =>
    its.take(sequence, [
      {
        sector: 0,
        sectors,
        data: byte === undefined ? undefined : Buffer.alloc(sectors * 512, byte),
        crc: 0,
      },
    ]);
  return { world, its, writes, syncs, log, take };
}

t.test('grains are written as they come, and the bytes are copied', async (t) => {
  const { its, writes } = receiver();
  const data = Buffer.alloc(1024, 7);
  const extents = [
    { sector: 8, sectors: 2, data, crc: 0 },
    { sector: 16, sectors: 4, data: undefined, crc: 0 },
  ];
  its.take(3, extents);
  t.same(
    writes.map(({ what }) => what),
    ['1024 of 7 at 8, crcs 0', '4 zeroes at 16'],
  );
  t.equal(its.target.id, 'x');
  const { spareBytes } = spareBuffers;
  writes[1]?.done(0);
  t.equal(spareBuffers.spareBytes, spareBytes, 'zeroes take no memory');
  writes[0]?.done(0);
  t.ok(spareBuffers.spareBytes > spareBytes, 'the memory of the copy is for use again');
});

t.test('data of extents that follow one another is written by one call, with the crc of each', async (t) => {
  const { its, writes } = receiver();
  const at = (sector: number, byte?: number) => {
    const data = byte === undefined ? undefined : Buffer.alloc(1024, byte);
    return { sector, sectors: 2, data, crc: byte ?? 0 };
  };
  its.take(1, [at(8, 1), at(10, 2), at(12, 3), at(16, 4), at(18), at(20), at(22, 5), at(20, 6)]);
  t.same(
    writes.map(({ what }) => what),
    [
      '3072 of 1 to 3 at 8, crcs 1,2,3',
      '1024 of 4 at 16, crcs 4',
      '2 zeroes at 18',
      '2 zeroes at 20',
      '1024 of 5 at 22, crcs 5',
      '1024 of 6 at 20, crcs 6',
    ],
  );
});

t.test('a second after the first grain all is synced, once the writes have ended', async (t) => {
  const { world, writes, syncs, log, take } = receiver();
  take(1, 8, 1);
  await world.run(0.9);
  take(2, 8, 2);
  await world.run(0.2);
  t.equal(syncs.length, 0, 'the writes have not');
  writes[0]?.done(0);
  t.equal(syncs.length, 0);
  writes[1]?.done(0);
  t.equal(syncs.length, 1);
  take(3, 8, 3);
  writes[2]?.done(0);
  syncs[0]?.(0);
  t.same(
    log.filter((line) => line !== 'written'),
    ['progress 2'],
    'what came after the sync had begun is not a part of it',
  );
  await world.run(1.1);
  syncs[1]?.(0);
  t.equal(log.at(-1), 'progress 3');
  await world.run(5);
  t.equal(syncs.length, 2, 'without a grain there is no sync');
});

t.test('so it is after 32 MiB, however soon', async (t) => {
  const { world, writes, syncs, take } = receiver();
  for (let sequence = 0; sequence < 32; sequence++) {
    t.equal(syncs.length, 0);
    take(sequence, MIB);
    if (sequence < 31) writes[sequence]?.done(0);
  }
  t.equal(syncs.length, 0, 'the last one is being written');
  writes[31]?.done(0);
  t.equal(syncs.length, 1);
  syncs[0]?.(0);
  await world.run(2);
  t.equal(syncs.length, 1, 'nor is there another one after the time');
  take(32, MIB);
  writes[32]?.done(0);
  t.equal(syncs.length, 1, 'the next one is due after as much again');
});

t.test('what comes during a sync that takes longer than a second is synced after it', async (t) => {
  const { world, writes, syncs, log, take } = receiver();
  take(1, 8, 1);
  writes[0]?.done(0);
  await world.run(1.1);
  take(2, 8, 2);
  writes[1]?.done(0);
  await world.run(3);
  t.equal(syncs.length, 1, 'it is under way');
  syncs[0]?.(0);
  await world.run(1.1);
  t.equal(syncs.length, 2);
  syncs[1]?.(0);
  t.same(
    log.filter((line) => line !== 'written'),
    ['progress 1', 'progress 2'],
  );
  await world.run(5);
  t.equal(syncs.length, 2, 'without a further grain there is no other one');
});

t.test('16 MiB may be on their way to the target', async (t) => {
  const { its, writes, take } = receiver();
  for (let sequence = 0; sequence < 16; sequence++) {
    t.ok(its.hasRoom);
    take(sequence, MIB);
  }
  t.notOk(its.hasRoom);
  writes[5]?.done(0);
  t.ok(its.hasRoom);
});

t.test('what waits for an idle target waits for writes, and for a sync that is under way', async (t) => {
  const { world, its, writes, syncs, take } = receiver();
  const log: string[] = [];
  its.whenIdle(() => log.push('at once'));
  t.same(log, ['at once']);
  take(1, 8, 1);
  its.whenIdle(() => log.push('after the write'));
  t.equal(log.length, 1);
  writes[0]?.done(0);
  t.equal(log.length, 2);
  take(2, 8, 1);
  writes[1]?.done(0);
  await world.run(1.1);
  its.whenIdle(() => log.push('after the sync'));
  its.whenIdle(() => log.push('this too'));
  t.equal(log.length, 2);
  syncs[0]?.(0);
  t.same(log.slice(2), ['after the sync', 'this too']);
});

t.test('a write or a sync that fails is reported', async (t) => {
  const { world, writes, syncs, log, take } = receiver();
  take(1, 8, 1);
  writes[0]?.done(-5);
  t.same(log, ['failed -5']);
  take(2, 8, 1);
  writes[1]?.done(0);
  await world.run(1.1);
  syncs[0]?.(-28);
  t.same(log, ['failed -5', 'written', 'failed -28']);
});

t.test('once it is closed it reports nothing', async (t) => {
  const { world, its, writes, syncs, log, take } = receiver();
  take(1, 8, 1);
  take(2, 8, 1);
  writes[0]?.done(0);
  its.close();
  writes[1]?.done(-5);
  await world.run(3);
  t.same([log, syncs.length], [['written'], 0]);
  const other = receiver();
  other.take(1, 8, 1);
  other.writes[0]?.done(0);
  await other.world.run(1.1);
  other.its.close();
  other.syncs[0]?.(0);
  t.same(other.log, ['written']);
});
