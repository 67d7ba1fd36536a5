// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFileSync } from 'node:child_process';
import { constants, linkSync, statSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { errno } from '../../../../src/posix/errno.js';
import type { FileCalls, StatusDone } from '../../../../src/posix/files.js';
import { nullLogger } from '../../../../src/server/logger.js';
import { type BlockStatusExtent, ESHUTDOWN, type Vbd } from '../../../../src/disks/index.js';
import type { DiskCalls } from '../../../../src/disks/drivers/vhd/disk.js';
import { VhdDriver } from '../../../../src/disks/drivers/index.js';
import { promiseOf } from '../../../../src/disks/drivers/vhd/steps.js';
import { createImage } from '../../../../src/disks/drivers/vhd/tools/create.js';
import { snapshot } from '../../../../src/disks/drivers/vhd/tools/snapshot.js';
import { diskWorld, pattern, readSectors, told, writeSectors } from '../disk-world.js';
import { nodeCalls, resultOf } from './fixture.js';
import { sampleNamed, unpack } from './samples.js';

const calls = nodeCalls();
const made = { uuid: new Uint8Array(16).fill(3), unixSeconds: 1e9 };
const create = (file: string, size: number): Promise<void> =>
  promiseOf(createImage(calls, { path: file, size, ...made }));

/** What of a VBD is asked for by requests in these tests. */
const flush = (vbd: Vbd): Promise<number> => told((done) => vbd.flush(done));

t.test('a disk of vhd: is read, written, flushed, paused and resumed', async (t) => {
  const world = diskWorld(t);
  const file = world.path('a.vhd');
  await create(file, 64 << 20);
  const vbd = await world.open(`vhd:${file}`);
  t.equal(vbd.info.sectors, (64 << 20) / 512);
  const bytes = pattern(5000, 1);
  t.equal(await writeSectors(vbd, 4000, bytes), 0);
  t.equal(await flush(vbd), 0);
  await vbd.pause();
  await vbd.resume(undefined);
  t.ok((await readSectors(vbd, 4000, 5000)).equals(bytes));
  t.equal(await told((done) => vbd.writeZeroes(4000, 5000, done)), 0);
  t.ok((await readSectors(vbd, 4000, 5000)).equals(Buffer.alloc(5000 * 512)));
  t.equal(await told((done) => vbd.discard(0, 20_000, done)), 0);
  t.match(vbd.describe(), / \[vhd .*a.vhd 131072 sectors, 3 of 32 blocks allocated\]$/);
});

t.test('zeroes end once nobody needs them any more, and that is no failure', async (t) => {
  const world = diskWorld(t);
  const parent = world.path('parent.vhd');
  const child = world.path('child.vhd');
  const fixed = world.path('fixed.vhd');
  await create(parent, 64 << 20);
  await promiseOf(snapshot(calls, { parent, child, ...made, uuid: new Uint8Array(16).fill(4) }));
  await promiseOf(createImage(calls, { path: fixed, size: 4 << 20, isFixed: true, ...made }));
  for (const [file, asked] of [
    [child, 20],
    [fixed, 1],
  ] as const) {
    const vbd = await world.open(`vhd:${file}`);
    t.equal(await writeSectors(vbd, vbd.info.sectors - 1, pattern(1, 1)), 0);
    let left = asked;
    const options = { noHole: true, isNeeded: () => left-- > 0 };
    t.equal(await told((done) => vbd.writeZeroes(0, vbd.info.sectors, done, options)), -ESHUTDOWN, file);
    t.same(await readSectors(vbd, vbd.info.sectors - 1, 1), pattern(1, 1), 'the rest is left alone');
    if (file === child) t.match(vbd.describe(), / 21 of 32 blocks allocated, 2 images deep\]$/);
    await vbd.close();
  }
  t.same(
    world.lines.filter((line) => line.includes('cannot write')),
    [],
  );
});

t.test('a second writer is refused, but not a reader', async (t) => {
  const world = diskWorld(t);
  const file = world.path('a.vhd');
  await create(file, 4 << 20);
  await world.open(`vhd:${file}`);
  t.equal(await world.tryOpen(`vhd:${file}`), -errno.EBUSY);
  t.match(world.lines.join('\n'), /a.vhd: cannot lock: /);
  const reader = await world.open(`vhd:${file}`, { readOnly: true });
  t.equal(await writeSectors(reader, 0, pattern(1, 1)), -errno.EROFS);
});

