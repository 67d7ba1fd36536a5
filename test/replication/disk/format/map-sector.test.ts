// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { BitSet } from '../../../../src/replication/disk/bit-set.js';
import { crc32 } from '../../../../src/replication/disk/format/crc32.js';
import {
  decodeMapSector,
  encodeMapSector,
  grainSectorsOf,
  GRAINS_A_SECTOR,
  mapBytes,
} from '../../../../src/replication/disk/format/map-sector.js';

const SALT = '0123456789abcdef';

t.test('a grain has 64 KiB, doubled until a disk has at most 2^24', async (t) => {
  t.equal(grainSectorsOf(1), 128);
  t.equal(grainSectorsOf(2 ** 31), 128, '1 TiB');
  t.equal(grainSectorsOf(2 ** 31 + 1), 256);
  t.equal(grainSectorsOf(2 ** 33), 512);
  t.equal(grainSectorsOf(2 ** 33 + 1), 1024);
});

t.test('a sector of the map has 4032 grains', async (t) => {
  t.equal(GRAINS_A_SECTOR, 4032);
  t.same([1, 4032, 4033, 8064].map(mapBytes), [512, 512, 1024, 1024]);
});

/** Three sectors, of which the last is not full. */
function someGrains(): BitSet {
  const bits = new BitSet(9000);
  bits.addAll([0, 1, 7, 8, 4031, 4032, 4040, 8063, 8064, 8999]);
  return bits;
}

t.test('a sector has the bits of its own grains, the first in the lowest bit of a byte', async (t) => {
  const bits = someGrains();
  const [first, second, third] = [0, 1, 2].map((index) => encodeMapSector(bits, index, SALT));
  const set = (bytes: Uint8Array | undefined): [number, number][] =>
    [...(bytes ?? []).slice(0, 508).entries()].filter(([, byte]) => byte !== 0);
  t.same(set(first), [
    [0, 0x83],
    [1, 0x01],
    [503, 0x80],
  ]);
  t.same(set(second), [
    [0, 0x01],
    [1, 0x01],
    [503, 0x80],
  ]);
  t.same(set(third), [
    [0, 0x01],
    [116, 0x80],
  ]);
});

t.test('the sectors together have what the map had', async (t) => {
  const bits = someGrains();
  const read = new BitSet(9000);
  for (const index of [0, 1, 2]) t.ok(decodeMapSector(encodeMapSector(bits, index, SALT), index, SALT, read));
  t.same([...read], [...bits]);
});

t.test('the four bytes between the bits and the crc are no grains', async (t) => {
  const sector = Buffer.from(encodeMapSector(someGrains(), 0, SALT));
  sector.fill(0xff, 504, 508);
  const salted = crc32(Buffer.from(`${SALT} 0`));
  sector.writeUInt32LE(crc32(sector.subarray(0, 508), salted), 508);
  const read = new BitSet(9000);
  t.ok(decodeMapSector(sector, 0, SALT, read));
  t.equal(read.next(4032), -1);
});

t.test('bits after the last grain are left out', async (t) => {
  const full = new BitSet(4032);
  full.addRange(0, 4031);
  const read = new BitSet(100);
  t.ok(decodeMapSector(encodeMapSector(full, 0, SALT), 0, SALT, read));
  t.same([read.count, read.next(99)], [100, 99]);
});

t.test('a sector that is damaged, of another place or of another map adds nothing', async (t) => {
  const sector = encodeMapSector(someGrains(), 0, SALT);
  const read = new BitSet(9000);
  t.notOk(decodeMapSector(sector, 1, SALT, read), 'another place');
  t.notOk(decodeMapSector(sector, 0, 'fedcba9876543210', read), 'another salt');
  for (const at of [0, 503, 504, 507, 508, 511]) {
    const changed = Uint8Array.from(sector);
    changed[at] = (changed[at] as number) ^ 4;
    t.notOk(decodeMapSector(changed, 0, SALT, read), `byte ${at}`);
  }
  t.equal(read.count, 0);
  const padded = new Uint8Array(520);
  padded.set(sector, 8);
  t.ok(decodeMapSector(padded.subarray(8), 0, SALT, read), 'wherever it is in memory');
});
