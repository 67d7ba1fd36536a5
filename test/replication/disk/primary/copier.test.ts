// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A resync while grains are written, cannot be read, or are on their way when the connection breaks.

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import { Copier } from '../../../../src/replication/disk/primary/copier.js';
import { Grains } from '../../../../src/replication/disk/primary/grains.js';
import { IMAGE, pair, type Pair } from '../world.js';

const GRAIN_SECTORS = 128;
const GRAINS = 12;

/** The backup is gone, and lacks what the primary has written to some grains since. */
async function apart({ a, b, world }: Pair): Promise<void> {
  await world.run(() => a.isUp && b.isUp);
  // A C primary connects when it is written to.
  await a.write(0, 8, 1);
  await a.until('protected');
  b.host.crash('reset');
  await a.until('unprotected');
  for (let grain = 0; grain < GRAINS; grain++) await a.write(grain * GRAIN_SECTORS, 8, grain + 2);
}

for (const peer of ['own', 'c'] as const) {
  const both = { a: { peer, hotGrains: 1 }, b: { peer } };

  t.test(`a grain that is written while it is read for the backup (${peer})`, async (t) => {
    const sides = pair(t, both);
    const { a, b, world } = sides;
    await apart(sides);
    a.held.hold('read', IMAGE);
    b.host.restart();
    await world.run(() => a.held.waiting('read', IMAGE) > 0, { limitSeconds: 60 });
    for (let grain = 0; grain < GRAINS; grain++) await a.write(grain * GRAIN_SECTORS, 8, 100 + grain);
    a.held.release('read', IMAGE);
    await a.until('protected');
    t.ok((await a.checkpoint()) > 0);
    t.ok((await a.read()).equals(await b.read()), 'has its last content at the backup');
  });
}

t.test('a grain that cannot be read for the backup is sent once it is readable', async (t) => {
  const sides = pair(t);
  const { a, b } = sides;
  await apart(sides);
  const fault = a.host.files.failCalls({ calls: ['read'], nth: 1, error: errno.EIO });
  b.host.restart();
  await a.until('protected');
  t.equal(fault.failed, 1);
  t.ok((await a.checkpoint()) > 0);
  t.ok((await a.read()).equals(await b.read()));
});

t.test(
  'grains that are being read, or on their way, when the connection breaks are sent again',
  async (t) => {
    for (const isRead of [true, false]) {
      const sides = pair(t);
      const { a, b, world } = sides;
      await apart(sides);
      a.held.hold('read', IMAGE);
      b.host.restart();
      await world.run(() => a.held.waiting('read', IMAGE) > 0, { limitSeconds: 60 });
      const link = world.link(a.host, b.host).cut('forth').cut('back');
      // What is sent from here on never arrives.
      if (isRead) a.held.release('read', IMAGE);
      await world.run(1);
      link.reset();
      a.held.release('read', IMAGE);
      await world.run(2);
      link.heal();
      await a.until('protected');
      t.ok((await a.checkpoint()) > 0);
      t.ok((await a.read()).equals(await b.read()), isRead ? 'what was on its way' : 'what was being read');
    }
  },
);

t.test('a write that fails locally is read again for the backup', async (t) => {
  const { a, b } = pair(t);
  await a.until('protected');
  await a.write(0, 8, 1);
  t.ok((await a.checkpoint()) > 0);
  // The first one of a checkpoint has the metadata written, too.
  await a.write(64, 8, 2);
  const fault = a.host.files.failCalls({ calls: ['write'], nth: 1, error: errno.EIO });
  t.equal(await a.write(0, 8, 2), -errno.EIO);
  t.equal(fault.failed, 1);
  await a.until('protected');
  t.ok((await a.checkpoint()) > 0);
  t.ok((await a.read()).equals(await b.read()), 'nobody knows what the disk has, but both have it');
});

t.test(
  '64 MiB may be at the backup and not on its stable storage; more is sent as it gets there',
  async (t) => {
    const sectorsEach = 32_768;
    const grains = new Grains(12, sectorsEach);
    grains.toSend.addRange(0, 11);
    const sent: number[] = [];
    const stored: number[] = [];
    const zero = (sector: number): number => sent.push(sector / sectorsEach);
    const copier = new Copier({
      disk: {
        sectors: 12 * sectorsEach,
        read: (_, buffer, done) => {
          buffer.fill(0);
          done(0);
        },
        write: () => {},
        zero: () => {},
        flush: () => {},
        identify: () => {},
      },
      grains,
      peer: {
        kind: 'own',
        sync: { begin: () => {}, send: () => 0, zero, compare: () => 0 },
        canAbort: true,
        queuedBytes: 0,
        sentBytes: 0,
        write: () => {},
        zero: () => {},
        commit: () => () => {},
        abort: () => {},
        close: () => {},
      },
      onSent: () => {},
      onStored: (bytes) => stored.push(bytes >> 20),
      onEnded: () => {},
      onFailure: (message) => t.fail(message),
    });
    copier.pump();
    t.same(sent, [0, 1, 2, 3]);
    copier.progress(1);
    t.same([sent.length, stored], [5, [16]]);
    copier.progress(4);
    t.same([sent.length, stored], [8, [16, 16, 16, 16]], 'each is counted once');
    copier.progress(4);
    t.equal(sent.length, 8);
    copier.progress(8);
    t.same(stored.slice(4), [16, 16, 16, 16], 'the last one too');
    t.same(sent.slice(8), [8, 9, 10, 11]);
    grains.toSend.addRange(0, 1);
    copier.pump();
    t.equal(sent.length, 12);
    copier.handOver();
    t.same(stored.slice(8), [64]);
    t.notOk(copier.isDone);
    copier.pump();
    t.same(sent.slice(12), [0, 1]);
    t.ok(copier.isDone);
  },
);