t.test('faults of a name or an image are reported', async (t) => {
  const world = diskWorld(t);
  const file = world.path('a.vhd');
  await create(file, 4 << 20);
  const cases: [name: string, flags: object, code: number, line: RegExp][] = [
    ['vhd:', {}, errno.EINVAL, /the name has no path: expected vhd:\/path or /],
    [`vhd:[answer=late]${file}`, {}, errno.EINVAL, /unknown option 'answer=late'/],
    [`vhd:[answer=early${file}`, {}, errno.EINVAL, /has no ']' after its options/],
    [`vhd:${file}`, { shared: true }, errno.EINVAL, /an image has one writer/],
    [`vhd:${world.path('none.vhd')}`, {}, errno.ENOENT, /none.vhd: cannot open: No such file or directory/],
    [`vhd:${world.directory}`, {}, errno.EINVAL, /neither a regular file nor a block device/],
    [
      `vhd:${unpack(sampleNamed('header-cookie'), world.directory)}`,
      {},
      errno.EINVAL,
      /bad-header: header cookie: /,
    ],
    [
      `vhd:${unpack(sampleNamed('cyclic-parents'), world.directory)}`,
      {},
      errno.ELOOP,
      /parent-cycle: parent locators: /,
    ],
    [
      `vhd:${unpack(sampleNamed('journal-in-progress'), world.directory)}`,
      {},
      errno.EPERM,
      /disabled: footer cookie: /,
    ],
  ];
  for (const [name, flags, code, line] of cases) {
    t.equal(await world.tryOpen(name, flags), -code, name);
    t.match(world.lines.at(-1), line);
  }
});

t.test('an image that was not closed is opened with a warning', async (t) => {
  const world = diskWorld(t);
  await world.open(`vhd:${unpack(sampleNamed('footer-missing'), world.directory)}`, { readOnly: true });
  t.match(world.lines, [/nofoot.vhd: it was not closed properly: the footer at the end is missing/]);
});

t.test('parents can be confined to directories', async (t) => {
  const world = diskWorld(t);
  const file = unpack(sampleNamed('chain-2'), world.directory);
  t.equal(await world.tryOpen(`vhd:[parents=/nowhere,parents=/usr/lib]${file}`), -errno.ENOENT);
  t.equal(await world.tryOpen(`vhd:[parents=/usr/lib]${file}`), -errno.EACCES);
  t.match(world.lines.at(-1), /parent-refused: parent locators: '.*c2-base.vhd' is not below '\/usr\/lib'/);
  await world.open(`vhd:[parents=/usr/lib,parents=${world.directory}]${file}`);
});

t.test('a chain is reported, with the share of the disk that each image holds', async (t) => {
  const world = diskWorld(t);
  const parent = world.path('parent.vhd');
  const child = world.path('child.vhd');
  await create(parent, 16 << 20);
  const before = await world.open(`vhd:${parent}`);
  await writeSectors(before, 100, pattern(8, 1));
  await before.close();
  await promiseOf(snapshot(calls, { parent, child, ...made, uuid: new Uint8Array(16).fill(4) }));
  const driver = new VhdDriver(child, { ...calls, logger: nullLogger });
  t.equal(await resultOf((done) => driver.open({ readOnly: false, shared: false }, done)), 0);
  const write = { sector: 5000, sectors: 8, buffer: pattern(8, 2) };
  t.equal(await resultOf((complete) => driver.queueWrite({ ...write, complete })), 0);
  const extents = await new Promise<readonly BlockStatusExtent[]>((resolve) => {
    driver.blockStatus({ sector: 50, sectors: 6000 }, (_, found = []) => resolve(found));
  });
  const [hole, data] = [
    { allocated: false, zero: true },
    { allocated: true, zero: false },
  ];
  t.same(extents, [
    { sectors: 50, ...hole },
    { sectors: 8, ...data },
    { sectors: 4892, ...hole },
    { sectors: 8, ...data },
    { sectors: 1042, ...hole },
  ]);
  t.match(driver.chain(), [
    { path: child, sectors: 32_768, blocks: 8, allocatedBlocks: 1 },
    { path: parent, allocatedBlocks: 1 },
  ]);
  const image = await new Promise((resolve) => {
    driver.identify((_, found) => resolve(found));
  });
  t.match(image, { path: child, inode: statSync(child).ino, fileSystem: statSync(child).dev });
  t.equal(await resultOf((done) => driver.close(done)), 0);
  t.same(driver.chain(), []);
});

t.test('a file under two names is one image of a chain', async (t) => {
  const world = diskWorld(t);
  const file = unpack(sampleNamed('cyclic-parents'), world.directory);
  linkSync(file, world.path('other-name.vhd'));
  t.equal(await world.tryOpen(`vhd:${world.path('other-name.vhd')}`), -errno.ELOOP);
});

