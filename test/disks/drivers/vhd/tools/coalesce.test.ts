// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { coalesce } from '../../../../../src/disks/drivers/vhd/tools/coalesce.js';
import { emptyLocator } from '../../../../../src/disks/drivers/vhd/locator.js';
import { snapshot } from '../../../../../src/disks/drivers/vhd/tools/snapshot.js';
import { SECTOR_SIZE } from '../../../../../src/disks/index.js';
import { errno } from '../../../../../src/posix/errno.js';
import type { FileWorld } from '../../../../testing/files/fixture.js';
import { LEAF, open, tags, worldWith, write } from '../order-world.js';
import { openSimulated, simulated, simulatedResult, tagged } from '../sim-disk.js';
import {
  withRawParent,
  cutShort,
  endFooterOf,
  findings,
  headerOf,
  patch,
  patchFooters,
  patchHeader,
  run,
} from './tool-world.js';

const link = { sectors: 64, blockSectors: 16 };
const PARENT = '/d/parent0.vhd';
const made = { uuid: new Uint8Array(16).fill(5), unixSeconds: 1e9 };

/** Makes the parent of the leaf a raw file of zeroes. */
async function written(world: FileWorld, path: string, sector: number, bytes: Uint8Array): Promise<void> {
  const disk = await open(world, path);
  t.equal(await write(world, disk, sector, bytes), 0);
  await simulated(world, disk.close());
}

t.test('a child goes into a raw parent, which is synced', async (t) => {
  const world = worldWith([link, link]);
  withRawParent(world, 64);
  await written(world, LEAF, 15, tagged(3, 7));
  const progress: string[] = [];
  const onProgress = (done: number, total: number): void => void progress.push(`${done}/${total}`);
  const result = await run(world, (calls) => coalesce(calls, { child: LEAF, onProgress }));
  t.same(result, { child: LEAF, parent: PARENT, relinked: [], isStopped: false, isDeleted: false });
  t.same(progress, ['1/2', '2/2']);
  world.files.losePower();
  const raw = Buffer.from(world.files.contents(PARENT));
  t.same(
    [14, 15, 16, 17, 18].map((sector) => raw.readUInt32LE(sector * SECTOR_SIZE)),
    [0, 7, 7, 7, 0],
  );
  t.equal(raw.length, 64 * SECTOR_SIZE);
});

t.test(
  'a child whose file is cut is refused, and no zeroes take the place of the parent’s data',
  async (t) => {
    const world = worldWith([link, link]);
    await written(world, PARENT, 0, tagged(64, 3));
    await written(world, LEAF, 0, tagged(64, 7));
    const whole = world.files.contents(LEAF);
    world.files.put(LEAF, whole.subarray(0, whole.length - 10 * SECTOR_SIZE));
    const before = world.files.contents(PARENT);
    await t.rejects(
      run(world, (calls) => coalesce(calls, { child: LEAF, deleteChild: true })),
      /truncated: BAT entry 3: the file ends inside of the block/,
    );
    t.ok(Buffer.from(world.files.contents(PARENT)).equals(before));
    t.same(world.files.contents(LEAF).length, whole.length - 10 * SECTOR_SIZE);
  },
);

t.test('a child whose file is cut short meanwhile is not coalesced with zeroes', async (t) => {
  const world = worldWith([link, link]);
  await written(world, PARENT, 0, tagged(64, 3));
  await written(world, LEAF, 48, tagged(16, 7));
  const options = { child: LEAF, deleteChild: true };
  const steps = run(world, (calls) => {
    const end = world.files.contents(LEAF).length - 2 * SECTOR_SIZE;
    return coalesce(cutShort(calls, end, 16 * SECTOR_SIZE), options);
  });
  await t.rejects(steps, { number: errno.EIO, message: /cannot read 8192 bytes at .*, as it ends before/ });
  t.same(await tags(world, await open(world, PARENT, true), 46, 4), [3, 3, 3, 3]);
});

t.test('the sector that a raw parent’s end cuts is read, and zeroes after it', async (t) => {
  const world = worldWith([link, link]);
  withRawParent(world, 64);
  const raw = Buffer.alloc(63 * SECTOR_SIZE + 100, 7);
  world.files.put(PARENT, raw);
  const disk = await open(world, LEAF, true);
  const buffer = new Uint8Array(2 * SECTOR_SIZE).fill(0xee);
  const read = { sector: 62, sectors: 2, buffer };
  t.equal(await simulatedResult(world, (done) => disk.read({ ...read, complete: done }, done)), 0);
  t.same(Buffer.from(buffer), Buffer.concat([raw.subarray(62 * SECTOR_SIZE), Buffer.alloc(412)]));
});

t.test('a raw parent that is too small is not written to', async (t) => {
  const world = worldWith([link, link]);
  withRawParent(world, 63);
  await written(world, LEAF, 15, tagged(3, 7));
  await t.rejects(
    run(world, (calls) => coalesce(calls, { child: LEAF })),
    /unsupported: file length: the raw file has 63 sectors, but the child 64; .*\(truncate -s 32768\)/,
  );
  t.ok(world.files.contents(PARENT).every((byte) => byte === 0));
  t.same(world.files.descriptors(), []);
});

