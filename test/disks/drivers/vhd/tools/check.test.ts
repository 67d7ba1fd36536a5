// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { SECTOR_SIZE } from '../../../../../src/disks/index.js';
import type { LocatorEntry } from '../../../../../src/disks/drivers/vhd/locator.js';
import type { FileWorld } from '../../../../testing/files/fixture.js';
import { LEAF, worldWith } from '../order-world.js';
import {
  PARENT,
  endFooterOf,
  family,
  findings,
  headerOf,
  link,
  patch,
  patchFooters,
  patchHeader,
  setBatmap,
} from './tool-world.js';

t.test('an image without fault has no findings', async (t) => {
  const world = await family();
  t.same(await findings(world, LEAF, { bitmaps: true }), []);
});

t.test('each thing that is odd about a footer is a warning', async (t) => {
  const world = await family();
  const cases: [change: (fields: DataView) => void, warnings: readonly string[]][] = [
    [(fields) => fields.setUint32(8, 0), ['footer features: bit 1, which is always set, is not']],
    [(fields) => fields.setUint32(8, 3), []],
    [(fields) => fields.setUint16(56, 1), ['footer geometry: it has more sectors than the disk, 64']],
    [(fields) => fields.setUint32(56, 0), []],
  ];
  for (const [change, warnings] of cases) {
    const changed = await family();
    patchFooters(changed, LEAF, change);
    t.same(
      await findings(changed, LEAF),
      warnings.map((text) => `warning bad-footer: ${text}`),
    );
  }
  patchFooters(world, LEAF, (fields) => {
    fields.setUint16(56, 1);
    fields.setUint32(28, 0x7769_6e20);
  });
  t.same(await findings(world, LEAF), [], 'other creators round the geometry up');
});

t.test('of a parent without a valid footer nothing else is found, and nothing of its child', async (t) => {
  const world = await family();
  patch(world, PARENT, (bytes) => {
    bytes.fill(0, 0, SECTOR_SIZE);
    bytes.fill(0, bytes.length - SECTOR_SIZE);
  });
  t.match(await findings(world, LEAF), [/^error bad-footer: footer: at the end the cookie is not/]);
  t.equal((await findings(world, LEAF)).length, 1);
});

t.test('an image that has no uuid is warned of', async (t) => {
  const world = await family();
  patchFooters(world, LEAF, (fields) => {
    for (let at = 68; at < 84; at++) fields.setUint8(at, 0);
  });
  t.same(await findings(world, LEAF), ['warning bad-footer: footer uuid: it is all zeroes']);
});

t.test('both footers are looked at', async (t) => {
  const missing = 'footer: the one at the end is missing or wrong: it was not closed properly';
  const wrong = 'footer copy: it is wrong: after a crash nothing could be read';
  const differs = 'footer copy: it is not the footer at the end, which counts';
  const cases: [change: (bytes: Uint8Array) => void, warnings: readonly string[]][] = [
    [(bytes) => bytes.fill(0, bytes.length - SECTOR_SIZE), [missing]],
    [(bytes) => bytes.fill(0, 0, SECTOR_SIZE), [wrong]],
  ];
  for (const [change, warnings] of cases) {
    const world = await family();
    patch(world, LEAF, change);
    t.same(
      await findings(world, LEAF),
      warnings.map((text) => `warning bad-footer: ${text}`),
    );
  }
  const world = await family();
  const copy = endFooterOf(world, LEAF).with({ hidden: true });
  patch(world, LEAF, (bytes) => bytes.set(copy.bytes));
  t.same(await findings(world, LEAF), [`warning bad-footer: ${differs}`]);
  const short = await family();
  short.files.put(LEAF, short.files.contents(LEAF).slice(0, -1));
  t.same(await findings(short, LEAF), ['warning bad-footer: footer: it has 511 bytes, expected 512']);
  patch(short, LEAF, (bytes) => {
    bytes[bytes.length - 400] = 0xff;
  });
  t.same(await findings(short, LEAF), [`warning bad-footer: ${missing}`], 'one of 511 bytes that is wrong');
});

t.test('a locator names the file that the header names', async (t) => {
  const world = await family();
  patchHeader(world, LEAF, { parentName: 'other.vhd' });
  t.same(
    await findings(world, LEAF),
    [0, 1, 2].map(
      (index) =>
        `warning bad-header: parent locator ${index}: it names 'parent0.vhd', but the header 'other.vhd'`,
    ),
  );
});

t.test('a child is not smaller than its parent, and of the parent that it was made of', async (t) => {
  const smaller = worldWith([{ ...link, sectors: 65 }, link]);
  t.same(await findings(smaller, LEAF), [
    'warning bad-footer: current size: 64 sectors, but the parent has 65',
  ]);
  const world = await family();
  const before = Buffer.from(endFooterOf(world, PARENT).uuid).toString('hex');
  patchFooters(world, PARENT, (fields) => fields.setUint8(68, fields.getUint8(68) ^ 0xff));
  const [found, ...more] = await findings(world, LEAF);
  t.match(found, new RegExp(`^error parent-mismatch: parent uuid: ${before.slice(0, 8)}-`));
  t.same(more, []);
});

t.test('a child with a fault of its own is held against its parent as well', async (t) => {
  const world = await family();
  patchFooters(world, LEAF, (fields) => fields.setUint32(8, 0));
  patchFooters(world, PARENT, (fields) => fields.setUint8(68, fields.getUint8(68) ^ 0xff));
  t.match(await findings(world, LEAF), [
    /^warning bad-footer: footer features: /,
    /^error parent-mismatch: parent uuid: /,
  ]);
});

