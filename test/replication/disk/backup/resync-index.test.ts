// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  ENTRIES_A_SECTOR,
  indexBytes,
  ResyncIndex,
} from '../../../../src/replication/disk/backup/resync-index.js';
import { sealSector } from '../../../../src/replication/disk/format/map-sector.js';

const ID = '1'.repeat(16);
const SECTOR = 512;

/** An index with grains from 63 down, each with its number as its crc; every third one is zeroes. */
function filled(places: number): ResyncIndex {
  const index = new ResyncIndex(ID);
  for (let place = 0; place < places; place++) {
    const grain = 63 - place;
    index.set(grain, place % 3 === 0, place % 3 === 0 ? 0 : grain);
  }
  return index;
}

t.test('an index takes whole sectors of 63 entries', async (t) => {
  t.equal(ENTRIES_A_SECTOR, 63);
  t.same(
    [0, 1, 63, 64, 126, 127].map((places) => indexBytes(places) / SECTOR),
    [0, 1, 1, 2, 2, 3],
  );
});

t.test('a grain keeps its place, and a new one gets the next', async (t) => {
  const index = new ResyncIndex(ID);
  t.same([index.set(7, false, 1), index.set(5, false, 2), index.set(7, true, 0)], [0, 1, 0]);
  t.same([index.length, index.grains], [2, [5, 7]]);
  t.same([index.placeOf(7), index.placeOf(5), index.placeOf(6)], [0, 1, undefined]);
  t.same(index.at(0), { grain: 7, isZero: true, crc: 0 });
  t.equal(index.at(2), undefined);
});

t.test('the sectors that have changed are taken once, in their order', async (t) => {
  const index = filled(64);
  const numbers = (): number[] => index.takeChanged().map(({ number }) => number);
  t.same(numbers(), [0, 1]);
  t.same(numbers(), []);
  index.set(0, false, 9);
  index.set(1, false, 9);
  t.same(numbers(), [0, 1], 'those of the last place of one and the first of the next');
  index.set(1, false, 8);
  t.same(numbers(), [0]);
});

t.test('what was written is read, from whatever sector on', async (t) => {
  const index = filled(64);
  const [first, second] = index.takeChanged().map(({ bytes }) => bytes) as [Uint8Array, Uint8Array];
  t.same([first.length, second.length], [SECTOR, SECTOR]);
  t.same(
    Buffer.from(first.subarray(504, 508)),
    Buffer.alloc(4),
    'between the entries and the crc are zeroes',
  );
  const whole = new ResyncIndex(ID);
  t.ok(whole.read(Buffer.concat([first, second]), 0));
  t.same([...whole], [...index]);
  t.equal(whole.length, 64);
  t.same([whole.grains, whole.placeOf(0)], [index.grains, 63]);
  t.same(whole.takeChanged(), [], 'which the file has');
  const part = new ResyncIndex(ID);
  t.ok(part.read(second, 1));
  t.same([...part], [[63, { grain: 0, isZero: true, crc: 0 }]]);
  t.equal(part.length, 64);
});

t.test('a sector of another resync, of another place, or that is damaged has no entries', async (t) => {
  const index = filled(1);
  const bytes = index.takeChanged()[0]?.bytes as Uint8Array;
  const damaged = bytes.with(3, 1);
  for (const [id, from, content] of [
    ['2'.repeat(16), 0, bytes],
    [ID, 1, bytes],
    [ID, 0, damaged],
  ] as const) {
    const read = new ResyncIndex(id);
    t.ok(read.read(content, from));
    t.same([[...read], read.length], [[], 0]);
  }
});

t.test('a grain that is in two places is a fault', async (t) => {
  const first = filled(1).takeChanged()[0]?.bytes as Uint8Array;
  const again = filled(63);
  again.takeChanged();
  again.set(99, false, 1);
  const second = again.takeChanged()[0]?.bytes as Uint8Array;
  const read = new ResyncIndex(ID);
  t.same([read.read(first, 0), read.read(second, 1), read.read(first, 0)], [true, true, false]);
  t.same([read.placeOf(63), read.placeOf(99)], [0, 63]);
});

t.test(
  'an entry has its grain plus one, a bit for zeroes, and the crc, and stays in its place',
  async (t) => {
    const bytes = new Uint8Array(SECTOR);
    const view = new DataView(bytes.buffer);
    view.setUint32(8, 2 ** 31 + 6, true);
    view.setUint32(16, 7, true);
    view.setUint32(20, 11, true);
    sealSector(bytes, 0, ID);
    const index = new ResyncIndex(ID);
    t.ok(index.read(bytes, 0));
    t.same(
      [...index],
      [
        [1, { grain: 5, isZero: true, crc: 0 }],
        [2, { grain: 6, isZero: false, crc: 11 }],
      ],
    );
    index.set(5, true, 0);
    t.same(index.takeChanged(), [{ number: 0, bytes }]);
  },
);