t.test('a parent grows to the size of the child, and no further', async (t) => {
  for (const [sectors, expected] of [
    [40, 64],
    [64, 64],
    [80, 80],
  ] as const) {
    const world = worldWith([{ ...link, sectors }, link]);
    await written(world, LEAF, 62, tagged(2, 7));
    await run(world, (calls) => coalesce(calls, { child: LEAF }));
    const parent = await open(world, PARENT, true);
    t.equal(parent.sectors, expected);
    t.same(await tags(world, parent, 61, 3), [0, 7, 7]);
  }
});

t.test('what the child has after the end of its disk stays there', async (t) => {
  const world = worldWith([link, link]);
  await written(world, LEAF, 16, tagged(48, 7));
  patchFooters(world, LEAF, (fields) => fields.setBigUint64(48, BigInt(20 * SECTOR_SIZE)));
  await run(world, (calls) => coalesce(calls, { child: LEAF }));
  t.same(await tags(world, await open(world, PARENT, true), 18, 4), [7, 7, 0, 0]);
});

t.test('a block of which the disk has a sector is copied, no later one', async (t) => {
  for (const [sectors, copied] of [
    [31, 1],
    [32, 1],
    [33, 2],
  ] as const) {
    const world = worldWith([link, link]);
    await written(world, LEAF, 16, tagged(48, 7));
    patchFooters(world, LEAF, (fields) => fields.setBigUint64(48, BigInt(sectors * SECTOR_SIZE)));
    let blocks = 0;
    await run(world, (calls) => coalesce(calls, { child: LEAF, onProgress: (done) => (blocks = done) }));
    t.equal(blocks, copied, `${sectors} sectors`);
  }
});

t.test('a child that is relinked to a raw file has it as its parent, with a uuid of zeroes', async (t) => {
  const world = worldWith([link, link, link]);
  const middle = '/d/parent1.vhd';
  world.files.put(PARENT, new Uint8Array(64 * SECTOR_SIZE));
  patchHeader(world, middle, { parentUuid: new Uint8Array(16) });
  await written(world, middle, 2, tagged(1, 7));
  await run(world, (calls) => coalesce(calls, { child: middle, relink: [LEAF], deleteChild: true }));
  t.same(headerOf(world, LEAF).parentUuid, new Uint8Array(16));
  t.same(await tags(world, await open(world, LEAF, true), 1, 3), [0, 7, 0]);
  t.same(await findings(world, LEAF), []);
});

t.test('an image without a parent cannot be coalesced', async (t) => {
  const world = worldWith([link]);
  await t.rejects(
    run(world, (calls) => coalesce(calls, { child: LEAF, deleteChild: true })),
    /unsupported: disk type: it has no parent to coalesce into; coalesce only differencing images/,
  );
  t.same(world.files.descriptors(), []);
});

t.test('a child is kept while another image has it as its parent, unless that is relinked', async (t) => {
  const world = worldWith([link, link, link]);
  const middle = '/d/parent1.vhd';
  world.files.put('/d/notes.txt', Buffer.from('no image'));
  world.files.put('/d/broken.vhd', world.files.contents(LEAF).slice(0, 600));
  await t.rejects(
    run(world, (calls) => coalesce(calls, { child: middle, deleteChild: true })),
    /leaf.vhd: parent-missing: parent locators: its parent '\/d\/parent1.vhd' is to be deleted; name it with --relink/,
  );
  const result = await run(world, (calls) =>
    coalesce(calls, { child: middle, deleteChild: true, relink: ['/d/./leaf.vhd'] }),
  );
  t.match(result, { isDeleted: true, relinked: ['/d/./leaf.vhd'] });
  t.equal(world.text(middle), undefined);
  t.same(await findings(world, LEAF), []);
});

t.test('a parent that cannot be written to leaves the child as it is, and nothing open', async (t) => {
  for (const isRaw of [false, true]) {
    const world = worldWith([link, link]);
    if (isRaw) withRawParent(world, 64);
    await written(world, LEAF, 15, tagged(3, 7));
    const before = world.files.contents(LEAF).slice();
    world.files.failCalls({ calls: ['write'], times: Number.POSITIVE_INFINITY, error: errno.ENOSPC });
    await t.rejects(
      run(world, (calls) => coalesce(calls, { child: LEAF, deleteChild: true })),
      /parent0.vhd: cannot write: No space left on device/,
    );
    t.same(world.files.contents(LEAF), before);
    t.same(world.files.descriptors(), []);
  }
});

