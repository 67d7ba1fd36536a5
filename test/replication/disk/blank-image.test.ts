// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import assert from 'node:assert/strict';
import t from 'tap';
import { AF_INET, errno, SOCK_STREAM } from '../../../src/posix/index.js';
import { isBlank } from '../../../src/replication/disk/blank-image.js';
import type { DiskExtent, LocalDisk } from '../../../src/replication/disk/local-disk.js';
import { memoryDisk } from './memory-disk.js';
import { SideNode } from './world.js';
import { SimulatedWorld } from '../../../src/testing/index.js';

const SECTOR = 512;
/** How many pieces may be read before the first of them is looked at. */
const READERS = 4;

t.test('a disk is blank if every byte of it is zero', async (t) => {
  for (const [length, at, blank] of [
    [5000, -1, true],
    [5000, 0, false],
    [5000, 5000 * SECTOR - 1, false],
    [4096, 2048 * SECTOR, false],
    [4096, -1, true],
    [1, -1, true],
  ] as const) {
    const bytes = Buffer.alloc(length * SECTOR);
    if (at >= 0) bytes[at] = 1;
    const { disk, reads } = memoryDisk(bytes);
    t.equal(await isBlank(disk), blank, `byte ${at} of ${length} sectors`);
    if (blank)
      t.equal(
        reads.reduce((sum, [, sectors]) => sum + sectors, 0),
        length,
      );
    t.ok(reads.every(([sector, sectors]) => sector + sectors <= length));
  }
  const { disk, reads } = memoryDisk(Buffer.alloc(40 << 20, 1));
  t.equal(await isBlank(disk), false);
  t.ok(reads.length <= READERS, 'the first byte that is not zero ends the search');
});

t.test('one that cannot be read is neither, and is read no further', async (t) => {
  const { disk, reads } = memoryDisk(Buffer.alloc(40 << 20), () => true);
  await t.rejects(isBlank(disk), { message: 'cannot read the image at sector 0: EIO', result: -errno.EIO });
  t.ok(reads.length <= READERS);
});

/** A disk of zeroes whose extents are asked for in parts of at most 10000 sectors; it has data in two places. */
function sparseDisk(result: number): { disk: LocalDisk; reads: (readonly [number, number])[] } {
  const data = [
    { from: 4000, to: 9000 },
    { from: 25_000, to: 25_008 },
  ];
  const { disk, reads } = memoryDisk(Buffer.alloc(30_000 * SECTOR));
  const extents: LocalDisk['extents'] = (sector, sectors, done) => {
    assert.equal(sector + sectors, disk.sectors, 'what is asked for goes on to the end of the disk');
    const end = sector + Math.min(sectors, 10_000);
    const found: DiskExtent[] = [];
    for (let at = sector; at < end;) {
      const inside = data.find(({ from, to }) => from <= at && at < to);
      const next = inside?.to ?? data.find(({ from }) => from > at)?.from ?? end;
      found.push({ sectors: Math.min(next, end) - at, zero: !inside });
      at = Math.min(next, end);
    }
    done(result, result === 0 ? found : undefined);
  };
  return { disk: { ...disk, extents }, reads: reads as [number, number][] };
}

t.test('holes are not read, and where they are not known all is', async (t) => {
  const known = sparseDisk(0);
  t.equal(await isBlank(known.disk), true);
  t.same(known.reads, [
    [4000, 2048],
    [6048, 2048],
    [8096, 904],
    [25_000, 8],
  ]);
  const unknown = sparseDisk(-errno.EIO);
  t.equal(await isBlank(unknown.disk), true);
  t.equal(
    unknown.reads.reduce((sum, [, sectors]) => sum + sectors, 0),
    30_000,
  );
});

t.test('once it is aborted, no further piece is read', async (t) => {
  const controller = new AbortController();
  const waiting: (() => void)[] = [];
  const { disk, reads } = memoryDisk(Buffer.alloc(40 << 20));
  const slow: LocalDisk = {
    ...disk,
    read: (sector, buffer, done) => disk.read(sector, buffer, (result) => waiting.push(() => done(result))),
  };
  let isOver = false;
  const ended = t
    .rejects(isBlank(slow, controller.signal), { code: 'ECANCELED' })
    .then(() => (isOver = true));
  await Promise.resolve();
  t.equal(reads.length, READERS, 'they are read at the same time');
  controller.abort();
  for (const end of waiting.splice(1)) end();
  await Promise.resolve();
  t.notOk(isOver, 'a read that is under way still has its buffer');
  waiting[0]?.();
  await ended;
  t.equal(reads.length, READERS);
});

t.test(
  'an aborted opening of a new backup ends without a role, and the next one finds a new backup',
  async (t) => {
    const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
    const node = new SideNode(world, '10.0.0.2', { role: 'backup' });
    node.held.hold('read', '/srv/disk.img');
    await world.run(() => node.held.waiting('read', '/srv/disk.img') > 0, { limitSeconds: 60 });
    node.abort();
    node.held.release('read', '/srv/disk.img');
    t.equal(await world.complete(node.opened), -errno.ECANCELED);
    t.match(node.host.files.descriptors(), [{ path: '/srv/disk.img' }], 'only the image is open');
    node.host.restart();
    t.equal(await world.complete(node.opened), 0);
    t.match(node.engine.standing(), { takesFirstSync: true });
  },
);

t.test('an opening that waits to listen ends at once when it is aborted', async (t) => {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const node = new SideNode(world, '10.0.0.1', {});
  for (let nth = 1; nth <= 30; nth++) node.host.failCalls({ calls: ['socket'], nth, error: errno.EMFILE });
  await world.run(2);
  node.abort();
  const before = node.host.posix.clock.now();
  t.equal(await world.complete(node.opened), -errno.ECANCELED);
  t.ok(node.host.posix.clock.now() - before < 1);
});

t.test('an opening that was aborted before it began does nothing', async (t) => {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const node = new SideNode(world, '10.0.0.1', {});
  for (let nth = 1; nth <= 30; nth++) node.host.failCalls({ calls: ['socket'], nth, error: errno.EMFILE });
  node.abort();
  t.equal(await world.complete(node.opened), -errno.ECANCELED);
  t.ok(world.nowSeconds < 1);
});

t.test(
  'an opening of a primary that is aborted once it is connected leaves nothing of its peer',
  async (t) => {
    const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
    const node = new SideNode(world, '10.0.0.1', {});
    const open = (): string[] =>
      node.host.leftovers().filter((line) => /tcp|timerfd|\.remus|event [^1]/.test(line));
    node.host.files.shape({ syncSeconds: 0.5 });
    const { posix } = world.host('10.0.0.2');
    const listener = posix.socket(AF_INET, SOCK_STREAM);
    posix.bind(listener, { family: AF_INET, address: '10.0.0.2', port: 9000 });
    posix.listen(listener, 1);
    await world.run(() => open().some((line) => line.includes('tcp connected')));
    await world.run(0.1);
    t.notOk(node.isUp);
    node.abort();
    t.equal(await world.complete(node.opened), -errno.ECANCELED);
    await world.run(0.5);
    t.same(open(), []);
  },
);

t.test('a disk with a byte that is not zero is not blank, though another part cannot be read', async (t) => {
  const { disk } = memoryDisk(Buffer.alloc(4096 * SECTOR, 1));
  const read: LocalDisk['read'] = (sector, buffer, done) =>
    sector === 0 ? disk.read(sector, buffer, done) : done(-errno.EIO);
  t.equal(await isBlank({ ...disk, read }), false);
});
