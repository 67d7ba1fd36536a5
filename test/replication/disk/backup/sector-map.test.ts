// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { type Extent, type Piece, SectorMap } from '../../../../src/replication/disk/backup/sector-map.js';
import { Random } from '../../../../src/testing/index.js';
import { randomSeed } from '../../../random.js';
import { memoryPiece } from './memory-piece.js';

const A = memoryPiece(1, 1);
const B = memoryPiece(100, 1);
const NAMES = new Map<Piece | undefined, string>([
  [A, 'A'],
  [B, 'B'],
  [undefined, 'zeroes'],
]);

/** As `8-12 A@512`. */
const text = ({ start, end, piece, offset }: Extent): string =>
  `${start}-${end} ${NAMES.get(piece)}@${offset}`;
const allOf = (map: SectorMap): string[] => [...map.all()].map(text);

t.test(
  'the last content that was given of a sector counts, and the rest of what it covers stays',
  async (t) => {
    const cases: Readonly<Record<string, readonly [start: number, end: number, expected: string[]]>> = {
      'in the middle': [12, 14, ['10-12 A@0', '12-14 B@0', '14-20 A@2048']],
      'at its start': [10, 12, ['10-12 B@0', '12-20 A@1024']],
      'at its end': [18, 20, ['10-18 A@0', '18-20 B@0']],
      'over its start': [8, 12, ['8-12 B@0', '12-20 A@1024']],
      'over its end': [18, 22, ['10-18 A@0', '18-22 B@0']],
      'all of it': [10, 20, ['10-20 B@0']],
      'more than it': [9, 21, ['9-21 B@0']],
      'right before it': [8, 10, ['8-10 B@0', '10-20 A@0']],
      'right after it': [20, 22, ['10-20 A@0', '20-22 B@0']],
    };
    for (const [where, [start, end, expected]] of Object.entries(cases)) {
      const map = new SectorMap();
      map.set(10, 20, A, 0);
      map.set(start, end, B, 0);
      t.same(allOf(map), expected, where);
      t.equal(map.size, expected.length, `${where}: its size`);
    }
  },
);

t.test('an extent takes one place for each MiB of the disk that it is in', async (t) => {
  const map = new SectorMap();
  map.set(2047, 4097, A, 512);
  t.same(allOf(map), ['2047-2048 A@512', '2048-4096 A@1024', '4096-4097 A@1049600']);
  t.equal(map.size, 3);
});

t.test('a range shows what is in it, cut to it, ascending', async (t) => {
  const map = new SectorMap();
  map.set(5000, 5010, B, 0);
  map.set(2040, 2060, A, 0);
  map.set(100, 110, undefined, 0);
  t.same(map.within(105, 5005).map(text), [
    '105-110 zeroes@2560',
    '2040-2048 A@0',
    '2048-2060 A@4096',
    '5000-5005 B@0',
  ]);
  t.same(map.within(2042, 2044).map(text), ['2042-2044 A@1024']);
  t.same(map.within(110, 2040).map(text), [], 'neither the sector before nor the one after');
  t.same(map.within(5010, 20_000).map(text), [], 'none of many MiB');
  t.same(map.within(0, 2048).map(text), ['100-110 zeroes@0', '2040-2048 A@0'], 'no more than the range');
});

t.test('a range at the end of a large disk is found as fast as one at its start', async (t) => {
  const map = new SectorMap();
  const end = 2 ** 40;
  map.set(end - 8, end, A, 0);
  t.same(map.within(end - 4, end).map(text), [`${end - 4}-${end} A@2048`]);
});

t.test('a map that is laid over another hides what it has, and leaves the rest', async (t) => {
  const [below, above] = [new SectorMap(), new SectorMap()];
  below.set(0, 8, A, 0);
  above.set(6, 10, B, 512);
  above.set(2, 3, undefined, 0);
  below.merge(above);
  t.same(allOf(below), ['0-2 A@0', '2-3 zeroes@0', '3-6 A@1536', '6-10 B@512']);
});

t.test('a map shows of every sector what was given last, whatever was given before', async (t) => {
  const random = new Random(randomSeed(t));
  const sectors = 3 * 2048;
  const model = new Array<string>(sectors).fill('nothing');
  const map = new SectorMap();
  for (let count = 0; count < 400; count++) {
    const start = random.integer(0, sectors - 1);
    const end = Math.min(start + random.integer(1, random.chance(0.1) ? 3000 : 40), sectors);
    const piece = random.pick([A, B, undefined]);
    const offset = random.integer(0, 9) * 512;
    map.set(start, end, piece, offset);
    for (let at = start; at < end; at++) model[at] = `${NAMES.get(piece)}@${offset + (at - start) * 512}`;
  }
  const shown = new Array<string>(sectors).fill('nothing');
  let [last, count] = [0, 0];
  for (const { start, end, piece, offset } of map.all()) {
    if (start < last || end <= start) t.fail(`${start}-${end} comes after ${last}`);
    for (let at = start; at < end; at++) shown[at] = `${NAMES.get(piece)}@${offset + (at - start) * 512}`;
    last = end;
    count += 1;
  }
  t.equal(
    shown.findIndex((content, sector) => content !== model[sector]),
    -1,
    'the first sector that differs',
  );
  t.equal(map.size, count);
});
