// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { convert, type ConvertOptions } from '../../../../../src/disks/drivers/vhd/tools/convert.js';
import { createImage } from '../../../../../src/disks/drivers/vhd/tools/create.js';
import { SECTOR_SIZE } from '../../../../../src/disks/index.js';
import { NOTHING_SURVIVES } from '../../../../../src/testing/index.js';
import { errno } from '../../../../../src/posix/errno.js';
import type { FileRange, ReadHoles } from '../../../../../src/posix/file-holes.js';
import { FileWorld } from '../../../../testing/files/fixture.js';
import { LEAF, open, tags, worldWith, write } from '../order-world.js';
import { simulated, tagged } from '../sim-disk.js';
import {
  cutShort,
  endFooterOf,
  findings,
  headerOf,
  PARENT,
  patch,
  run,
  withRawParent,
} from './tool-world.js';

const made = { uuid: new Uint8Array(16).fill(5), unixSeconds: 1e9 };
const RAW = '/d/disk.raw';
const TARGET = '/d/new';
/** More than is read at once. */
const SECTORS = 4096 + 100;

/** A raw file with data at its ends, at the border of what is read at once, and in single sectors. */
function rawWorld(extraBytes = 0): { world: FileWorld; raw: Buffer } {
  const world = new FileWorld({ seed: 1, traceLines: 0 });
  const raw = Buffer.alloc(SECTORS * SECTOR_SIZE + extraBytes);
  for (const [sector, sectors] of [
    [0, 1],
    [9, 3],
    [24, 8],
    [4090, 12],
    [SECTORS - 1, 1],
  ] as const)
    raw.fill(sector % 251 || 1, sector * SECTOR_SIZE, (sector + sectors) * SECTOR_SIZE);
  world.files.put(RAW, raw);
  return { world, raw };
}

const into = (world: FileWorld, options: Partial<ConvertOptions>) =>
  run(world, (calls) =>
    convert(calls, {
      source: RAW,
      sourceFormat: 'raw',
      target: TARGET,
      targetFormat: 'vhd',
      ...made,
      ...options,
    }),
  );

t.test('a raw file becomes a VHD of the same disk, and that a raw file again', async (t) => {
  for (const targetFormat of ['vhd', 'vhd-fixed', 'raw'] as const) {
    const { world, raw } = rawWorld();
    const progress: string[] = [];
    const onProgress = (done: number, total: number): void => void progress.push(`${done}/${total}`);
    const result = await into(world, { targetFormat, onProgress });
    // Pieces of eight sectors, but for the last, which ends with the disk.
    t.same(result, { size: SECTORS * SECTOR_SIZE, writtenBytes: (8 + 8 + 8 + 8 + 8 + 4) * SECTOR_SIZE });
    t.same(progress, [`4096/${SECTORS}`, `${SECTORS}/${SECTORS}`], targetFormat);
    const sourceFormat = targetFormat === 'raw' ? 'raw' : 'vhd';
    if (sourceFormat === 'vhd') {
      t.same(await findings(world, TARGET, { bitmaps: true }), []);
      t.equal(endFooterOf(world, TARGET).type, targetFormat === 'vhd' ? 3 : 2);
    }
    const back = await into(world, { source: TARGET, sourceFormat, target: '/d/back', targetFormat: 'raw' });
    t.match(back, { size: SECTORS * SECTOR_SIZE });
    world.files.losePower();
    t.ok(raw.subarray(0, SECTORS * SECTOR_SIZE).equals(world.files.contents('/d/back')), targetFormat);
    t.same(world.files.descriptors(), []);
  }
});

t.test('progress is shown every 64 MiB where there is nothing to copy', async (t) => {
  const world = worldWith([{ sectors: 300_000, blockSectors: 4096 }]);
  const progress: number[] = [];
  await into(world, { source: LEAF, sourceFormat: 'vhd', onProgress: (done) => progress.push(done) });
  t.same(progress, [131_072, 262_144, 300_000]);
});

t.test('the sector that a raw file’s end cuts is converted too', async (t) => {
  const { world, raw } = rawWorld(100);
  raw.fill(7, SECTORS * SECTOR_SIZE);
  world.files.put(RAW, raw);
  const size = (SECTORS + 1) * SECTOR_SIZE;
  t.match(await into(world, {}), { size });
  await into(world, { source: TARGET, sourceFormat: 'vhd', target: '/d/back', targetFormat: 'raw' });
  t.ok(Buffer.concat([raw, Buffer.alloc(412)]).equals(world.files.contents('/d/back')));
});

