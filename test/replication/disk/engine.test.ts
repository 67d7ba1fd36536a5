// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What the user of a disk gets for each call, by the disk's role and state.

import { getEventListeners } from 'node:events';
import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import type { CheckpointView } from '../../../src/replication/disk/disk-replication.js';
import { Replication } from '../../../src/replication/disk/engine.js';
import {
  decodeMetadata,
  type Metadata,
  METADATA_BYTES,
} from '../../../src/replication/disk/format/metadata-record.js';
import { DIRECTORY, IMAGE, pair, SECTORS, SideNode } from './world.js';
import { SimulatedWorld } from '../../../src/testing/index.js';

const SECTOR = 512;
const GRAIN = 128;

/** A new backup that has met nobody. */
async function alone(
  address: string,
  image?: { readonly sectors: number; readonly fill: number },
  options = {},
) {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const side = new SideNode(world, address, options, image);
  return { world, side, result: await world.complete(side.opened) };
}

t.test('a new primary serves its image, alone', async (t) => {
  const { side, result, world } = await alone('10.0.0.1');
  t.equal(result, 0);
  t.equal(await side.write(8, 8, 3), 0);
  t.equal(await side.call((done) => side.engine.zero(9, 1, done)), 0);
  t.same([(await side.read(8, 1))[0], (await side.read(9, 1))[0]], [3, 0]);
  t.equal(side.image()[8 * SECTOR], 3, 'it is on the image');
  t.equal(await side.call((done) => side.engine.flush(done)), 0);
  t.equal(await side.checkpoint(), -errno.ENOTCONN);
  t.ok(side.engine.readsDisk);
  const opened: number[] = [];
  side.engine.openCheckpoint((ended) => opened.push(ended));
  t.same(opened, [-errno.EINVAL]);
  await world.run(0.1);
});

t.test('a new backup shows its image until it gets another one, and takes no write', async (t) => {
  const { side } = await alone('10.0.0.2', { sectors: SECTORS, fill: 9 });
  t.equal((await side.read(5, 1))[0], 9);
  t.ok(side.engine.readsDisk);
  t.equal(await side.write(8, 8, 3), -errno.EROFS);
  t.equal(await side.call((done) => side.engine.zero(8, 8, done)), -errno.EROFS);
  t.equal(await side.call((done) => side.engine.flush(done)), 0, 'there is nothing of the caller');
  t.equal(await side.checkpoint(), -errno.EINVAL);
  const opened: number[] = [];
  side.engine.openCheckpoint((ended) => opened.push(ended));
  t.same(opened, [-errno.EINVAL]);
});

t.test('once a first sync has begun, the image is shown no more until it is committed', async (t) => {
  const { side, world } = await alone('10.0.0.2');
  await world.complete(
    side.engine.backup?.beginSync('1'.repeat(16), SECTORS / GRAIN, true) ??
      Promise.reject(new Error('primary')),
  );
  t.notOk(side.engine.readsDisk);
  t.equal(await side.call((done) => side.engine.read(0, Buffer.alloc(SECTOR), done)), -errno.EIO);
});

/** What the metadata in a side's directory say. */
const recorded = ({ host }: SideNode): Metadata | undefined =>
  decodeMetadata(host.files.contents(`${DIRECTORY}/metadata`).subarray(0, METADATA_BYTES));

t.test('a disk is settled once it is synced, and identified after that', async (t) => {
  for (const result of [0, -errno.EIO]) {
    const { side } = await alone('10.0.0.1');
    t.equal(await side.write(8, 8, 3), 0);
    const calls: string[] = [];
    const { disk } = side;
    const flush = disk.flush.bind(disk);
    const identify = disk.identify.bind(disk);
    disk.flush = (done) => (calls.push('flush'), flush(done));
    disk.identify = (done) => (calls.push('identify'), identify(done));
    Object.assign(disk, {
      settle: (done: (result: number) => void) => {
        calls.push('settle');
        done(result);
      },
    });
    t.equal(await side.call((done) => side.engine.close(done)), result);
    t.same(calls, result === 0 ? ['flush', 'settle', 'identify'] : ['flush', 'settle']);
    t.equal(recorded(side)?.clean, result === 0);
  }
});

t.test('a disk that has failed is closed without a word that it was in order', async (t) => {
  const { side } = await alone('10.0.0.1');
  t.equal(await side.write(8, 8, 3), 0);
  side.host.files.failCalls({ calls: ['fdatasync'], error: errno.EIO });
  t.equal(await side.call((done) => side.engine.flush(done)), -errno.EIO);
  t.equal(await side.call((done) => side.engine.close(done)), -errno.EIO);
  t.equal(recorded(side)?.clean, false);
});

