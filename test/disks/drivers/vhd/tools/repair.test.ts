// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { repair } from '../../../../../src/disks/drivers/vhd/tools/repair.js';
import { describeChain } from '../../../../../src/disks/drivers/vhd/tools/describe.js';
import { createImage } from '../../../../../src/disks/drivers/vhd/tools/create.js';
import { Footer } from '../../../../../src/disks/drivers/vhd/footer.js';
import { SECTOR_SIZE } from '../../../../../src/disks/index.js';
import { errno } from '../../../../../src/posix/errno.js';
import type { FileWorld } from '../../../../testing/files/fixture.js';
import { LEAF, open, tags } from '../order-world.js';
import {
  PARENT,
  endFooterOf,
  family,
  findings,
  patch,
  patchFooters,
  patchHeader,
  run,
  setBatmap,
} from './tool-world.js';

const uuid = new Uint8Array(16).fill(0x21);
const uuidText = '21212121-2121-2121-2121-212121212121';

const mend = (world: FileWorld, options: { write?: boolean; fromCopy?: boolean } = {}) =>
  run(world, (calls) => repair(calls, { path: LEAF, write: true, uuid, ...options }));

const END = 'the footer at the end is written';
const COPY = 'the copy of the footer at the head is written';

t.test('footers are written from the one that counts, and nothing without --write', async (t) => {
  const cases: [name: string, spoil: (bytes: Uint8Array) => void, changes: readonly string[]][] = [
    ['sound', () => {}, []],
    ['no end', (bytes) => bytes.fill(0, bytes.length - SECTOR_SIZE), [END]],
    ['no copy', (bytes) => bytes.fill(0, 0, SECTOR_SIZE), [COPY]],
  ];
  for (const [name, spoil, changes] of cases) {
    const world = await family();
    patch(world, LEAF, spoil);
    const before = world.files.contents(LEAF).slice();
    t.same(await mend(world, { write: false }), changes, name);
    t.same(world.files.contents(LEAF), before);
    t.same(await mend(world), changes);
    t.same(await findings(world, LEAF), []);
    t.same(await mend(world), []);
    t.same(await tags(world, await open(world, LEAF, true), 15, 3), [0, 1, 1]);
  }
});

t.test('the copy is the one that counts when asked for', async (t) => {
  const world = await family();
  const copy = endFooterOf(world, LEAF).with({ hidden: true });
  patch(world, LEAF, (bytes) => bytes.set(copy.bytes));
  t.same(await mend(world, { write: false }), [COPY]);
  t.same(await mend(world, { fromCopy: true }), [END]);
  t.ok(endFooterOf(world, LEAF).isHidden);
  t.same(await findings(world, LEAF), []);
  patch(world, LEAF, (bytes) => bytes.fill(0, 0, SECTOR_SIZE));
  await t.rejects(
    mend(world, { fromCopy: true }),
    /bad-footer: footer copy: it is not valid; repair without --from-copy takes the footer at the end/,
  );
});

t.test('an image without a uuid gets one', async (t) => {
  const world = await family();
  patchFooters(world, LEAF, (fields) => {
    for (let at = 68; at < 84; at++) fields.setUint8(at, 0);
  });
  t.same(await mend(world), [`the image gets the uuid ${uuidText}`, END, COPY]);
  t.same(Buffer.from(endFooterOf(world, LEAF).uuid), Buffer.from(uuid));
  t.same(await findings(world, LEAF), []);
});

t.test('a fixed image has one footer', async (t) => {
  const world = await family();
  await run(world, (calls) =>
    createImage(calls, {
      path: '/d/fixed',
      size: 1 << 20,
      isFixed: true,
      uuid: new Uint8Array(16),
      unixSeconds: 1e9,
    }),
  );
  const changes = await run(world, (calls) => repair(calls, { path: '/d/fixed', write: true, uuid }));
  t.same(changes, [`the image gets the uuid ${uuidText}`, END]);
  t.ok(
    world.files
      .contents('/d/fixed')
      .subarray(0, SECTOR_SIZE)
      .every((byte) => byte === 0),
  );
  t.equal(world.files.contents('/d/fixed').length, (1 << 20) + SECTOR_SIZE);
});

