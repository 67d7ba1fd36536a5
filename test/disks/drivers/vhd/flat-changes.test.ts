// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/errno.js';
import { VhdDriver } from '../../../../src/disks/drivers/index.js';
import { createImage } from '../../../../src/disks/drivers/vhd/tools/create.js';
import type { Done } from '../../../../src/disks/index.js';
import { FileWorld } from '../../../testing/files/fixture.js';
import { simulated, simulatedCalls, simulatedResult, tagged } from './sim-disk.js';

const MIB = 1 << 20;
const FILE = '/d/fixed.vhd';
/** A hole is worth it from so many sectors on. */
const WORTH = MIB / 512;

/** The driver of a fixed image of 4 MiB, and what it asks of the file. */
async function fixedImage({ punchFails = false } = {}) {
  const world = new FileWorld({ seed: 1, traceLines: 0 });
  // The directory is there once it has a file.
  world.files.put('/d/other', new Uint8Array(0));
  const calls = simulatedCalls(world);
  const made = { uuid: new Uint8Array(16).fill(1), unixSeconds: 1e9 };
  await simulated(world, createImage(calls, { path: FILE, size: 4 * MIB, isFixed: true, ...made }));
  const asked: string[] = [];
  const { files } = calls;
  const [write, punchHole, fdatasync] = [
    files.write.bind(files),
    files.punchHole.bind(files),
    files.fdatasync.bind(files),
  ];
  let syncResult = 0;
  files.write = (fd, bytes, position, done) => {
    asked.push(`write ${position / 512}+${bytes.length / 512}`);
    write(fd, bytes, position, done);
  };
  files.punchHole = (fd, offset, length, done) => {
    asked.push(`punch ${offset / 512}+${length / 512}`);
    if (punchFails) done(-errno.EOPNOTSUPP);
    else punchHole(fd, offset, length, done);
  };
  files.fdatasync = (fd, done) => {
    asked.push('sync');
    if (syncResult < 0) done(syncResult);
    else fdatasync(fd, done);
  };
  const driver = new VhdDriver(FILE, calls);
  const opened = await simulatedResult(world, (done) =>
    driver.open({ readOnly: false, shared: false }, done),
  );
  if (opened !== 0) throw new Error(`open: ${opened}`);
  asked.length = 0;
  const result = (call: (done: Done) => void): Promise<number> => simulatedResult(world, call);
  return {
    world,
    driver,
    asked,
    result,
    failSyncs: () => {
      syncResult = -errno.EIO;
    },
    write: (sector: number, sectors: number) =>
      result((complete) => driver.queueWrite({ sector, sectors, buffer: tagged(sectors + 1, 7), complete })),
    zero: (sector: number, sectors: number, noHole: boolean) =>
      result((complete) => driver.writeZeroes({ sector, sectors, noHole, complete })),
    discard: (sector: number, sectors: number) =>
      result((complete) => driver.discard({ sector, sectors, complete })),
    first: (sector: number) => world.files.contents(FILE)[sector * 512],
  };
}

t.test('of a buffer the sectors of the request are written', async (t) => {
  const { write, asked, first } = await fixedImage();
  t.equal(await write(5, 2), 0);
  t.same(asked, ['write 5+2']);
  t.same([4, 5, 6, 7].map(first), [0, 7, 7, 0]);
});

t.test('zeroes of a MiB are a hole, fewer are written, but not over zeroes', async (t) => {
  const { write, zero, asked, first } = await fixedImage();
  await write(10, WORTH);
  asked.length = 0;
  t.equal(await zero(10, WORTH, false), 0);
  t.same(asked, [`punch 10+${WORTH}`]);
  t.equal(first(10), 0);
  t.equal(await zero(10, WORTH - 1, false), 0);
  t.equal(asked.length, 1, 'all was zero');
  await write(10, 1);
  t.equal(await zero(10, 1, false), 0);
  t.same(asked.slice(1), ['write 10+1', 'write 10+1']);
  t.equal(first(10), 0);
});

t.test('zeroes that must stay allocated are written, over zeroes too', async (t) => {
  const { zero, asked } = await fixedImage();
  t.equal(await zero(0, WORTH, true), 0);
  t.notOk(asked.some((what) => what.startsWith('punch')));
  const written = asked.map((what) => Number(/\+(\d+)$/.exec(what)?.[1]));
  t.equal(
    written.reduce((sum, sectors) => sum + sectors, 0),
    WORTH,
  );
});

t.test('where no hole can be made zeroes are written', async (t) => {
  const { write, zero, discard, first, asked } = await fixedImage({ punchFails: true });
  await write(0, WORTH);
  t.equal(await discard(0, WORTH), 0, 'which does not matter for a discard');
  t.equal(first(0), 7);
  t.equal(await zero(0, WORTH, false), 0);
  t.equal(first(0), 0);
  t.equal(first(WORTH - 1), 0);
  t.equal(asked.filter((what) => what.startsWith('punch')).length, 1, 'it is tried once');
});

t.test('a discard of a MiB makes a hole, a smaller one nothing', async (t) => {
  const { write, discard, first, asked } = await fixedImage();
  await write(0, WORTH);
  asked.length = 0;
  t.equal(await discard(0, WORTH - 1), 0);
  t.same(asked, []);
  t.equal(first(0), 7);
  t.equal(await discard(0, WORTH), 0);
  t.same(asked, [`punch 0+${WORTH}`]);
  t.equal(first(0), 0);
});

t.test('what a flush or a close fails with is its result, and a close lets go of the file', async (t) => {
  const { world, driver, result, asked, failSyncs, write } = await fixedImage();
  t.equal(await result((done) => driver.flush(done)), 0);
  t.same(asked, ['sync']);
  await write(0, 1);
  failSyncs();
  t.equal(await result((done) => driver.flush(done)), -errno.EIO);
  let reason: string | undefined;
  const closed = await result((done) =>
    driver.close((code, why) => {
      reason = why;
      done(code);
    }),
  );
  t.equal(closed, -errno.EIO);
  t.match(reason, /^\/d\/fixed\.vhd: cannot sync: /);
  t.same(world.files.descriptors(), []);
  t.equal(driver.describe(), 'vhd /d/fixed.vhd closed');
});

t.test('an image is settled before it is closed, and that is not repeated', async (t) => {
  const { driver, result, asked, write } = await fixedImage();
  await write(0, 1);
  asked.length = 0;
  t.equal(await result((done) => driver.settle(done)), 0);
  t.same(asked, ['sync']);
  t.equal(await result((done) => driver.close(done)), 0);
  t.same(asked, ['sync']);
  const other = await fixedImage();
  other.failSyncs();
  t.equal(await other.result((done) => other.driver.settle(done)), -errno.EIO);
  t.equal(await other.result((done) => other.driver.close(done)), 0);
});