t.test(
  'an open that has ended listens to its signal no more; one that is not needed is given up',
  async (t) => {
    const { side, world } = await alone('10.0.0.1');
    t.equal(await side.call((done) => side.engine.close(done)), 0);
    const controller = new AbortController();
    const { signal } = controller;
    const again = new Replication(side.engine.options, { ...side.engine.parts, signal });
    t.equal(await side.call((done) => again.open(done)), 0);
    t.equal(getEventListeners(signal, 'abort').length, 0);
    t.equal(await side.call((done) => again.close(done)), 0);
    controller.abort();
    t.equal(await side.call((done) => again.open(done)), -errno.ECANCELED);
    await world.run(1);
    t.equal(side.host.files.descriptors().filter(({ path }) => path.startsWith(DIRECTORY)).length, 0);
  },
);

t.test('each fault of a close is reported, and the first one is its result', async (t) => {
  const { side } = await alone('10.0.0.1');
  t.equal(await side.write(8, 8, 3), 0);
  side.host.files.failCalls({ calls: ['fdatasync'], error: errno.EIO });
  side.host.files.failCalls({ calls: ['close'], error: errno.ENOSPC });
  const reasons: (string | undefined)[] = [];
  const result = await side.call((done) =>
    side.engine.close((ended, reason) => {
      reasons.push(reason);
      done(ended);
    }),
  );
  t.equal(result, -errno.EIO);
  t.match(reasons, [/EIO/]);
  const errors = side.events.flatMap((event) => (event.kind === 'error' ? [event.message] : []));
  for (const code of ['EIO', 'ENOSPC'])
    t.ok(
      errors.some((message) => message.endsWith(code)),
      code,
    );
});

t.test('a backup with data takes no first sync, unless it was told to', async (t) => {
  for (const initialise of [false, true]) {
    const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
    const b = new SideNode(world, '10.0.0.2', { initialise }, { sectors: SECTORS, fill: 9 });
    const a = new SideNode(world, '10.0.0.1', {});
    await world.run(() => a.isUp && b.isUp);
    await world.run(3);
    t.equal(a.engine.status().state, initialise ? 'protected' : 'unprotected');
    t.equal((await b.read(5, 1))[0], initialise ? 0 : 9);
    if (!initialise) t.match(a.engine.status().lastError, /the backup has data/);
  }
});

t.test('a new backup reports that its first checkpoint is committed', async (t) => {
  const { a, b } = pair(t);
  await a.until('protected');
  const reason = 'the first checkpoint is committed';
  t.ok(b.events.some((event) => event.kind === 'state' && event.reason === reason));
});

t.test('a backup shows the last checkpoint, wherever it is, and a view keeps one', async (t) => {
  const { world, a, b } = pair(t);
  await a.until('protected');
  await a.write(8, 8, 1);
  const epoch = await a.checkpoint();
  await a.write(8, 8, 2);
  await world.run(0.2);
  t.equal((await b.read(8, 1))[0], 1);
  t.notOk(b.engine.readsDisk);
  let view: CheckpointView | undefined;
  b.engine.openCheckpoint((result, opened) => {
    t.equal(result, 0);
    view = opened;
  });
  t.match(view, { epoch, sectors: SECTORS });
  await a.checkpoint();
  const buffer = Buffer.alloc(SECTOR);
  t.equal(await b.call((done) => view?.read(8, buffer, done)), 0);
  t.equal(buffer[0], 1);
  t.equal((await b.read(8, 1))[0], 2);
  view?.close();
  view?.close();
  await world.run(1);
  t.equal(b.image()[8 * SECTOR], 2);
});

t.test('an address that cannot be found is an error, with a reason, and nothing is left', async (t) => {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const side = new SideNode(world, '10.0.0.1', { address: 'nowhere:9000' });
  const result = await world.complete(side.opened);
  t.equal(result, -errno.ENOENT);
  t.throws(() => side.engine.state, /the replication is not open/);
  const reasons: (string | undefined)[] = [];
  t.equal(
    await side.call((done) =>
      side.engine.open((ended, reason) => {
        reasons.push(reason);
        done(ended);
      }),
    ),
    -errno.ENOENT,
  );
  t.match(reasons, [/cannot find nowhere:9000: ENOENT/]);
  await world.run(1);
  t.same(
    side.host.leftovers().filter((line) => /timer|tcp|connection/.test(line)),
    [],
  );
});