t.test('a batmap that is wrong is made empty', async (t) => {
  const world = await family();
  setBatmap(world, LEAF, Uint8Array.of(0b1000_0000));
  t.same(await mend(world), ['the batmap is made empty']);
  t.same(await mend(world), []);
  t.same(await findings(world, LEAF), []);
  patch(world, LEAF, (bytes) => (bytes[2048 + 24] = 1));
  t.same(await mend(world), ['the batmap is made empty']);
  t.same(await findings(world, LEAF), []);
});

t.test('what is not known, or in the middle of a journal, is not repaired', async (t) => {
  const world = await family();
  patchFooters(world, LEAF, (fields) => {
    for (const [at, byte] of Buffer.from('v_poison').entries()) fields.setUint8(at, byte);
  });
  await t.rejects(mend(world), /disabled: footer cookie/);
  const typed = await family();
  patchFooters(typed, LEAF, (fields) => fields.setUint32(60, 7));
  await t.rejects(mend(typed), /unsupported: disk type/);
  const none = await family();
  patch(none, LEAF, (bytes) => bytes.fill(0));
  await t.rejects(mend(none), /bad-footer/);
  for (const each of [world, typed, none]) t.same(each.files.descriptors(), []);
});

t.test('a chain is described image by image', async (t) => {
  const world = await family();
  const describe = () => run(world, (calls) => describeChain(calls, LEAF, {}));
  const [leaf, parent, ...more] = await describe();
  t.same(more, []);
  t.match(leaf, {
    file: LEAF,
    kind: 'differencing',
    virtualSize: 64 * SECTOR_SIZE,
    fileSize: world.files.contents(LEAF).length,
    creator: 'tap 1.3',
    isHidden: false,
    isClosed: true,
    blockSize: 16 * SECTOR_SIZE,
    blocks: 4,
    allocatedBlocks: 2,
    maxFastSize: 64 * SECTOR_SIZE,
    parentName: 'parent0.vhd',
    faults: [],
  });
  t.match(parent, { file: PARENT, kind: 'dynamic', allocatedBlocks: 0, faults: [] });
  t.equal(leaf?.parentUuid, parent?.uuid);
  t.notOk(parent && 'parentUuid' in parent);
  t.not(leaf?.identity, parent?.identity);
  patch(world, LEAF, (bytes) => bytes.fill(0, bytes.length - SECTOR_SIZE));
  t.match((await describe())[0], { isClosed: false, faults: [] });
  patchFooters(world, PARENT, (fields) => {
    fields.setUint8(68, fields.getUint8(68) ^ 1);
    fields.setUint8(85, 1);
    fields.setUint32(28, 0x7769_6e20);
    fields.setUint32(32, 0x0005_0003);
  });
  const [, other] = await describe();
  t.match(other, { isHidden: true, creator: 'win 5.3', faults: [{ kind: 'parent-mismatch' }] });
  t.equal(other?.faults.length, 1);
});

t.test('a raw parent, and one that is missing, are described too', async (t) => {
  const world = await family();
  patchHeader(world, LEAF, { parentUuid: new Uint8Array(16) });
  const describe = (path = LEAF) => run(world, (calls) => describeChain(calls, path, {}));
  const raw = world.files.contents(PARENT);
  const [, described] = await describe();
  t.same(described, {
    file: PARENT,
    identity: described?.identity,
    kind: 'raw',
    virtualSize: Math.floor(raw.length / SECTOR_SIZE) * SECTOR_SIZE,
    fileSize: raw.length,
    faults: [],
  });
  await world.ask((calls, done) => calls.unlink(PARENT, done));
  const [orphan, ...more] = await describe();
  t.match(orphan, { kind: 'differencing', faults: [{ kind: 'parent-missing' }] });
  t.same(more, []);
  patch(world, LEAF, (bytes) => bytes.fill(0));
  t.match(await describe(), [{ kind: 'unknown', faults: [{ kind: 'bad-footer' }] }]);
  t.same(world.files.descriptors(), []);
});

t.test('an image whose own blocks are in doubt is the last of its chain that is described', async (t) => {
  const world = await family();
  // The third block is where the second is.
  patch(world, LEAF, (bytes) => bytes.copyWithin(1536 + 8, 1536 + 4, 1536 + 8));
  const described = await run(world, (calls) => describeChain(calls, LEAF, {}));
  t.match(described, [{ kind: 'differencing', faults: [{ kind: 'bad-bat' }] }]);
  t.equal(described.length, 1);
});

