// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// When a disk is opened, and when it is refused: a file of another disk, or one that somebody else has changed.

import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import type { FileCalls } from '../../../src/posix/files.js';
import type { LocalDisk } from '../../../src/replication/disk/local-disk.js';
import { createState, loadState, type OpenStateParts } from '../../../src/replication/disk/open-state.js';
import {
  DEFAULT_REPLICATION_OPTIONS,
  type ReplicationOptions,
} from '../../../src/replication/disk/options.js';
import { NOTHING_SURVIVES } from '../../../src/testing/index.js';
import { stateFiles } from './state-files.js';

const DIRECTORY = '/srv/state';
const IMAGE = { fileSystem: 1, inode: 2, modifiedMicroseconds: 3 };

function parts(its = stateFiles()) {
  const image = { sectors: 1000, identity: { ...IMAGE } as typeof IMAGE | undefined, result: 0 };
  const disk: LocalDisk = {
    get sectors() {
      return image.sectors;
    },
    read: (_sector, buffer, done) => {
      buffer.fill(0);
      done(0);
    },
    write: (_sector, _buffer, done) => done(0),
    zero: (_sector, _sectors, done) => done(0),
    flush: (done) => done(0),
    identify: (done) => (image.result < 0 ? done(image.result) : done(0, image.identity)),
  };
  const options: ReplicationOptions = {
    ...DEFAULT_REPLICATION_OPTIONS,
    address: '10.0.0.2:9000',
    directory: DIRECTORY,
    journalBytes: 4 << 20,
  };
  let next = 0;
  const given: OpenStateParts = {
    files: its.files,
    disk,
    options,
    random: (bytes) => bytes.fill((next += 1)),
    notice: its.notice,
  };
  const load = (change: Partial<ReplicationOptions> = {}) =>
    its.world.complete(loadState({ ...given, options: { ...options, ...change } }));
  const create = (role: 'primary' | 'backup', listens: boolean, change: Partial<ReplicationOptions> = {}) =>
    its.world.complete(createState({ ...given, options: { ...options, ...change } }, role, listens));
  /** Closes a state, and says whether in order. */
  const close = async (
    { metadata, map }: Awaited<ReturnType<typeof create>>,
    clean: boolean,
  ): Promise<void> => {
    if (clean) await its.call((done) => metadata.update({ clean: true }, done));
    await its.world.complete(map.close());
    await its.world.complete(metadata.close());
  };
  const openFiles = (): number => its.host.leftovers().filter((line) => line.includes(': file ')).length;
  return { ...its, image, disk, load, create, close, openFiles };
}

t.test('a new directory is made, and has no state', async (t) => {
  const { load, host, files, call } = parts();
  t.equal(await load(), undefined);
  t.equal(await load(), undefined, 'nor has one that is there');
  host.files.failCalls({ calls: ['mkdir'], nth: 1, error: errno.EACCES });
  await t.rejects(load(), { message: 'cannot make /srv/state: EACCES', result: -errno.EACCES });
  t.equal(await call((done) => files.mkdir('/srv/state', 0o700, done)), -errno.EEXIST);
});

t.test('the first state of a primary', async (t) => {
  const { load, create } = parts();
  await load();
  const { metadata, map } = await create('primary', true);
  t.match(metadata.current, {
    update: 1,
    role: 'primary',
    sectors: 1000,
    grainSectors: 128,
    image: IMAGE,
    sent: 0,
    acked: 0,
    firstLiveSegment: 1,
    appliedCheckpoint: 0,
    ancestors: [],
    listens: true,
    hasState: true,
    inconsistent: false,
    clean: false,
    peerIsOwn: false,
    promoted: false,
    stale: false,
    splitBrain: false,
    rejoining: false,
    resyncId: '0'.repeat(16),
  });
  const { diskId, generation, mapSalt } = metadata.current;
  t.equal(new Set([diskId.slice(0, 16), generation, mapSalt]).size, 3, 'each of its ids is another one');
  t.notSame(generation, '0'.repeat(16));
  t.same([map.grains, map.bits.count], [8, 0]);
});

t.test('the first state of a backup has none of a disk, and a journal', async (t) => {
  const { load, create, host } = parts();
  await load();
  const { metadata } = await create('backup', false, { peer: 'own' });
  t.match(metadata.current, {
    role: 'backup',
    diskId: '0'.repeat(32),
    generation: '0'.repeat(16),
    listens: false,
    hasState: false,
    inconsistent: true,
    peerIsOwn: true,
  });
  const sizes = ['journal-0', 'journal-1'].map((name) => host.files.contents(`${DIRECTORY}/${name}`).length);
  t.equal(sizes[0], sizes[1]);
  t.ok((sizes[0] ?? 0) * 2 <= 4 << 20 && (sizes[0] ?? 0) * 2 > (4 << 20) - 16_384);
});

t.test('the backup of a C primary is equal to it from its beginning', async (t) => {
  const { load, create } = parts();
  await load();
  const { metadata } = await create('backup', true, { peer: 'c' });
  t.match(metadata.current, {
    hasState: true,
    inconsistent: false,
    peerIsOwn: false,
    generation: '0'.repeat(16),
  });
  t.notSame(metadata.current.diskId, '0'.repeat(32));
});

