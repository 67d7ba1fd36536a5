// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { vhdLink } from '../../../../../src/disks/drivers/vhd/chain.js';
import { loadImage } from '../../../../../src/disks/drivers/vhd/load-image.js';
import { openToRead } from '../../../../../src/disks/drivers/vhd/parent-search.js';
import { relink } from '../../../../../src/disks/drivers/vhd/tools/relink.js';
import { coalesce } from '../../../../../src/disks/drivers/vhd/tools/coalesce.js';
import type { FileCalls } from '../../../../../src/posix/files.js';
import { errno } from '../../../../../src/posix/errno.js';
import { imageBytes } from '../new-chain.js';
import { LEAF, open, tags, worldWith, write } from '../order-world.js';
import { simulated, tagged } from '../sim-disk.js';
import { endFooterOf, findings, headerOf, patchHeader, run } from './tool-world.js';

const link = { sectors: 64, blockSectors: 16 };
const MIDDLE = '/d/parent1.vhd';
const ROOT = '/d/parent0.vhd';

t.test('a relinked child names its new parent, and has nothing of the old one', async (t) => {
  const world = worldWith([link, link, link]);
  const disk = await open(world);
  await write(world, disk, 3, tagged(2, 9));
  await simulated(world, disk.close());
  // Another program wrote more locators.
  const { locators } = headerOf(world, LEAF);
  const [first] = locators;
  if (!first) throw new Error('a child has a locator');
  patchHeader(world, LEAF, {
    locators: [...locators.slice(0, 3), { ...first, code: 'Wi2k' }, { ...first, code: 'MacX' }],
  });
  t.match(headerOf(world, LEAF), { parentName: 'parent1.vhd' });
  const result = await run(world, (calls) =>
    coalesce(calls, { child: MIDDLE, relink: [LEAF], deleteChild: true }),
  );
  t.match(result, { parent: ROOT, relinked: [LEAF], isStopped: false, isDeleted: true });
  const header = headerOf(world, LEAF);
  t.same(
    header.locators.map(({ code }) => code.replaceAll('\0', '')),
    ['MacX', 'W2ku', 'W2ru', '', '', '', '', ''],
  );
  t.equal(header.parentName, 'parent0.vhd');
  t.same(Buffer.from(header.parentUuid), Buffer.from(endFooterOf(world, ROOT).uuid));
  t.same(await findings(world, LEAF), []);
  t.same(await tags(world, await open(world), 2, 4), [0, 9, 9, 0]);
});

t.test('an image is not deleted where a file cannot be opened that may be its child', async (t) => {
  const world = worldWith([link, link, link]);
  for (const [number, deleted] of [
    [errno.EMFILE, false],
    [errno.EIO, false],
    [errno.ENFILE, false],
    [errno.ENOMEM, false],
    [errno.ENXIO, true],
  ] as const) {
    world.files.put('/d/other.vhd', world.files.contents(LEAF));
    const steps = run(world, (calls) => {
      const opened = calls.files.open.bind(calls.files);
      const openUnlessOther: FileCalls['open'] = (path, flags, done, mode) =>
        path === '/d/other.vhd' ? done(-number) : opened(path, flags, done, mode);
      Object.assign(calls.files, { open: openUnlessOther });
      return coalesce(calls, { child: MIDDLE, relink: [LEAF], deleteChild: true });
    });
    if (deleted) t.match(await steps, { isDeleted: true });
    else await t.rejects(steps, /^\/d\/other.vhd: cannot open: /);
  }
});

t.test('an image is not deleted where its directory cannot be listed', async (t) => {
  for (const [number, problem] of [
    [errno.EILSEQ, 'list a name that is not UTF-8'],
    [errno.EACCES, 'list'],
  ] as const) {
    const world = worldWith([link, link]);
    const steps = run(world, (calls) => {
      calls.files.readdir = (_path, done) => done(-number);
      return coalesce(calls, { child: LEAF, deleteChild: true });
    });
    await t.rejects(steps, { number, message: new RegExp(`^/d: cannot ${problem}: `) });
    t.ok(world.files.contents(LEAF).length > 0);
    t.same(world.files.descriptors(), []);
  }
});

t.test('an image without a parent is no child, whatever its header has kept of one', async (t) => {
  const world = worldWith([link, link]);
  const bytes = imageBytes({ size: 1 << 20, uuid: new Uint8Array(16).fill(1), unixSeconds: 1e9 });
  world.files.put('/d/other.vhd', bytes);
  patchHeader(world, '/d/other.vhd', { parentUuid: endFooterOf(world, LEAF).uuid });
  t.match(await run(world, (calls) => coalesce(calls, { child: LEAF, deleteChild: true })), {
    isDeleted: true,
  });
});

t.test('only a child can be relinked', async (t) => {
  const world = worldWith([link, link]);
  const bytes = imageBytes({ size: 1 << 20, uuid: new Uint8Array(16).fill(1), unixSeconds: 1e9 });
  world.files.put('/d/other.vhd', bytes);
  const steps = run(world, (calls) => coalesce(calls, { child: LEAF, relink: ['/d/other.vhd'] }));
  await t.rejects(steps, /other.vhd: unsupported: disk type: it has no parent/);
  t.same(world.files.contents('/d/other.vhd'), bytes);
  t.same(world.files.descriptors(), []);
});

t.test('room that an earlier header left is used again, also if it is just enough', async (t) => {
  const world = worldWith([link, link]);
  const disk = await open(world);
  await write(world, disk, 3, tagged(2, 9));
  await simulated(world, disk.close());
  const headers: number[] = [];
  const lengths: number[] = [];
  for (let count = 0; count < 6; count++) {
    await run(world, function* (calls) {
      const file = yield* openToRead(calls, ROOT);
      try {
        yield* relink(calls, LEAF, vhdLink(yield* loadImage(file)));
      } finally {
        yield* file.close();
      }
    });
    headers.push(endFooterOf(world, LEAF).dataOffset);
    lengths.push(world.files.contents(LEAF).length);
    t.same(await findings(world, LEAF), []);
  }
  t.same(headers.slice(4), headers.slice(2, 4));
  t.same(lengths.slice(1), Array(5).fill(lengths[1]));
  t.same(await tags(world, await open(world), 2, 4), [0, 9, 9, 0]);
});