t.test('a parent that is a FIFO is not opened', async (t) => {
  const world = diskWorld(t);
  const file = unpack(sampleNamed('parent-missing'), world.directory);
  execFileSync('mkfifo', [world.path('mp-base.vhd')]);
  t.equal(await world.tryOpen(`vhd:${file}`), -errno.EACCES);
  t.match(world.lines.at(-1), /mp-base.vhd' is neither a regular file nor a block device/);
});

t.test('one question about blocks looks at 64 MiB', async (t) => {
  const world = diskWorld(t);
  const file = world.path('large.vhd');
  await create(file, 128 << 20);
  const driver = new VhdDriver(file, { ...calls, logger: nullLogger });
  t.throws(() => driver.info(), { message: 'the image is not open' });
  t.equal(await resultOf((done) => driver.open({ readOnly: true, shared: true }, done)), 0);
  for (const [sectors, looked] of [
    [262_144, 131_072],
    [131_073, 131_072],
    [131_072, 131_072],
    [131_071, 131_071],
  ] as const) {
    const answered = await new Promise((resolve) => {
      driver.blockStatus({ sector: 0, sectors }, (...answer) => resolve(answer));
    });
    t.same(answered, [0, [{ sectors: looked, allocated: false, zero: true }]]);
  }
  t.equal(await resultOf((done) => driver.close(done)), 0);
});

t.test('what a file call throws is an error of the opening, in its words', async (t) => {
  const files: FileCalls = Object.create(calls.files) as FileCalls;
  files.stat = () => {
    throw new TypeError('a fault of the host');
  };
  const driver = new VhdDriver('/a.vhd', { ...calls, files, logger: nullLogger });
  const found = await new Promise((resolve) => {
    driver.open({ readOnly: false, shared: false }, (...answer) => resolve(answer));
  });
  t.match(found, [-errno.EIO, /a fault of the host/]);
});

/** An open driver of a small image, some of whose file calls are others. */
async function driverWith(
  t: Test,
  overrides: Partial<FileCalls>,
  more: Partial<DiskCalls> = {},
): Promise<VhdDriver> {
  const file = path.join(t.testdir(), 'a.vhd');
  await create(file, 4 << 20);
  const own = nodeCalls();
  Object.assign(own.files, overrides);
  const driver = new VhdDriver(file, { ...own, ...more });
  t.equal(await resultOf((done) => driver.open({ readOnly: false, shared: false }, done)), 0);
  t.teardown(() => resultOf((done) => driver.close(done)));
  return driver;
}

const identified = (driver: VhdDriver): Promise<readonly unknown[]> =>
  new Promise((resolve) => {
    driver.identify((...answer) => resolve(answer));
  });

t.test('a file that cannot be looked at has no identity', async (t) => {
  let isBroken = false;
  const driver = await driverWith(t, {
    fstat: (fd, done) => (isBroken ? done(-errno.EIO) : calls.files.fstat(fd, done)),
  });
  t.match(await identified(driver), [0, { inode: Number }]);
  isBroken = true;
  t.same(await identified(driver), [-errno.EIO]);
});

t.test('a block device has no identity of a file', async (t) => {
  const asDevice =
    (done: StatusDone): StatusDone =>
    (result, status) =>
      done(result, status && { ...status, kind: 'block' });
  const driver = await driverWith(
    t,
    {
      stat: (file, done) => calls.files.stat(file, asDevice(done)),
      fstat: (fd, done) => calls.files.fstat(fd, asDevice(done)),
      open: (file, flags, done, mode) => calls.files.open(file, flags & ~constants.O_EXCL, done, mode),
    },
    { size: ({ size }, done) => done(size / 512) },
  );
  t.same(await identified(driver), [-errno.EOPNOTSUPP]);
});

t.test('a fixed image has no blocks, and is described with how it was opened', async (t) => {
  const world = diskWorld(t);
  const file = world.path('fixed.vhd');
  await promiseOf(createImage(calls, { path: file, size: 4 << 20, isFixed: true, ...made }));
  for (const readOnly of [false, true]) {
    const driver = new VhdDriver(file, calls);
    t.equal(driver.describe(), `vhd ${file} closed`);
    t.equal(await resultOf((done) => driver.open({ readOnly, shared: false }, done)), 0);
    t.equal(driver.describe(), `vhd ${file} 8192 sectors${readOnly ? ' read-only' : ''}`);
    t.same(driver.chain(), [{ path: file, sectors: 8192 }]);
    t.equal(await resultOf((done) => driver.close(done)), 0);
  }
});

t.test('where a bitmap cannot be read nothing is known of the blocks', async (t) => {
  let isBroken = false;
  const driver = await driverWith(t, {
    read: (fd, buffer, position, done) =>
      isBroken ? done(-errno.EIO) : calls.files.read(fd, buffer, position, done),
  });
  const write = { sector: 8, sectors: 1, buffer: pattern(1, 1) };
  t.equal(await resultOf((complete) => driver.queueWrite({ ...write, complete })), 0);
  t.equal(await resultOf((done) => driver.close(done)), 0);
  t.equal(await resultOf((done) => driver.open({ readOnly: true, shared: true }, done)), 0);
  isBroken = true;
  const asked = await new Promise((resolve) => {
    driver.blockStatus({ sector: 0, sectors: 16 }, (...answer) => resolve(answer));
  });
  t.same(asked, [-errno.EIO]);
});

t.test('an image is not resized while it is open', async (t) => {
  const driver = await driverWith(t, {});
  const answer = await new Promise((resolve) => {
    driver.resize((...found) => resolve(found));
  });
  t.match(answer, [-errno.EOPNOTSUPP, /use tapdisk-ts vhd resize/]);
});