t.test('a state is found again, and is not clean while it is open', async (t) => {
  const { load, create, close } = parts();
  await load();
  const state = await create('primary', true);
  const { diskId } = state.metadata.current;
  await close(state, true);
  const found = await load();
  t.match(found?.metadata.current, { diskId, clean: false });
  if (found) await close(found, false);
  t.match((await load())?.metadata.current, { clean: false });
});

t.test('options that contradict the metadata are refused', async (t) => {
  const { load, create, close, openFiles } = parts();
  await load();
  const state = await create('primary', true, { peer: 'own' });
  await close(state, true);
  await t.rejects(load({ role: 'backup' }), {
    result: -errno.EINVAL,
    message: /metadata say primary, not backup \(see rejoin\)/,
  });
  await t.rejects(load({ peer: 'c' }), {
    result: -errno.EINVAL,
    message: /peer=c would give its guarantees up/,
  });
  t.equal(openFiles(), 0, 'and nothing is held open');
  t.not(await load({ role: 'primary', peer: 'own' }), undefined);
});

t.test('a backup that is to be a primary has to be promoted', async (t) => {
  const { load, create, close } = parts();
  await load();
  await close(await create('backup', true), true);
  await t.rejects(load({ role: 'primary' }), /metadata say backup, not primary \(see promote\)/);
});

t.test('another image in the place of the one that was replicated is refused', async (t) => {
  for (const [change, message] of [
    [{ sectors: 1001 }, /the image has 1001 sectors, the metadata say 1000/],
    [{ identity: { ...IMAGE, inode: 9 } }, /another file than the one that was replicated/],
    [{ identity: { ...IMAGE, fileSystem: 9 } }, /another file than the one that was replicated/],
    [{ identity: { ...IMAGE, modifiedMicroseconds: 9 } }, /changed by another program/],
  ] as const) {
    const { load, create, close, image, openFiles } = parts();
    await load();
    await close(await create('primary', true), true);
    Object.assign(image, change);
    await t.rejects(load(), { result: -errno.ESTALE, message });
    t.equal(openFiles(), 0);
    Object.assign(image, { sectors: 1000, identity: IMAGE });
    t.not(await load(), undefined, 'the right one is taken');
  }
});

t.test('one that was written by a program that did not close it is not another one', async (t) => {
  const { load, create, close, image } = parts();
  await load();
  await close(await create('primary', true), false);
  image.identity = { ...IMAGE, modifiedMicroseconds: 9 };
  t.not(await load(), undefined);
});

t.test('what has no identity is known by its size alone', async (t) => {
  const { load, create, close, image } = parts();
  await load();
  image.identity = undefined;
  const state = await create('primary', true);
  t.equal(state.metadata.current.image, undefined);
  await close(state, true);
  image.identity = { ...IMAGE, inode: 9 };
  const found = await load();
  t.not(found, undefined);
});

t.test('an image that cannot be identified is not opened', async (t) => {
  const { load, create, close, image } = parts();
  await load();
  await close(await create('primary', true), true);
  image.result = -errno.EIO;
  await t.rejects(load(), { message: 'cannot identify the image: EIO' });
});

t.test('all that the metadata speak of is on stable storage before them', async (t) => {
  const { load, create, host, world } = parts();
  await load();
  await create('backup', true);
  await world.run(0.1);
  host.files.system.losePower({ remains: () => [], keepsEntries: () => false });
  for (const name of ['metadata', 'map', 'journal-0', 'journal-1'])
    t.ok(host.files.contents(`${DIRECTORY}/${name}`).length > 0, name);
});

t.test('a state whose directory cannot be synced is not opened', async (t) => {
  const { load, create, close, host, world } = parts();
  await load();
  await close(await create('primary', true), true);
  for (const nth of [1, 2]) {
    host.files.failCalls({ calls: ['syncDirectory'], nth, error: errno.EIO });
    await t.rejects(load(), { result: -errno.EIO, message: /cannot sync \/srv/ });
    await world.run(0.1);
    t.same(
      host.leftovers().filter((line) => line.includes(': file ')),
      [],
    );
  }
});

t.test('a state that is found is on stable storage before it is used, as it may not have been', async (t) => {
  const its = stateFiles();
  let syncs = 0;
  const syncDirectory: FileCalls['syncDirectory'] = (directory, done) => {
    syncs += 1;
    // The last step of a new state, which its process does not live to see.
    if (syncs !== 4) its.files.syncDirectory(directory, done);
  };
  const files: FileCalls = Object.create(its.files, { syncDirectory: { value: syncDirectory } });
  const { load, create, host } = parts({ ...its, files });
  await load();
  await t.rejects(create('primary', true), /did not come true/);
  t.not(await load(), undefined);
  host.files.losePower(NOTHING_SURVIVES);
  for (const name of ['metadata', 'map']) t.ok(host.files.contents(`${DIRECTORY}/${name}`).length > 0, name);
});