t.test('a raw file that is cut short while it is converted is no disk of zeroes', async (t) => {
  for (const length of [0, 100 * SECTOR_SIZE, SECTORS * SECTOR_SIZE - 1]) {
    const { world } = rawWorld();
    const options = {
      source: RAW,
      sourceFormat: 'raw',
      target: TARGET,
      targetFormat: 'vhd',
      ...made,
    } as const;
    const steps = run(world, (calls) => convert(cutShort(calls, length, 8 * SECTOR_SIZE), options));
    await t.rejects(steps, { number: errno.EIO, message: /disk.raw: cannot read .* it ends before/ });
    t.throws(() => world.files.contents(TARGET), 'nothing is left of the copy');
    t.same(world.files.descriptors(), []);
  }
});

t.test('the holes of a raw file are not read, to the sector', async (t) => {
  const { world, raw } = rawWorld();
  raw.fill(0, 0, 100 * SECTOR_SIZE);
  raw.fill(7, 100 * SECTOR_SIZE - 8);
  raw.fill(0, 110 * SECTOR_SIZE + 8);
  world.files.put(RAW, raw);
  const reads: [from: number, to: number][] = [];
  const convertWith = (target: string, readHoles: ReadHoles): Promise<unknown> =>
    run(world, (calls) => {
      const read = calls.files.read.bind(calls.files);
      const seen: typeof read = (fd, buffer, position, done) => {
        if (buffer.length >= SECTOR_SIZE)
          reads.push([position / SECTOR_SIZE, (position + buffer.length) / SECTOR_SIZE]);
        read(fd, buffer, position, done);
      };
      Object.assign(calls.files, { read: seen });
      return convert(calls, {
        source: RAW,
        sourceFormat: 'raw',
        target,
        targetFormat: 'raw',
        ...made,
        readHoles,
      });
    });
  const holes = [
    { start: 0, end: 100 * SECTOR_SIZE - 8 },
    { start: 110 * SECTOR_SIZE + 8, end: Number.POSITIVE_INFINITY },
  ];
  await convertWith('/d/known', (_fd, _othersWrite, done) => done(holes));
  t.same(reads.splice(0), [[99, 111]]);
  t.ok(raw.equals(world.files.contents('/d/known')));
  await convertWith('/d/unknown', (_fd, _othersWrite, done) => done('not known'));
  t.same(reads, [
    [0, 4096],
    [4096, SECTORS],
  ]);
  t.ok(raw.equals(world.files.contents('/d/unknown')));
});

/** What a VHD is converted to, and how much of it was read. */
async function convertedAround(
  world: FileWorld,
  source: string,
  holes: readonly FileRange[],
): Promise<{ bytes: Uint8Array; readSectors: number }> {
  let readSectors = 0;
  await run(world, (calls) => {
    const read = calls.files.read.bind(calls.files);
    const seen: typeof read = (fd, buffer, position, done) => {
      readSectors += buffer.length / SECTOR_SIZE;
      read(fd, buffer, position, done);
    };
    Object.assign(calls.files, { read: seen });
    return convert(calls, {
      source,
      sourceFormat: 'vhd',
      target: TARGET,
      targetFormat: 'raw',
      ...made,
      readHoles: (_fd, _others, done) => done(holes),
    });
  });
  return { bytes: world.files.contents(TARGET), readSectors };
}

t.test('nor are those of a fixed image', async (t) => {
  const { world, raw } = rawWorld();
  raw.fill(0, 100 * SECTOR_SIZE, 4090 * SECTOR_SIZE);
  world.files.put(RAW, raw);
  await into(world, { target: '/d/fixed', targetFormat: 'vhd-fixed' });
  const holes = [{ start: 100 * SECTOR_SIZE, end: 4090 * SECTOR_SIZE }];
  const { bytes, readSectors } = await convertedAround(world, '/d/fixed', holes);
  t.ok(raw.equals(bytes));
  t.ok(readSectors < 300, `${readSectors} sectors`);
});

/** A child with data in sectors 200 to 207 over a raw file with data in its first sector and its last one. */
async function childOfRaw(): Promise<FileWorld> {
  const shape = { sectors: 1024, blockSectors: 16 };
  const world = worldWith([shape, shape]);
  withRawParent(world, 1024);
  patch(world, PARENT, (bytes) => bytes.fill(5, 0, SECTOR_SIZE).fill(5, 1023 * SECTOR_SIZE));
  const disk = await open(world);
  await write(world, disk, 200, tagged(8, 9));
  await simulated(world, disk.close());
  return world;
}