t.test('the role that is set is taken, whoever has the address', async (t) => {
  const { side: primary } = await alone('10.0.0.2', undefined, { role: 'primary' });
  t.match(primary.engine.status(), { role: 'primary', connection: 'connecting' });
  const { side: backup } = await alone('10.0.0.2', undefined, { role: 'backup' });
  t.match(backup.engine.status(), { role: 'backup', connection: 'listening' });
});

t.test(
  'a disk that is closed in order is clean, and needs no resync but of what was not committed',
  async (t) => {
    const { world, a, b } = pair(t);
    await a.until('protected');
    for (const grain of [1, 5, 9]) await a.write(grain * GRAIN, 8, grain);
    await a.checkpoint();
    await a.write(3 * GRAIN, 8, 3);
    t.equal(await a.call((done) => a.engine.close(done)), 0);
    await world.run(1);
    t.equal(b.engine.status().peerAddress, null);
    t.match(
      b.events.findLast(({ kind }) => kind === 'disconnected'),
      { peerKind: 'own' },
    );
    a.host.restart();
    await world.run(() => a.isUp);
    const { dirtyBytes } = a.engine.status();
    t.equal(dirtyBytes, GRAIN * SECTOR);
    await a.until('protected');
    t.equal(a.engine.status().resyncBytesTotal, GRAIN * SECTOR);
    t.ok((await a.read()).equals(await b.read()));
  },
);

t.test('an image that is changed between a close and an opening is refused', async (t) => {
  const { world, a } = pair(t);
  await a.until('protected');
  t.equal(await a.call((done) => a.engine.close(done)), 0);
  await world.run(10);
  const { host } = a;
  host.crash('end of file');
  await world.run(5);
  host.files.put(IMAGE, new Uint8Array(SECTORS * SECTOR).fill(1));
  host.restart();
  t.equal(await world.complete(a.opened), -errno.ESTALE);
});

t.test('a close that cannot write what it has to is an error, and the disk is not clean', async (t) => {
  const { a, world } = pair(t);
  await a.until('protected');
  await a.write(8, 8, 1);
  a.host.files.failCalls({ calls: ['fdatasync'], nth: 1, error: errno.EIO });
  t.equal(await a.call((done) => a.engine.close(done)), -errno.EIO);
  a.host.restart();
  t.equal(await world.complete(a.opened), 0);
  await a.until('protected');
});

t.test('bits fall once both sides have their grains, so that a crash costs little', async (t) => {
  const { world, a } = pair(t, { a: { hotGrains: 2 } });
  await a.until('protected');
  for (let grain = 0; grain < 20; grain++) await a.write(grain * GRAIN, 8, 1);
  await a.checkpoint();
  const raised = (): number => a.engine.state.map.bits.count;
  t.ok(raised() >= 20);
  await world.run(11);
  t.ok(raised() <= 4, `${raised()} bits`);
  t.ok(raised() >= 2, 'those of the grains that are hot stay');
  await a.write(30 * GRAIN, 8, 1);
  a.host.crash('silence');
  a.host.restart();
  await world.run(() => a.isUp);
  t.ok(a.engine.status().dirtyBytes <= 5 * GRAIN * SECTOR, `${a.engine.status().dirtyBytes} bytes`);
});

t.test('they fall every ten seconds, and no sooner', async (t) => {
  const { world, a } = pair(t, { a: { hotGrains: 2 } });
  await world.complete(a.opened);
  const openedAt = world.nowSeconds;
  await a.until('protected');
  for (const seconds of [10.5, 20.5]) {
    await world.run(openedAt + seconds - world.nowSeconds);
    for (let grain = 0; grain < 20; grain++) await a.write(grain * GRAIN, 8, 1);
    await a.checkpoint();
    await world.run(openedAt + seconds + 9 - world.nowSeconds);
    t.ok(a.engine.state.map.bits.count >= 20, `${seconds} s`);
    await world.run(1);
    t.ok(a.engine.state.map.bits.count <= 4, `${a.engine.state.map.bits.count} bits`);
  }
});

