// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { rebindReplication } from '../../../src/disks/drivers/remus-rebind.js';
import { imageFileOf } from '../../../src/disks/driver.js';
import { errno } from '../../../src/posix/errno.js';
import type { FileStatus } from '../../../src/posix/files.js';
import { decodeMetadata, type Metadata } from '../../../src/replication/disk/format/metadata-record.js';
import type { ImageIdentity } from '../../../src/replication/disk/local-disk.js';
import { MetadataFile } from '../../../src/replication/disk/metadata-file.js';
import { FileRecorder, Random } from '../../../src/testing/index.js';
import { FileWorld, O_RDWR } from '../../testing/files/fixture.js';

const images = { from: '/d/base.vhd', to: '/e/child.vhd' };
const beside = 'remus:127.0.0.1:9,role=primary|vhd:/e/child.vhd';
const elsewhere = 'remus:127.0.0.1:9,role=primary,directory=/s/disk|vhd:/e/child.vhd';
const STATES = ['/d/base.vhd.remus', '/e/child.vhd.remus', '/s/disk'];

async function identity(world: FileWorld, path: string): Promise<ImageIdentity> {
  const { value } = await world.ask<FileStatus>((calls, done) => calls.stat(path, done));
  if (value === undefined) throw new Error(`there is no ${path}`);
  const { fileSystem, inode, modifiedMicroseconds } = imageFileOf(path, value);
  return { fileSystem, inode, modifiedMicroseconds };
}

/** A host with both images, and a state that is bound to the old one. */
async function worldWithState(directory: string, changes: Partial<Metadata> = {}): Promise<FileWorld> {
  const world = new FileWorld({ seed: 1, traceLines: 0 });
  for (const path of [images.from, images.to, `${directory}/map`]) world.files.put(path, Buffer.from(path));
  world.files.put('/s/other', Buffer.alloc(1));
  const metadata: Metadata = {
    update: 7,
    diskId: 'ab'.repeat(16),
    sectors: 2048,
    image: await identity(world, images.from),
    role: 'primary',
    grainSectors: 128,
    generation: 'cd'.repeat(8),
    sent: 3,
    acked: 2,
    firstLiveSegment: 1,
    resyncId: '0'.repeat(16),
    appliedCheckpoint: 0,
    mapSalt: '12'.repeat(8),
    ancestors: [],
    promoted: false,
    stale: false,
    splitBrain: false,
    peerIsOwn: true,
    hasState: true,
    clean: true,
    inconsistent: false,
    listens: false,
    rejoining: false,
    ...changes,
  };
  const made = await world.world.complete(
    MetadataFile.create(world.calls, `${directory}/metadata`, metadata),
  );
  await world.world.complete(made.close());
  world.files.system.syncAll();
  return world;
}

/** The states that are there, and what each is bound to. */
function statesOf(world: FileWorld): Map<string, Metadata | undefined> {
  return new Map(
    STATES.filter((path) => world.text(`${path}/metadata`) !== undefined).map((path) => [
      path,
      decodeMetadata(world.files.contents(`${path}/metadata`).subarray(0, 512)),
    ]),
  );
}

const rebind = (world: FileWorld, name: string): Promise<() => Promise<void>> =>
  world.world.complete(rebindReplication(world.calls, name, images));

t.test('a state moves to the new image completely, and back', async (t) => {
  const places: [name: string, from: string, to: string][] = [
    [beside, '/d/base.vhd.remus', '/e/child.vhd.remus'],
    [elsewhere, '/s/disk', '/s/disk'],
  ];
  for (const [name, from, to] of places) {
    const world = await worldWithState(from);
    const before = statesOf(world).get(from);
    const unbind = await rebind(world, name);
    const after = statesOf(world);
    t.same([...after.keys()], [to], 'there is one state');
    t.same(after.get(to), { ...before, update: 8, image: await identity(world, images.to) });
    t.equal(world.text(`${to}/map`), `${from}/map`, 'all of the directory goes with it');
    await world.world.complete(unbind());
    t.same([...statesOf(world)], [[from, { ...before, update: 9 }]]);
    t.same(world.files.descriptors(), []);
  }
});

t.test('an image without a replication has nothing to rebind', async (t) => {
  const world = await worldWithState('/d/base.vhd.remus');
  const before = statesOf(world);
  const unbind = await rebind(world, 'vhd:/e/child.vhd');
  await unbind();
  t.same(statesOf(world), before);
});

