// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { errno } from '../../../../src/posix/errno.js';
import { checksumOf } from '../../../../src/disks/drivers/vhd/bytes.js';
import { type BlockShape, blockShape } from '../../../../src/disks/drivers/vhd/bat.js';
import { Footer } from '../../../../src/disks/drivers/vhd/footer.js';
import { Header } from '../../../../src/disks/drivers/vhd/header.js';
import {
  blockShortfall,
  checkFooter,
  checkLocators,
  checkTableSize,
  fixedShortfall,
  type Report,
} from '../../../../src/disks/drivers/vhd/image-faults.js';
import type { ImageFile } from '../../../../src/disks/drivers/vhd/image-file.js';
import { emptyLocator, type LocatorEntry } from '../../../../src/disks/drivers/vhd/locator.js';
import { type LoadedImage, loadImage } from '../../../../src/disks/drivers/vhd/load-image.js';
import { openToRead } from '../../../../src/disks/drivers/vhd/parent-search.js';
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
  // What follows the BAT of another creator is no batmap, whatever it looks like.
  for (const at of [0, image.length - 512]) {
    const footer = image.slice(at, at + 512);
    footer.set(Buffer.from('win '), 28);
    image.set(new Footer(footer).with({}).bytes, at);
  }
  await closeDisk(await openDisk(put('win.vhd', image), readOnly));
});