t.test('what happens is reported to listeners, until they stop', async (t) => {
  const { world, a, b } = pair(t);
  const heard: string[] = [];
  await world.run(() => a.isUp);
  const stop = a.engine.onEvent(({ kind }) => heard.push(kind));
  await a.until('protected');
  await a.write(8, 8, 1);
  const epoch = await a.checkpoint();
  t.match(
    a.events.filter(({ kind }) => kind === 'connected'),
    [{ peer: /^10\.0\.0\.2:9000/, peerKind: 'own', reason: 'first-sync' }],
  );
  t.match(
    b.events.filter(({ kind }) => kind === 'connected'),
    [{ peer: /^10\.0\.0\.1:/, peerKind: 'own', reason: 'first-sync' }],
  );
  t.match(
    a.events.filter(({ kind }) => kind === 'state').map((event) => ({ ...event, atSeconds: 0 })),
    [
      { from: 'unprotected', to: 'catching-up', role: 'primary' },
      { from: 'catching-up', to: 'protected', role: 'primary' },
    ],
  );
  t.match(
    a.events.findLast(({ kind }) => kind === 'checkpoint'),
    { epoch, bytes: 8 * SECTOR, failure: null },
  );
  t.match(
    b.events.findLast(({ kind }) => kind === 'checkpoint'),
    { epoch, bytes: 8 * SECTOR, failure: null },
  );
  stop();
  const count = heard.length;
  t.ok(count > 3);
  b.host.crash('reset');
  await a.until('unprotected');
  t.equal(heard.length, count);
  t.match(
    a.events.findLast(({ kind }) => kind === 'disconnected'),
    { peer: /^10\.0\.0\.2:9000/, peerKind: 'own', reason: /ECONNRESET|closed/ },
  );
});

t.test('a disk that was closed has no checkpoint, and makes none', async (t) => {
  for (const address of ['10.0.0.1', '10.0.0.2']) {
    const { side } = await alone(address);
    t.equal(await side.call((done) => side.engine.close(done)), 0);
    t.equal(await side.checkpoint(), -errno.EINVAL);
    t.equal(await side.call((done) => side.engine.openCheckpoint(done)), -errno.EINVAL);
  }
});

t.test('a disk fails once: what fails after that is no news', async (t) => {
  const { side } = await alone('10.0.0.1');
  side.engine.fail('write the map', -errno.EIO);
  side.engine.fail('write the metadata', -errno.ENOSPC);
  t.match(side.engine.status(), { state: 'failed', lastError: 'cannot write the map: EIO' });
  t.equal(side.events.filter(({ kind }) => kind === 'error').length, 1);
});

t.test('a backup that has a state is opened without a look at its image', async (t) => {
  const { a, b, world } = pair(t);
  await a.until('protected');
  b.host.files.spoil(IMAGE, 3000 * SECTOR, SECTOR);
  b.host.restart();
  t.equal(await world.complete(b.opened), 0);
  await a.until('protected');
});

t.test('flushes that wait for a backup fail once the disk is one itself', async (t) => {
  const { side, world } = await alone('10.0.0.1', undefined, {
    commitOnFlush: 'require',
    flushLimitSeconds: 600,
  });
  await side.write(8, 8, 3);
  const results: number[] = [];
  side.engine.flush((result) => results.push(result));
  side.engine.state.metadata.note({ stale: true });
  await world.run(1);
  t.same(results, []);
  t.equal((await side.command((done) => side.engine.rejoin({}, done))).result, 0);
  t.same(results, [-errno.EIO]);
});

t.test('in a close the map is written once the metadata say what the backup has', async (t) => {
  const { a, world } = pair(t);
  await a.until('protected');
  for (const grain of [1, 5, 9]) await a.write(grain * GRAIN, 8, grain);
  await a.checkpoint();
  const map = (): Buffer => Buffer.from(a.host.files.contents(`${DIRECTORY}/map`));
  const before = map();
  a.held.hold('fdatasync', `${DIRECTORY}/metadata`);
  const results: number[] = [];
  a.engine.close((result) => results.push(result));
  await world.run(1);
  t.ok(map().equals(before));
  a.held.release('fdatasync', `${DIRECTORY}/metadata`);
  await world.run(() => results.length > 0);
  t.same(results, [0]);
  t.notOk(map().equals(before), 'the bits have fallen');
});

t.test('a directory that cannot be made is an error', async (t) => {
  const { side, result } = await alone('10.0.0.1', undefined, { directory: '/nowhere/state' });
  t.equal(result, -errno.ENOENT);
  t.notOk(side.engine.isOpen);
  t.throws(() => side.host.files.contents(`${DIRECTORY}/metadata`));
});