t.test('the state of another image is left alone', async (t) => {
  const refused: [what: string, prepare: () => Promise<FileWorld>, result: number][] = [
    ['it was not closed in order', () => worldWithState(STATES[0] ?? '', { clean: false }), -errno.ESTALE],
    ['it is of none', () => worldWithState(STATES[0] ?? '', { image: undefined }), -errno.ESTALE],
    [
      'the image was written to since',
      async () => {
        const world = await worldWithState(STATES[0] ?? '');
        await world.world.run(5);
        const fd = await world.open(images.from, O_RDWR);
        await world.write(fd, 'other');
        return world;
      },
      -errno.ESTALE,
    ],
    ['there is none', () => worldWithState('/s/disk'), -errno.ESTALE],
    [
      'there is another one beside the new image',
      async () => {
        const world = await worldWithState(STATES[0] ?? '');
        world.files.put('/e/child.vhd.remus/metadata', Buffer.alloc(8192));
        return world;
      },
      -errno.EEXIST,
    ],
  ];
  for (const [what, prepare, result] of refused) {
    const world = await prepare();
    const before = statesOf(world);
    await t.rejects(rebind(world, beside), { name: 'StateError', result }, what);
    t.same(statesOf(world), before, what);
  }
  const world = await worldWithState(STATES[0] ?? '');
  await world.must((calls, done) => calls.unlink(images.to, done));
  await t.rejects(
    rebind(world, beside),
    { name: 'StateError', result: -errno.ENOENT },
    'there is no new image',
  );
});

t.test('each call that fails is reported, and the state belongs to one image', async (t) => {
  for (const call of ['stat', 'open', 'write', 'fdatasync', 'rename', 'syncDirectory'] as const) {
    for (let nth = 1; nth <= 4; nth++) {
      const world = await worldWithState('/d/base.vhd.remus');
      const fault = world.files.failCalls({ calls: [call], nth, error: errno.EIO });
      const error = await rebind(world, beside).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      fault.cancel();
      if (fault.failed === 0) {
        t.equal(error, undefined);
        continue;
      }
      t.match(error, { name: 'StateError' }, `${call} ${nth}`);
      t.equal(statesOf(world).size, 1, `${call} ${nth}`);
      t.same(world.files.descriptors(), []);
    }
  }
});

t.test('after any power loss the state belongs to exactly one of the images', async (t) => {
  const world = await worldWithState('/d/base.vhd.remus');
  const both = [await identity(world, images.from), await identity(world, images.to)];
  const recorder = new FileRecorder<'moved'>(world.files.system);
  await rebind(world, beside);
  recorder.mark('moved');
  recorder.stop();
  let states = 0;
  const places = new Set<string | undefined>();
  for (const { systems, operations, marks } of recorder.prefixes(new Random(1), 4)) {
    for (const system of systems) {
      states++;
      const left = new FileWorld({ seed: 2, traceLines: 0 });
      left.files.system.restore(system);
      const found = STATES.filter((path) => typeof left.files.system.lookup(path) !== 'number');
      t.equal(found.length, 1, `after ${operations} operations there is one state`);
      const loaded = await left.world.complete(
        MetadataFile.load(left.calls, `${found[0]}/metadata`, () => {}),
      );
      t.ok(
        both.some(({ inode }) => inode === loaded?.current.image?.inode),
        `after ${operations} operations it is of one image`,
      );
      if (marks.length > 0) places.add(found[0]);
    }
  }
  t.ok(states > 20);
  t.same([...places], ['/e/child.vhd.remus'], 'to the new one, once it has been moved');
});

t.test('a state in a directory of its own is bound to the new image where it is', async (t) => {
  const world = await worldWithState('/s/disk');
  const fault = world.files.failCalls({ calls: ['rename', 'syncDirectory'], nth: 1, error: errno.EIO });
  await rebind(world, elsewhere);
  fault.cancel();
  t.equal(fault.failed, 0);
  t.same(statesOf(world).get('/s/disk')?.image, await identity(world, images.to));
});

t.test('once the state has its new place both directories are synced, the new one first', async (t) => {
  const world = await worldWithState('/d/base.vhd.remus');
  const { system } = world.files;
  const directories = new Map(
    ['/d', '/e'].map((path) => {
      const node = system.lookup(path);
      return [typeof node === 'number' ? node : node.id, path];
    }),
  );
  const log: string[] = [];
  system.observer = (operation) => {
    if (operation.kind === 'entries') log.push('rename');
    if (operation.kind === 'sync' && directories.has(operation.node))
      log.push(`sync ${directories.get(operation.node)}`);
  };
  await rebind(world, beside);
  system.observer = undefined;
  t.same(log, ['rename', 'sync /e', 'sync /d']);
});