t.test('a header may be the last that a file has', async (t) => {
  const made = imageBytes({ size: MIB, ...parts });
  const image = new Uint8Array(4 * 512);
  image.set(new Footer(made.slice(0, 512)).with({ dataOffset: 1024 }).bytes);
  image.fill(0xff, 512, 516);
  image.set(new Header(made.slice(512, 1536)).with({ tableOffset: 512 }).bytes, 1024);
  const disk = await openDisk(put('header-last.vhd', image), readOnly);
  t.match(disk, { sectors: MIB / 512, chain: [{ image: { blocks: { metadataEnd: 4 } } }] });
  await closeDisk(disk);
  await t.rejects(
    openDisk(put('header-cut.vhd', image.subarray(0, -1)), readOnly),
    /bad-header: data offset: 1024: the header would end after the end of the file/,
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
  const text = Buffer.from('file://./a%00b.vhd');
  const odd = withLocator({ dataLength: text.length });
  odd.set(text, first.offset);
  await t.rejects(
    openDisk(put('nul.vhd', odd), readOnly),
    /parent-missing: parent locators: none of '.*a%00b.vhd', '.*a\0b.vhd', .* can be read/,
    'a name that no file can have',
  );
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

/** What a check finds. */
function faultsOf(check: (fault: Report) => void): readonly string[] {
  const found: string[] = [];
  check((kind, field, problem) => found.push(`${kind}: ${field}: ${problem}`));
  return found;
}

/** An open file that is said to be of a length. */
async function fileOf(length: number): Promise<ImageFile> {
  const file = await promiseOf(openToRead(nodeCalls(), put('any', new Uint8Array(0))));
  await promiseOf(file.close());
  file.length = length;
  return file;
}

t.test('versions of the format and of tapdisk are taken from the first known to the last', async (t) => {
  const made = Footer.create({ type: 3, size: MIB, dataOffset: 512, ...parts });
  const faults = (change: (fields: DataView, bytes: Uint8Array) => void): readonly string[] => {
    const bytes = made.bytes.slice();
    change(new DataView(bytes.buffer), bytes);
    return faultsOf((fault) => checkFooter(new Footer(bytes), fault)).map(
      (text) => text.split(', ')[0] ?? '',
    );
  };
  t.same(
    faults(() => {}),
    [],
  );
  for (const [version, expected] of [
    [0xffff, ['unsupported: footer version: 0xffff']],
    [0x1_0000, []],
    [0x1_ffff, []],
    [0x2_0000, ['unsupported: footer version: 0x20000']],
  ] as const)
    t.same(
      faults((fields) => fields.setUint32(12, version)),
      expected,
    );
  for (const [version, expected] of [
    [0xffff, ['unsupported: creator version: tap 0xffff']],
    [0x1_0000, []],
    [0x1_0003, []],
    [0x1_0004, ['unsupported: creator version: tap 0x10004']],
  ] as const) {
    t.same(
      faults((fields) => fields.setUint32(32, version)),
      expected,
    );
    const ofOthers = faults((fields, bytes) => {
      fields.setUint32(32, version);
      bytes.set(Buffer.from('win '), 28);
    });
    t.same(ofOthers, [], 'other creators count their own');
  }
  for (const type of [1, 2, 3, 4, 5])
    t.equal(faults((fields) => fields.setUint32(60, type)).length, type === 1 || type === 5 ? 1 : 0);
});

t.test('the text of a locator has 16 KiB at most, fits its space, and lies in the file', async (t) => {
  const length = 100_000;
  const file = await fileOf(length);
  const footer = Footer.create({ type: 4, size: MIB, dataOffset: 512, ...parts });
  const faults = (change: Partial<LocatorEntry>, of = footer): readonly string[] => {
    const locator = { code: 'W2ru', dataSpace: 16_384, dataLength: 16_384, offset: 0, ...change };
    const header = Header.create({ locators: [emptyLocator, emptyLocator, locator] });
    return faultsOf((fault) => checkLocators(file, of, header, fault));
  };
  t.same(faults({ offset: length - 16_384 }), []);
  t.same(faults({ offset: length - 16_383 }), [
    'bad-header: parent locator 2: its space, 16384 bytes at 83617, ends after the end of the file',
  ]);
  t.same(faults({ dataLength: 16_385 }), [
    'bad-header: parent locator 2: its text has 16385 bytes, but its space 16384',
  ]);
  t.same(faults({ dataSpace: 16_896, dataLength: 16_385 }), [
    'bad-header: parent locator 2: its text has 16385 bytes, expected at most 16384',
  ]);
  t.same(faults({ code: 'Wi2k', dataLength: 16_385 }), [], 'one that names nothing may have anything');
  const wrong = { code: 'MacX', dataSpace: 512, dataLength: 513, offset: 0 };
  const several = Header.create({ locators: [emptyLocator, wrong, wrong] });
  t.same(
    faultsOf((fault) => checkLocators(file, footer, several, fault)),
    ['bad-header: parent locator 1: its text has 513 bytes, but its space 512'],
    'the first that is wrong is enough',
  );
  const dynamic = Footer.create({ type: 3, size: MIB, dataOffset: 512, ...parts });
  t.same(faults({ dataLength: 16_385 }, dynamic), [], 'and so may those of a disk without a parent');
});

t.test('a BAT lies in the file, with an entry for each block and 2^24 at most', async (t) => {
  const small = blockShape(512);
  const check = async (
    { entries = 100, tableOffset = 1536, length = 1536 + 400, sectors = 100 },
    shape: BlockShape = small,
  ): Promise<number | readonly string[] | undefined> => {
    const file = await fileOf(length);
    const footer = Footer.create({ type: 3, size: sectors * 512, dataOffset: 512, ...parts });
    const header = Header.create({ entries, tableOffset });
    let size: number | undefined;
    const faults = faultsOf((fault) => {
      size = checkTableSize(file, footer, header, shape, fault);
    });
    return faults.length > 0 ? faults : size;
  };
  t.equal(await check({}), 400);
  t.same(await check({ sectors: 101 }), [
    'bad-header: BAT entries: 100, but the disk of 101 sectors has 101 blocks',
  ]);
  t.equal(await check({ sectors: 102 }, blockShape(1024)), 400, 'which may be more than the disk needs');
  t.same(await check({ length: 1536 + 399 }), [
    'truncated: BAT: 100 entries at 1536 end after the end of the file (1935 bytes)',
  ]);
  t.same(await check({ length: 1536 + 399, sectors: 99 }), [
    'bad-header: BAT entries: 100 entries at 1536 end after the end of the file (1935 bytes)',
  ]);
  t.match(await check({ length: 1536 + 396, sectors: 99 }), [/^bad-header: BAT entries: .* end after/]);
  const most = 2 ** 24;
  const length = 1536 + 4 * most;
  t.equal(await check({ entries: most, length }), 4 * most);
  t.same(await check({ entries: most + 1, length: length + 4 }), [
    `unsupported: BAT entries: ${most + 1}, expected at most ${most}`,
  ]);
  t.match(await check({ entries: most + 1, length: length + 3 }), [/^bad-header: BAT entries: .* end after/]);
  for (const tableOffset of [0, 1537, 2048])
    t.same(
      await check({ tableOffset, length: 2048 }),
      [`bad-header: table offset: ${tableOffset}, expected a multiple of 512 inside the file`],
      `${tableOffset}`,
    );
  t.equal(await check({ tableOffset: 512 }), 400);
});

t.test('a fixed image has a sector in its file for each of the disk, before the footer', async (t) => {
  const fixed = Footer.create({ type: 2, size: 4 * 512, ...parts });
  const shortfall = async (length: number, footerBytes: number, footer = fixed): Promise<unknown> =>
    fixedShortfall(await fileOf(length), footer, footerBytes)?.problem;
  t.equal(await shortfall(5 * 512, 512), undefined);
  t.equal(await shortfall(5 * 512 - 1, 511), undefined);
  t.equal(await shortfall(5 * 512 - 1, 512), "it has 3 sectors of the disk's 4");
  const dynamic = Footer.create({ type: 3, size: 4 * 512, dataOffset: 512, ...parts });
  t.equal(await shortfall(512, 512, dynamic), undefined);
});

t.test('of blocks that are not there the first that the end of the file cuts is named', async (t) => {
  const file = await fileOf(0);
  const found = (cut: readonly number[], outside: readonly number[]): unknown =>
    blockShortfall(file, { early: [], overlapping: [], cut, outside });
  t.equal(found([], []), undefined);
  t.match(found([7, 8], [3]), {
    kind: 'truncated',
    field: 'BAT entry 7',
    problem: /ends inside of the block/,
  });
  t.match(found([], [3, 5]), { kind: 'bad-bat', field: 'BAT entry 3', problem: /starts after the end/ });
});

t.test('the metadata of an image ends where the last of its parts does', async (t) => {
  const parent = { uuid: new Uint8Array(16).fill(2), path: './parent.vhd', unixSeconds: 1e9 };
  const made = imageBytes({ size: MIB, parent, ...parts });
  const end = async (change: (image: Uint8Array, batmap: DataView) => void): Promise<number | undefined> => {
    const image = Buffer.concat([made, new Uint8Array(100 * 512)]);
    image.set(made.subarray(-512), image.length - 512);
    image.fill(0, made.length - 512, made.length);
    change(image, new DataView(image.buffer, image.byteOffset + 2048));
    const file = await promiseOf(openToRead(nodeCalls(), put('metadata.vhd', image)));
    const loaded = await promiseOf(loadImage(file));
    await promiseOf(file.close());
    t.same(loaded.faults, []);
    return loaded.blocks?.metadataEnd;
  };
  const withLocators = (image: Uint8Array, change: (locator: LocatorEntry) => LocatorEntry): void => {
    const header = new Header(image.slice(512, 1536));
    image.set(header.with({ locators: header.locators.map(change) }).bytes, 512);
  };
  // The footer's copy, a header of two sectors, a BAT, a batmap of two, and three locators.
  t.equal(await end(() => {}), 9);
  const none = (image: Uint8Array): void => withLocators(image, () => emptyLocator);
  t.equal(await end(none), 6);
  t.equal(
    await end((image) => withLocators(image, (entry) => ({ ...entry, offset: entry.offset + 512 * 10 }))),
    19,
  );
  t.equal(
    await end((image) => withLocators(image, (entry) => ({ ...entry, offset: entry.offset + 512 * 101 }))),
    110,
    'one may end where the file does',
  );
  t.equal(
    await end((image) =>
      withLocators(image, (entry) => (entry.code === 'W2ru' ? { ...entry, code: 'Wi2k' } : entry)),
    ),
    9,
    'one of an old code has its space too',
  );
  const outside = { code: 'Wi2k', dataSpace: 512, dataLength: 9, offset: made.length + 512 * 100 };
  t.equal(await end((image) => withLocators(image, () => outside)), 6, 'one outside of the file has none');
  const unused = { ...emptyLocator, dataSpace: 512, offset: 512 * 50 };
  t.equal(await end((image) => withLocators(image, () => unused)), 6, 'nor has one that is empty');
  const withoutParent = (image: Uint8Array): void => {
    for (const at of [0, image.length - 512]) {
      const footer = Uint8Array.from(image.subarray(at, at + 512));
      new DataView(footer.buffer).setUint32(60, 3);
      image.set(new Footer(footer).with({}).bytes, at);
    }
  };
  t.equal(await end(withoutParent), 6, 'nor have those of a disk without a parent');
  const moved =
    (sector: number, spoilt = 0) =>
    (image: Uint8Array, batmap: DataView) => {
      none(image);
      batmap.setBigUint64(8, BigInt(512 * sector));
      image[512 * sector] = spoilt;
    };
  t.equal(await end(moved(5, 1)), 6, 'a batmap that is wrong, where it always is');
  t.equal(await end(moved(20)), 21, 'a batmap that is elsewhere');
  t.equal(await end(moved(20, 1)), 5, 'of one that is wrong there only its header counts');
});

/** What is read of an image. */
async function loadedFrom(image: Uint8Array): Promise<LoadedImage> {
  const file = await promiseOf(openToRead(nodeCalls(), put('loaded.vhd', image)));
  const loaded = await promiseOf(loadImage(file));
  await promiseOf(file.close());
  return loaded;
}

t.test('the faults of an image are listed in the order in which they are found', async (t) => {
  const image = imageBytes({ size: MIB, ...parts }).slice();
  for (const at of [0, image.length - 512]) {
    const footer = image.slice(at, at + 512);
    new DataView(footer.buffer).setUint32(12, 0x2_0000);
    new DataView(footer.buffer).setUint32(32, 1);
    image.set(new Footer(footer).with({}).bytes, at);
  }
  image[2048 + 29] = 1;
  const { faults } = await loadedFrom(image);
  t.same(
    faults.map(({ field }) => field),
    ['footer version', 'creator version'],
    'a tapdisk as old has no batmap',
  );
});

t.test('a header that is wrong can be looked at, if the file has it', async (t) => {
  const image = imageBytes({ size: MIB, ...parts }).slice();
  image[512] = 0;
  const { header, blocks, faults } = await loadedFrom(image);
  t.match(faults, [{ field: 'header cookie' }]);
  t.equal(header?.entries, 1);
  t.equal(blocks, undefined);
  const { header: none, faults: cut } = await loadedFrom(image.subarray(0, 512));
  t.match(cut, [{ field: 'data offset' }]);
  t.equal(none, undefined);
});

t.test('a batmap may be the last that a file has', async (t) => {
  const { batmap } = await loadedFrom(imageBytes({ size: MIB, ...parts }).slice(0, -512));
  t.equal(batmap?.isValid, true);
});

t.test('a block whose last sector the file does not have whole is cut', async (t) => {
  const image = imageBytes({ size: MIB, blockBytes: 512, ...parts }).slice(0, -512);
  const place = image.length / 512;
  const withBlock = Buffer.concat([image, Buffer.alloc(1024)]);
  withBlock.writeUInt32BE(place, 1536);
  t.equal((await loadedFrom(withBlock)).writeFault, undefined);
  t.match((await loadedFrom(withBlock.subarray(0, -1))).writeFault, {
    kind: 'truncated',
    field: 'BAT entry 0',
    problem: 'the file ends inside of the block',
  });
});
