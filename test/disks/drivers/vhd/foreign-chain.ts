// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import path from 'node:path';
import type { Random } from '../../../../src/testing/index.js';
import { randomBytes } from '../../../random.js';
import {
  type Ends,
  fixedImage,
  type ForeignImage,
  type ForeignLocator,
  type ForeignParent,
  sectorOf,
  sparseImage,
} from './foreign-writer.js';

/** A chain as programs of this world may have left it, and what its disk holds. */
export interface ForeignChain {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly leaf: string;
  /** A number for each sector. */
  readonly content: readonly number[];
  readonly what: string;
}

/** Who makes VHDs: Virtual PC, Virtual Server, Windows, disk2vhd, qemu, VirtualBox, Azure, XenServer and others. */
const CREATORS: readonly (readonly [creator: string, version: number])[] = [
  ['vpc ', 0x5_0003],
  ['vs  ', 0x1_0000],
  ['win ', 0x6_0001],
  ['win ', 0xa_0000],
  ['d2v ', 0x2_0001],
  ['qemu', 0x5_0003],
  ['qem2', 0x5_0003],
  ['vbox', 0x4_0003],
  ['wa\0\0', 0x7_0000],
  ['caml', 1],
  ['xo  ', 1],
  ['\0\0\0\0', 0],
  ['tap\0', 0x1_0000],
  ['tap\0', 0x1_0001],
  ['tap\0', 0x1_0002],
  ['tap\0', 0x1_0003],
];
const NAMES = ['base.vhd', 'Größe.vhd', '日本語.vhd', 'a b.vhd', 'per%20cent.vhd', 'ω💾.vhd', 'UPPER.VHD'];
const DIRECTORIES = ['/d', '/d/sub', '/e'];
const ENDS: readonly Ends[] = [
  'both',
  'both',
  'only head',
  'overwritten end',
  'only end',
  'short end',
  'old copy',
];

export function drawnChain(random: Random): ForeignChain {
  const files = new Map<string, Buffer>();
  let below: { file: string; uuid: Buffer } | undefined;
  let content: number[] = [];
  let tag = 0;
  const what: string[] = [];
  const depth = random.pick([1, 1, 2, 3]);
  let sectors = random.integer(1, 200);
  for (let index = 0; index < depth; index++) {
    if (random.chance(0.5)) sectors += random.integer(0, 300);
    const isLeaf = index === depth - 1;
    const file = `${random.pick(DIRECTORIES)}/${index}-${random.pick(NAMES)}`;
    while (content.length < sectors) content.push(0);
    const own = new Map<number, number>();
    const runs = random.integer(0, 6);
    for (let run = 0; run < runs; run++) {
      const from = random.integer(0, sectors - 1);
      const to = Math.min(sectors, from + random.pick([1, 8, 100]));
      tag++;
      for (let sector = from; sector < to; sector++) own.set(sector, tag);
    }
    content = content.map((before, sector) => own.get(sector) ?? before);
    if (index === 0 && !isLeaf && random.chance(0.2)) {
      files.set(file, Buffer.concat(content.map((one) => sectorOf(one))));
      below = { file, uuid: Buffer.alloc(16) };
      what.push(`raw ${file}`);
      continue;
    }
    const [creator, creatorVersion] = random.pick(CREATORS);
    const kind = below ? 'differencing' : random.pick(['fixed', 'dynamic', 'dynamic', 'dynamic'] as const);
    const image: ForeignImage = {
      kind,
      // Bytes that make no whole sector do not count.
      size: sectors * 512 + random.pick([0, 0, 100]),
      blockSectors: random.pick([1, 2, 16, 64, 1024, 4096]),
      content: own,
      uuid: randomBytes(random, 16),
      creator,
      creatorVersion,
      ...(below && { parent: parentOf(below, file, random) }),
    };
    const ends = kind === 'fixed' ? random.pick(['both', 'short end'] as const) : random.pick(ENDS);
    if (kind === 'fixed') {
      const bytes = fixedImage(image, random);
      files.set(file, ends === 'short end' ? bytes.subarray(0, -1) : bytes);
    } else {
      files.set(file, sparseImage(image, ends, random));
    }
    what.push(`${kind} ${file} ${JSON.stringify(creator)} ${image.blockSectors} ${ends}`);
    below = { file, uuid: image.uuid };
  }
  return { files, leaf: below?.file ?? '', content, what: what.join('; ') };
}

/** Names a parent in one of the ways that lead to it, among others that do not. */
function parentOf(parent: { file: string; uuid: Buffer }, child: string, random: Random): ForeignParent {
  const relative = path.relative(path.dirname(child), parent.file);
  const locators: ForeignLocator[] = [];
  const wrong = (): ForeignLocator =>
    random.pick([
      { code: 'W2ku', text: utf16('C:\\Users\\Public\\Documents\\gone.vhd') },
      { code: 'W2ru', text: utf16('.\\gone.vhd') },
      { code: 'MacX', text: Buffer.from('file://localhost/gone/gone.vhd') },
      { code: 'Wi2r', text: randomBytes(random, 20) },
      { code: 'Wi2k', text: randomBytes(random, 700) },
      { code: 'Mac ', text: randomBytes(random, 4) },
    ]);
  for (let count = random.pick([0, 0, 1, 3]); count > 0; count--) locators.push(wrong());
  locators.push(random.pick(waysTo(parent.file, relative)));
  for (let count = random.pick([0, 0, 1, 4]); count > 0; count--) locators.push(wrong());
  return { uuid: parent.uuid, name: path.basename(parent.file), locators };
}

function waysTo(absolute: string, relative: string): ForeignLocator[] {
  const dotted = relative.startsWith('.') ? relative : `./${relative}`;
  const windows = dotted.replaceAll('/', '\\');
  return [
    { code: 'W2ru', text: utf16(windows) },
    { code: 'W2ru', text: utf16(`${windows}\0`) },
    { code: 'W2ru', text: utf16(relative.replaceAll('/', '\\')) },
    { code: 'W2ku', text: utf16(`D:${absolute.replaceAll('/', '\\')}`) },
    { code: 'W2ku', text: utf16(windows) },
    { code: 'MacX', text: Buffer.from(`file://${dotted}`) },
    { code: 'MacX', text: Buffer.from(`file://${dotted}\0\0`) },
    { code: 'MacX', text: Buffer.from(`file://${absolute}`) },
    { code: 'MacX', text: Buffer.from(`file://localhost${absolute}`) },
    { code: 'MacX', text: Buffer.from(`file://${absolute.split('/').map(encodeURIComponent).join('/')}`) },
  ];
}

function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le');
}