t.test('the text of a locator is read where all of it is in the file', async (t) => {
  const withLocator = async (index: number, change: Partial<LocatorEntry>): Promise<FileWorld> => {
    const world = await family();
    const locators = headerOf(world, LEAF).locators.slice(0, 3);
    patchHeader(world, LEAF, {
      locators: locators.map((one, at) => (at === index ? { ...one, ...change } : one)),
    });
    return world;
  };
  const names = (index: number, name: string, expected: string): string =>
    `warning bad-header: parent locator ${index}: it names '${name}', but the header '${expected}'`;
  const [outside, ...more] = await findings(await withLocator(1, { offset: 2 ** 40 }), LEAF);
  t.match(outside, /^error bad-header: parent locator 1: its space, .* ends after the end of the file/);
  t.same(more, []);
  t.same(await findings(await withLocator(0, { dataLength: 0 }), LEAF), [names(0, '', 'parent0.vhd')]);
  // A text that fills the last sector of a file without a footer.
  const last = await withLocator(2, { dataLength: SECTOR_SIZE });
  patchHeader(last, LEAF, { parentName: 'other.vhd' });
  const end = (headerOf(last, LEAF).locators[2]?.offset ?? 0) + SECTOR_SIZE;
  last.files.put(LEAF, last.files.contents(LEAF).slice(0, end));
  t.same(
    (await findings(last, LEAF)).filter((text) => text.includes('it names')),
    [0, 1, 2].map((index) => names(index, 'parent0.vhd', 'other.vhd')),
  );
});

t.test('every ancestor of an image is checked as well', async (t) => {
  const world = worldWith([link, link, link]);
  patchFooters(world, PARENT, (fields) => fields.setUint32(8, 0));
  patchFooters(world, '/d/parent1.vhd', (fields) => fields.setUint32(8, 0));
  const odd = 'warning bad-footer: footer features: bit 1, which is always set, is not';
  t.same(await findings(world, LEAF), [odd, odd]);
});

t.test('a batmap claims only blocks that are there, and whose bits are all set', async (t) => {
  const warning = (block: number, what: string): string =>
    `warning bad-header: batmap bit ${block}: it is set, but ${what}`;
  const absent = 'the block is not allocated';
  const partial = 'not every bit of the bitmap is';
  const world = await family();
  setBatmap(world, LEAF, Uint8Array.of(0b0100_0000));
  t.same(await findings(world, LEAF, { bitmaps: true }), []);
  setBatmap(world, LEAF, Uint8Array.of(0b0110_0000));
  t.same(await findings(world, LEAF), [], 'bitmaps are read when asked for');
  t.same(await findings(world, LEAF, { bitmaps: true }), [warning(2, partial)]);
  setBatmap(world, LEAF, Uint8Array.of(0b1001_1111));
  t.same(await findings(world, LEAF), [warning(0, absent), warning(3, absent)], 'there are four blocks');
});

t.test('a batmap that is wrong or missing is what tapdisk complains of', async (t) => {
  const world = await family();
  const headerAt = headerOf(world, LEAF).tableOffset + SECTOR_SIZE;
  patch(world, LEAF, (bytes) => (bytes[headerAt + SECTOR_SIZE] = 1));
  t.same(await findings(world, LEAF), [
    'warning bad-header: batmap checksum: it does not fit: tapdisk opens the image read-only',
  ]);
  patch(world, LEAF, (bytes) => (bytes[headerAt] = 0));
  t.same(await findings(world, LEAF), [
    'warning bad-header: batmap: there is none: tapdisk opens the image read-only',
  ]);
  patchFooters(world, LEAF, (fields) => fields.setUint32(32, 0x0001_0001));
  t.same(await findings(world, LEAF), [], 'version 1.1 may be without');
});

t.test('no more than a hundred bits of a batmap are listed, and the progress is reported', async (t) => {
  const world = worldWith([{ sectors: 8 * 2500, blockSectors: 8 }]);
  const progress: string[] = [];
  const onProgress = (done: number, total: number): void => void progress.push(`${done}/${total}`);
  t.same(await findings(world, LEAF, { onProgress }), []);
  t.same(progress, ['0/2500', '1024/2500', '2048/2500']);
  setBatmap(world, LEAF, new Uint8Array(20).fill(0xff));
  t.equal((await findings(world, LEAF)).length, 100);
});

t.test('a parent without a footer is one error, and none of its child', async (t) => {
  const world = await family();
  patch(world, PARENT, (bytes) => bytes.fill(0));
  const [found, ...more] = await findings(world, LEAF);
  t.match(found, /^error bad-footer: footer: at the end .*, in the copy at the head /);
  t.same(more, []);
});

t.test(
  'a batmap lies in the file after its header, and has a bit for each block that the disk uses',
  async (t) => {
    const wrong = 'warning bad-header: batmap checksum: it does not fit: tapdisk opens the image read-only';
    const headerAt = 2048;
    const with64 = async (change: (fields: DataView, end: number) => void): Promise<readonly string[]> => {
      const world = await family();
      patch(world, LEAF, (bytes) =>
        change(new DataView(bytes.buffer, bytes.byteOffset + headerAt), bytes.length),
      );
      return await findings(world, LEAF);
    };
    // Wherever zeroes are is a map of zeroes.
    const moved = (offset: (end: number) => number) =>
      with64((fields, end) => fields.setBigUint64(8, BigInt(offset(end))));
    t.same(await moved(() => headerAt + 512), []);
    t.same(await moved(() => headerAt + 511), [wrong]);
    t.same(await moved((end) => end - 512 + 1), [wrong]);
    t.same(await moved(() => 2 ** 40), [wrong]);
    t.same(await with64((fields) => fields.setUint32(16, 0)), [wrong], 'a map of no sector');
    t.same(await with64((fields) => fields.setUint32(16, 7)), [], 'or of more than there are blocks');
  },
);