t.test('nor are those of a raw parent', async (t) => {
  const world = await childOfRaw();
  const expected = Buffer.from(world.files.contents(PARENT));
  expected.set(tagged(8, 9), 200 * SECTOR_SIZE);
  const holes = [{ start: SECTOR_SIZE, end: 1023 * SECTOR_SIZE }];
  const { bytes, readSectors } = await convertedAround(world, LEAF, holes);
  t.ok(expected.equals(bytes));
  t.ok(readSectors < 200, `${readSectors} sectors`);
});

t.test('a raw parent whose hole at the end is cut off meanwhile is no disk of zeroes', async (t) => {
  const world = await childOfRaw();
  const other = await world.open(PARENT);
  const steps = run(world, (calls) =>
    convert(calls, {
      source: LEAF,
      sourceFormat: 'vhd',
      target: TARGET,
      targetFormat: 'raw',
      ...made,
      readHoles: (_fd, _others, done) =>
        world.calls.ftruncate(other, SECTOR_SIZE, () =>
          done([{ start: SECTOR_SIZE, end: Number.POSITIVE_INFINITY }]),
        ),
    }),
  );
  await t.rejects(steps, { number: errno.EIO, message: /parent0.vhd: cannot read it .* it ends before/ });
  t.equal(world.text(TARGET), undefined);
});

t.test('a raw file whose hole at the end is cut off meanwhile is no disk of zeroes', async (t) => {
  const { world } = rawWorld();
  const other = await world.open(RAW);
  const all: ReadHoles = (_fd, _othersWrite, done) =>
    world.calls.ftruncate(other, SECTOR_SIZE, () => done([{ start: 0, end: Number.POSITIVE_INFINITY }]));
  const options = { source: RAW, sourceFormat: 'raw', target: TARGET, targetFormat: 'vhd', ...made } as const;
  const steps = run(world, (calls) => convert(calls, { ...options, readHoles: all }));
  await t.rejects(steps, { number: errno.EIO, message: /disk.raw: cannot read it .* it ends before/ });
  t.throws(() => world.files.contents(TARGET), 'nothing is left of the copy');
});

t.test('a copy that could not be closed is gone', async (t) => {
  for (const targetFormat of ['raw', 'vhd'] as const) {
    let failed = 0;
    for (let nth = 1; ; nth++) {
      const { world } = rawWorld();
      const fault = world.files.failCalls({ calls: ['close'], nth, error: errno.EIO });
      const converted = await into(world, { targetFormat }).catch((error: unknown) => error);
      if (fault.failed === 0) break;
      failed += 1;
      t.match(converted, { number: errno.EIO }, `close ${nth} for ${targetFormat}`);
      t.same(world.files.descriptors(), []);
      t.equal(world.text(TARGET), undefined, `close ${nth} for ${targetFormat}`);
    }
    t.ok(failed >= 3, `${failed} closes`);
  }
});

t.test('a chain becomes one image', async (t) => {
  const link = { sectors: 64, blockSectors: 16 };
  const world = worldWith([link, link]);
  for (const [path, sector, tag] of [
    ['/d/parent0.vhd', 0, 7],
    [LEAF, 1, 8],
  ] as const) {
    const disk = await open(world, path);
    await write(world, disk, sector, tagged(2, tag));
    await simulated(world, disk.close());
  }
  const result = await into(world, { source: LEAF, sourceFormat: 'vhd' });
  t.same(result, { size: 64 * SECTOR_SIZE, writtenBytes: 3 * SECTOR_SIZE });
  t.same(await tags(world, await open(world, TARGET, true), 0, 4), [7, 8, 8, 0]);
  t.equal(endFooterOf(world, TARGET).type, 3);
});

t.test('one that stops or fails leaves no file', async (t) => {
  // Writes until the first of data.
  for (const [targetFormat, nth] of [
    ['vhd', 7],
    ['vhd-fixed', 2],
    ['raw', 1],
  ] as const) {
    const { world } = rawWorld();
    let left = 1;
    const stopped = await into(world, { targetFormat, shouldStop: () => left-- <= 0 });
    t.equal(stopped, undefined);
    t.equal(world.text(TARGET), undefined, targetFormat);
    world.files.failCalls({ calls: ['write'], nth, error: errno.ENOSPC });
    await t.rejects(into(world, { targetFormat }), /new: cannot write: No space left on device/);
    t.equal(world.text(TARGET), undefined);
    t.same(world.files.descriptors(), []);
  }
});

t.test('nothing is written over', async (t) => {
  const { world } = rawWorld();
  world.files.put(TARGET, Buffer.from('mine'));
  for (const targetFormat of ['vhd', 'vhd-fixed', 'raw'] as const)
    await t.rejects(into(world, { targetFormat }), /new: cannot create: File exists/);
  t.equal(world.text(TARGET), 'mine');
});