t.test(
  'a snapshot goes on from the nearest image that has something, with the size of its parent',
  async (t) => {
    const world = worldWith([link, link, { ...link, sectors: 80 }]);
    await written(world, '/d/parent0.vhd', 0, tagged(1, 7));
    const take = (child: string, keepEmpty?: boolean) =>
      run(world, (calls) =>
        snapshot(calls, { parent: LEAF, child, ...made, ...(keepEmpty === undefined ? {} : { keepEmpty }) }),
      );
    t.same(await take('/d/a.vhd'), { child: '/d/a.vhd', parent: PARENT, size: 80 * SECTOR_SIZE, depth: 2 });
    t.same(await take('/d/b.vhd', true), {
      child: '/d/b.vhd',
      parent: LEAF,
      size: 80 * SECTOR_SIZE,
      depth: 4,
    });
    await written(world, '/d/parent1.vhd', 1, tagged(1, 8));
    t.match(await take('/d/c.vhd'), { parent: '/d/parent1.vhd', depth: 3 });
    await written(world, LEAF, 2, tagged(1, 9));
    t.match(await take('/d/e.vhd'), { parent: LEAF, depth: 4 });
    t.same(await tags(world, await open(world, '/d/e.vhd', true), 0, 4), [7, 8, 9, 0]);
    t.match(headerOf(world, '/d/e.vhd'), { parentName: 'leaf.vhd' });
    t.match(endFooterOf(world, '/d/e.vhd'), { type: 4, currentSize: 80 * SECTOR_SIZE });
    t.same(Buffer.from(endFooterOf(world, '/d/e.vhd').uuid), Buffer.from(made.uuid));
    await t.rejects(take('/d/e.vhd'), /e.vhd: cannot create: File exists/);
  },
);

t.test('a snapshot of the root of a chain has it as its parent, also if it is empty', async (t) => {
  const world = worldWith([link]);
  const result = await run(world, (calls) => snapshot(calls, { parent: LEAF, child: '/d/a.vhd', ...made }));
  t.match(result, { parent: LEAF, depth: 2 });
  const disk = await openSimulated(world, '/d/a.vhd', { readOnly: true });
  t.same(await tags(world, disk, 0, 2), [0, 0]);
});

t.test('an image whose file is cut is good enough for a snapshot, which only reads it', async (t) => {
  const world = worldWith([link]);
  await written(world, LEAF, 0, tagged(64, 7));
  world.files.put(LEAF, world.files.contents(LEAF).slice(0, -3 * SECTOR_SIZE));
  await run(world, (calls) => snapshot(calls, { parent: LEAF, child: '/d/a.vhd', ...made }));
  t.same(await tags(world, await open(world, '/d/a.vhd', true), 0, 2), [7, 7]);
});

t.test('a snapshot of an empty child of a raw file has the file as its parent', async (t) => {
  const world = worldWith([link, link]);
  withRawParent(world, 64);
  const take = (keepEmpty: boolean, child: string) =>
    run(world, (calls) => snapshot(calls, { parent: LEAF, child, keepEmpty, ...made }));
  t.match(await take(false, '/d/a.vhd'), { parent: PARENT, depth: 2 });
  t.match(await take(true, '/d/b.vhd'), { parent: LEAF, depth: 3 });
  t.match(headerOf(world, '/d/a.vhd'), { parentName: 'parent0.vhd', parentUuid: new Uint8Array(16) });
});

t.test(
  'a snapshot has the way to its parent from its own directory, and when that was changed',
  async (t) => {
    const world = worldWith([link]);
    world.files.put('/x/y/other', new Uint8Array(0));
    await written(world, LEAF, 2, tagged(1, 7));
    const textOf = (child: string): string => {
      const [{ offset, dataLength } = emptyLocator] = headerOf(world, child).locators;
      return Buffer.from(world.files.contents(child).subarray(offset, offset + dataLength)).toString();
    };
    for (const [child, text] of [
      ['/x/y/a.vhd', 'file://../../d/leaf.vhd'],
      ['/a.vhd', 'file://./d/leaf.vhd'],
      ['/d/a.vhd', 'file://./leaf.vhd'],
    ] as const) {
      await run(world, (calls) => {
        const fstat = calls.files.fstat.bind(calls.files);
        calls.files.fstat = (fd, done) =>
          fstat(fd, (result, status) =>
            done(result, status && { ...status, modifiedSeconds: 946_684_800 + 77 }),
          );
        return snapshot(calls, { parent: LEAF, child, ...made });
      });
      t.equal(textOf(child), text);
      t.equal(Buffer.from(headerOf(world, child).bytes).readUInt32BE(56), 77, 'seconds since 2000');
      t.same(await tags(world, await open(world, child, true), 1, 3), [0, 7, 0]);
    }
  },
);

t.test('of a chain that cannot be opened nothing stays open', async (t) => {
  for (const broken of [LEAF, PARENT]) {
    const world = worldWith([link, link]);
    patch(world, broken, (bytes) => bytes.fill(0));
    await t.rejects(
      run(world, (calls) => coalesce(calls, { child: LEAF })),
      /bad-footer: footer: at the end/,
    );
    await t.rejects(
      run(world, (calls) => snapshot(calls, { parent: LEAF, child: '/d/a.vhd', ...made })),
      /bad-footer: footer: at the end/,
    );
    t.same(world.files.descriptors(), []);
  }
});
