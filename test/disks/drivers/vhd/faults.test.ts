// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { errno } from '../../../../src/posix/errno.js';
import { checksumOf } from '../../../../src/disks/drivers/vhd/bytes.js';
import { Header } from '../../../../src/disks/drivers/vhd/header.js';
import { emptyLocator } from '../../../../src/disks/drivers/vhd/locator.js';
import { promiseOf } from '../../../../src/disks/drivers/vhd/steps.js';
import { createImage } from '../../../../src/disks/drivers/vhd/tools/create.js';
import { Random } from '../../../../src/testing/index.js';
import { closeDisk, imageDirectory, nodeCalls, openDisk, readDisk, resultOf, writeDisk } from './fixture.js';
import { chainFiles, imageBytes } from './new-chain.js';

const directory = imageDirectory(t);
const parts = { uuid: new Uint8Array(16).fill(1), unixSeconds: 1e9 };
const MIB = 1 << 20;

function put(name: string, bytes: Uint8Array): string {
  const file = path.join(directory, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  return file;
}

const readOnly = { readOnly: true };

t.test('a fixed image is written, zeroed and discarded in place', async (t) => {
  const file = path.join(directory, 'fixed.vhd');
  await promiseOf(createImage(nodeCalls(), { path: file, size: 4 * MIB, isFixed: true, ...parts }));
  const disk = await openDisk(file);
  const complete = (): void => {};
  t.equal(await writeDisk(disk, 0, Buffer.alloc(4 * MIB, 1)), 0);
  const range = { sector: 100, sectors: 4000, complete };
  t.equal(await resultOf((done) => disk.writeZeroes({ ...range, noHole: false }, done)), 0);
  t.equal(await resultOf((done) => disk.discard({ ...range, sector: 5000, sectors: 3000 }, done)), 0);
  t.equal(await resultOf((done) => disk.flush(done)), 0);
  await closeDisk(disk);
  const again = await openDisk(file, readOnly);
  t.equal(await resultOf((done) => again.flush(done)), 0);
  const bytes = (await readDisk(again, 0, 8192)) as Buffer;
  t.same(
    [99, 100, 4099, 4100].map((sector) => bytes[sector * 512]),
    [1, 0, 0, 1],
  );
  await closeDisk(again);
});

t.test('a truncated fixed image can be read up to its end', async (t) => {
  const file = path.join(directory, 'cut.vhd');
  await promiseOf(createImage(nodeCalls(), { path: file, size: 2 * MIB, isFixed: true, ...parts }));
  const footer = readFileSync(file).subarray(2 * MIB);
  truncateSync(file, MIB);
  writeFileSync(file, footer, { flag: 'a' });
  await t.rejects(openDisk(file), /truncated: file length: it has 2048 sectors of the disk's 4096/);
  const disk = await openDisk(file, readOnly);
  t.same(await readDisk(disk, 2047, 1), Buffer.alloc(512));
  t.equal(await readDisk(disk, 2048, 1), -errno.EIO);
  await closeDisk(disk);
});

t.test('an encrypted image is refused', async (t) => {
  const image = imageBytes({ size: MIB, ...parts });
  image[2048 + 29] = 1;
  await t.rejects(
    openDisk(put('key.vhd', image), readOnly),
    /unsupported: batmap key hash: the data is encrypted/,
  );
});

t.test('a file that ends within its BAT, or has its BAT elsewhere, is refused', async (t) => {
  const image = imageBytes({ size: 1000 * MIB, ...parts });
  const cut = put('cut-bat.vhd', image.subarray(0, 1536 + 512));
  await t.rejects(
    openDisk(cut, readOnly),
    /truncated: BAT: 500 entries at 1536 end after the end of the file/,
  );
  const withHeader = (changes: Parameters<Header['with']>[0]): Uint8Array => {
    const changed = image.slice();
    changed.set(new Header(image.subarray(512, 1536)).with(changes).bytes, 512);
    return changed;
  };
  const cases: [changes: Parameters<Header['with']>[0], error: RegExp][] = [
    [{ tableOffset: 1537 }, /bad-header: table offset: 1537, expected a multiple of 512 inside the file/],
    [{ tableOffset: 2 ** 40 }, /bad-header: table offset/],
    [{ entries: 100_000 }, /bad-header: BAT entries: 100000 entries at 1536 end after the end of the file/],
    [{ entries: 499 }, /bad-header: BAT entries: 499, but the disk of 2048000 sectors has 500 blocks/],
  ];
  for (const [index, [changes, error]] of cases.entries()) {
    await t.rejects(openDisk(put(`bat${index}.vhd`, withHeader(changes)), readOnly), error);
  }
});

t.test('false locators are refused, and useless ones are ignored', async (t) => {
  const parent = { uuid: new Uint8Array(16).fill(2), path: './parent.vhd', unixSeconds: 1e9 };
  const image = imageBytes({ size: MIB, parent, ...parts });
  const header = new Header(image.subarray(512, 1536));
  const [first = emptyLocator] = header.locators;
  const withLocator = (change: Partial<typeof first>): Uint8Array => {
    const changed = image.slice();
    const locators = [{ ...first, ...change }, ...header.locators.slice(1)];
    changed.set(header.with({ locators }).bytes, 512);
    return changed;
  };
  const cases: [change: Partial<typeof first>, error: RegExp][] = [
    [{ dataLength: 513 }, /bad-header: parent locator 0: its text has 513 bytes, but its space 512/],
    [
      { dataSpace: 65_536, dataLength: 65_536 },
      /bad-header: parent locator 0: its text has 65536 bytes, expected at most/,
    ],
    [
      { offset: 2 ** 40 },
      /bad-header: parent locator 0: its space, 512 bytes at .*, ends after the end of the file/,
    ],
  ];
  for (const [index, [change, error]] of cases.entries()) {
    await t.rejects(openDisk(put(`locator${index}.vhd`, withLocator(change)), readOnly), error);
  }
  const none = image.slice();
  none.set(header.with({ locators: header.locators.map(() => emptyLocator) }).bytes, 512);
  await t.rejects(
    openDisk(put('none.vhd', none), readOnly),
    /parent-missing: parent locators: no locator has a path/,
  );
});

t.test('a chain has at most 256 images', async (t) => {
  const links = Array.from({ length: 257 }, (_, index) => ({
    name: `${index}.vhd`,
    sectors: 16,
    blockSectors: 16,
  }));
  for (const [name, bytes] of chainFiles(links, new Random(1))) put(`deep/${name}`, bytes);
  await closeDisk(await openDisk(path.join(directory, 'deep/255.vhd'), readOnly));
  await t.rejects(
    openDisk(path.join(directory, 'deep/256.vhd'), readOnly),
    /parent-cycle: .*more than 256 images/,
  );
});

t.test('a fixed footer at the head is not a copy', async (t) => {
  const image = imageBytes({ size: MIB, ...parts });
  const fields = new DataView(image.buffer);
  fields.setUint32(60, 2);
  fields.setUint32(64, checksumOf(image.subarray(0, 512), 64));
  const file = put('fixed-head.vhd', image.subarray(0, image.length - 512));
  await t.rejects(openDisk(file, readOnly), /bad-footer: .*it belongs to a fixed disk, which has no copy/);
});