t.test('an image has the size, the blocks and the room to grow that were asked for', async (t) => {
  const world = new FileWorld({ seed: 1, traceLines: 0 });
  world.files.put('/d/dummy', new Uint8Array(0));
  const create = (path: string, options: object): Promise<void> =>
    run(world, (calls) => createImage(calls, { path, size: 10 << 20, ...made, ...options }));
  await create('/d/plain', {});
  // The footer, the header, and a BAT, a batmap and its map of a sector each.
  t.equal(world.files.contents('/d/plain').length, 7 * SECTOR_SIZE);
  t.match(headerOf(world, '/d/plain'), { entries: 5, blockBytes: 2 << 20, tableOffset: 1536 });
  await create('/d/small', { blockBytes: 512 << 10 });
  t.match(headerOf(world, '/d/small'), { entries: 20, blockBytes: 512 << 10 });
  await create('/d/roomy', { maxSize: 1 << 30 });
  t.match(headerOf(world, '/d/roomy'), { entries: 512 });
  await create('/d/no-room', { maxSize: 1 << 20 });
  t.match(headerOf(world, '/d/no-room'), { entries: 5 });
  await create('/d/fixed', { isFixed: true });
  t.equal(world.files.contents('/d/fixed').length, (10 << 20) + SECTOR_SIZE);
  for (const name of ['plain', 'small', 'roomy', 'no-room', 'fixed']) {
    t.equal(endFooterOf(world, `/d/${name}`).currentSize, 10 << 20);
    t.same(await findings(world, `/d/${name}`), [], name);
  }
  for (const size of [0, -512, 513]) await t.rejects(create('/d/x', { size }), /expected whole sectors/);
});

t.test('a new image and its name are durable', async (t) => {
  const world = new FileWorld({ seed: 1, traceLines: 0 });
  world.files.put('/d/dummy', new Uint8Array(0));
  for (const isFixed of [false, true]) {
    const path = `/d/new-${isFixed}`;
    await run(world, (calls) => createImage(calls, { path, size: 1 << 20, isFixed, ...made }));
    world.files.losePower(NOTHING_SURVIVES);
    t.same(await findings(world, path), []);
    t.equal(endFooterOf(world, path).currentSize, 1 << 20);
  }
});

t.test('a long BAT is all ones to its last entry, and zeroes after it', async (t) => {
  const world = new FileWorld({ seed: 1, traceLines: 0 });
  world.files.put('/d/dummy', new Uint8Array(0));
  const entries = (1 << 18) + 5;
  await run(world, (calls) =>
    createImage(calls, { path: '/d/long', size: entries * 512, blockBytes: 512, ...made }),
  );
  const table = world.files.contents('/d/long').subarray(1536, 1536 + (1 << 20) + 512);
  t.ok(table.subarray(0, entries * 4).every((byte) => byte === 0xff));
  t.ok(table.subarray(entries * 4).every((byte) => byte === 0));
  t.same(await findings(world, '/d/long'), []);
});

t.test('a file that could not be filled, synced or closed is gone', async (t) => {
  for (const [call, nth] of [
    ['write', 1],
    ['fsync', 1],
    // It is opened twice.
    ['close', 1],
    ['close', 2],
  ] as const) {
    const world = new FileWorld({ seed: 1, traceLines: 0 });
    world.files.put('/d/dummy', new Uint8Array(0));
    world.files.failCalls({ calls: [call], nth, error: errno.EIO });
    await t.rejects(
      run(world, (calls) => createImage(calls, { path: '/d/x', size: 1 << 20, ...made })),
      /x: cannot (write|sync|close)/,
    );
    t.equal(world.text('/d/x'), undefined, call);
    t.same(world.files.descriptors(), []);
  }
});

t.test(
  'a new name that cannot be made durable is an error, unless a directory has nothing to sync',
  async (t) => {
    for (const [result, isError] of [
      [-errno.EIO, true],
      [-errno.EINVAL, false],
    ] as const) {
      const world = new FileWorld({ seed: 1, traceLines: 0 });
      world.files.put('/d/dummy', new Uint8Array(0));
      const creating = run(world, (calls) => {
        calls.files.syncDirectory = (_path, done) => done(result);
        return createImage(calls, { path: '/d/x', size: 1 << 20, ...made });
      });
      if (isError) await t.rejects(creating, { message: '/d: cannot sync: Input/output error' });
      else await creating;
      t.equal(world.text('/d/x') === undefined, isError, 'one that may be lost is not left');
      t.same(world.files.descriptors(), []);
    }
  },
);
