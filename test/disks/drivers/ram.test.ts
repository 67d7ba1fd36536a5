// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { RamDriver } from '../../../src/disks/drivers/index.js';
import type { BlockStatusExtent } from '../../../src/disks/index.js';
import { Results } from '../bench.js';
import { diskWorld, pattern, readSectors, told, writeSectors } from './disk-world.js';

t.test('a disk in memory has the size in its name, and is zero', async (t) => {
  const vbd = await diskWorld(t).open('ram:3');
  t.equal(vbd.info.sectors, 3 * 2048);
  t.ok((await readSectors(vbd, 0, 3 * 2048)).every((byte) => byte === 0));
});

t.test('an invalid size is refused with a hint', async (t) => {
  const world = diskWorld(t);
  for (const size of ['', '0', '-1', '1.5', '1M', '65537', '99999999999']) {
    t.equal(await world.tryOpen(`ram:${size}`), -errno.EINVAL, size);
  }
  t.match(
    world.lines[0],
    "cannot open ram:: '' is not a size: expected ram:SIZE_MIB with a whole number from 1 to 65536",
  );
});

t.test('writes are kept across chunk boundaries', async (t) => {
  const vbd = await diskWorld(t).open('ram:3');
  t.equal(await writeSectors(vbd, 2040, pattern(2064, 7)), 0);
  t.strictSame(await readSectors(vbd, 2040, 2064), pattern(2064, 7));
  t.ok((await readSectors(vbd, 0, 2040)).every((byte) => byte === 0));
});

t.test('discarding and zeroing produce zeroes, and whole chunks free their memory', async (t) => {
  const vbd = await diskWorld(t).open('ram:3');
  await writeSectors(vbd, 0, pattern(3 * 2048, 7));
  t.match(vbd.describe(), 'ram 3 MiB, 3 in use');
  t.equal(await told((done) => vbd.discard(2040, 2064, done)), 0);
  t.match(vbd.describe(), 'ram 3 MiB, 2 in use');
  t.equal(await told((done) => vbd.writeZeroes(0, 8, done)), 0);
  const expected = pattern(3 * 2048, 7);
  expected.fill(0, 2040 * 512, 4104 * 512);
  expected.fill(0, 0, 4096);
  t.strictSame(await readSectors(vbd, 0, 3 * 2048), expected);
});

t.test('its content survives a pause, but not a close', async (t) => {
  const vbd = await diskWorld(t).open('ram:1');
  await writeSectors(vbd, 5, pattern(1, 7));
  await vbd.pause();
  await vbd.resume('ram:1');
  t.strictSame(await readSectors(vbd, 5, 1), pattern(1, 7));
  await vbd.close();
  await vbd.open('ram:1', { readOnly: true, shared: false });
  t.strictSame(await readSectors(vbd, 5, 1), Buffer.alloc(512));
  t.equal(await told((done) => vbd.flush(done)), 0);
});

t.test('the largest disk in memory has 64 GiB', async (t) => {
  const vbd = await diskWorld(t).open('ram:65536');
  t.equal(vbd.sizeBytes, 64 * 2 ** 30);
});

t.test('memory in use is data and the rest holes', async (t) => {
  const vbd = await diskWorld(t).open('ram:4');
  const status = (sector: number, count: number): Promise<readonly BlockStatusExtent[] | undefined> =>
    new Promise((resolve) => {
      vbd.blockStatus(sector, count, (_, extents) => resolve(extents));
    });
  const hole = (count: number) => ({ sectors: count, allocated: false, zero: true });
  const data = (count: number) => ({ sectors: count, allocated: true, zero: false });
  await writeSectors(vbd, 3000, pattern(2000, 7));
  t.same(await status(100, 8000), [hole(1948), data(4096), hole(1956)]);
  t.same(await status(2047, 2), [hole(1), data(1)]);
});

t.test('at most 1024 extents are reported at once', async (t) => {
  const driver = new RamDriver('2048');
  driver.open({ readOnly: false, shared: false }, () => {});
  const buffer = Buffer.alloc(512);
  for (let chunk = 1; chunk < 1026; chunk += 2) {
    driver.queueWrite({ sector: chunk * 2048, sectors: 1, buffer, complete: () => {} });
  }
  let extents: readonly BlockStatusExtent[] = [];
  driver.blockStatus({ sector: 0, sectors: 2048 * 2048 }, (_, found = []) => (extents = found));
  t.equal(extents.length, 1024);
  t.same(extents.at(-1), { sectors: 2048, allocated: true, zero: false });
});

t.test('a disk in memory keeps its size', async (t) => {
  const vbd = await diskWorld(t).open('ram:3');
  await t.rejects(vbd.resize(), { code: 'ENOTSUP', message: /keeps the size that it was opened with/ });
});

t.test('a closed VBD does not keep the content of its disk in memory', async (t) => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const vbd = await diskWorld(t).open('ram:1');
  const driver = new WeakRef(vbd.drivers[0]!);
  await vbd.close();
  // A weak reference that was read in this turn keeps its object until the turn ends.
  await new Promise(setImmediate);
  collectGarbage();
  t.equal(driver.deref(), undefined);
});

t.test('the driver by itself completes each call with 0', async (t) => {
  const driver = new RamDriver('1');
  const results = new Results();
  driver.open({ readOnly: false, shared: false }, results.done);
  driver.blockStatus({ sector: 0, sectors: 8 }, results.done);
  driver.flush(results.done);
  driver.close(results.done);
  t.strictSame(results.told, [0, 0, 0, 0]);
});

t.test('the driver by itself refuses changes of a read-only opening', async (t) => {
  const driver = new RamDriver('1');
  driver.open({ readOnly: true, shared: false }, () => {});
  const results = new Results();
  const range = { sector: 0, sectors: 1, buffer: Buffer.alloc(512), complete: results.done };
  driver.queueWrite(range);
  driver.discard(range);
  driver.writeZeroes(range);
  t.strictSame(await results.settled(), Array(3).fill(-errno.EROFS));
});