t.test('of a header with a fault its parent is described, unless it is not in the file', async (t) => {
  const described = async (change: (world: FileWorld) => void): Promise<unknown> => {
    const world = await family();
    change(world);
    const [leaf, ...more] = await run(world, (calls) => describeChain(calls, LEAF, {}));
    t.same(more, []);
    return leaf;
  };
  const wrong = await described((world) => patch(world, LEAF, (bytes) => (bytes[512 + 100] = 7)));
  t.match(wrong, { parentName: /0.vhd$/, faults: [{ field: 'header checksum' }] });
  const far = (await described((world) =>
    patchFooters(world, LEAF, (fields) => fields.setBigUint64(16, 2n ** 40n)),
  )) as object;
  t.match(far, { kind: 'differencing', faults: [{ field: 'data offset' }] });
  t.notOk('parentName' in far);
});

t.test('the faults of an image come before those of its place in the chain', async (t) => {
  const kinds = async (world: FileWorld): Promise<unknown> =>
    (await run(world, (calls) => describeChain(calls, LEAF, {}))).map(({ faults }) =>
      faults.map(({ kind }) => kind),
    );
  const cut = async (): Promise<FileWorld> => {
    const world = await family();
    world.files.put(LEAF, world.files.contents(LEAF).slice(0, -3 * SECTOR_SIZE));
    return world;
  };
  const doubtful = await cut();
  // A block within the metadata, which reaches into the next one.
  patch(doubtful, LEAF, (bytes) => new DataView(bytes.buffer, bytes.byteOffset).setUint32(1536, 3));
  t.same(await kinds(doubtful), [['bad-bat', 'bad-bat', 'truncated']]);
  const orphan = await cut();
  await orphan.ask((calls, done) => calls.unlink(PARENT, done));
  t.same(await kinds(orphan), [['truncated', 'parent-missing']]);
});

t.test('an image that cannot be read is closed again', async (t) => {
  const world = await family();
  const describe = () => run(world, (calls) => describeChain(calls, LEAF, {}));
  let nth = 0;
  let failed = 1;
  // Each read in turn, of the image and then of its parent.
  while (failed > 0) {
    const fault = world.files.failCalls({ calls: ['read'], nth: ++nth, error: errno.EIO });
    const described = describe();
    failed = await described.then(
      () => 0,
      () => 1,
    );
    t.equal(fault.failed, failed);
    if (failed > 0) await t.rejects(described, /cannot read: Input\/output error/);
    t.same(world.files.descriptors(), []);
  }
  t.ok(nth > 12, `${nth - 1} reads`);
});

t.test('a copy that a journal has in progress is not taken for the footer', async (t) => {
  const world = await family();
  const poisoned = endFooterOf(world, LEAF).bytes.slice();
  poisoned.set(Buffer.from('v_poison'));
  const { bytes } = new Footer(poisoned).with({});
  patch(world, LEAF, (image) => image.set(bytes));
  await t.rejects(mend(world, { fromCopy: true }), /bad-footer: footer copy: it is not valid/);
  t.same(await mend(world), [COPY]);
  t.same(await findings(world, LEAF), []);
});

t.test(
  'of an image whose blocks are in doubt only the footers are written, after all that it has',
  async (t) => {
    // The second block is where the first is; or the file ends within the last one.
    for (const [isCut, expected] of [
      [false, ['bad-bat']],
      [true, ['truncated']],
    ] as const) {
      const world = await family();
      setBatmap(world, LEAF, Uint8Array.of(0b1000_0000));
      const image = world.files.contents(LEAF).slice();
      const table = new DataView(image.buffer, image.byteOffset + 1536);
      if (!isCut) table.setUint32(8, table.getUint32(4));
      const kept = image.subarray(0, isCut ? -SECTOR_SIZE - 5000 : -SECTOR_SIZE - 1);
      world.files.put(LEAF, kept);
      const changes = await mend(world);
      t.equal(changes[0], END);
      t.equal(changes.includes('the batmap is made empty'), isCut, 'where blocks are known not to overlap');
      const found = world.files.contents(LEAF);
      t.equal(found.length, Math.ceil(kept.length / SECTOR_SIZE) * SECTOR_SIZE + SECTOR_SIZE);
      t.same(found.slice(4096, kept.length), kept.slice(4096));
      t.match(
        await findings(world, LEAF),
        expected.map((kind) => new RegExp(kind)),
      );
    }
  },
);
