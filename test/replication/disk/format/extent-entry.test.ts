// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  EXTENT_BYTES,
  type ExtentEntry,
  getExtentEntry,
  putExtentEntry,
} from '../../../../src/replication/disk/format/extent-entry.js';

const view = (): DataView => new DataView(new ArrayBuffer(40));

t.test(
  'an extent is its sector in 48 bits, 1 for zeroes in 16, its sectors and its crc in 32 each',
  async (t) => {
    t.equal(EXTENT_BYTES, 16);
    const table = view();
    putExtentEntry(table, 4, {
      sector: 0x0605_0403_0201,
      sectors: 0x0a09_0807,
      isZero: true,
      crc: 0x0e0d_0c0b,
    });
    const hex = Buffer.from(table.buffer).toString('hex');
    t.equal(hex, ['00000000', '010203040506', '0100', '0708090a', '0b0c0d0e', '00'.repeat(20)].join(''));
    putExtentEntry(table, 4, { sector: 1, sectors: 2, isZero: false, crc: 3 });
    t.equal(
      Buffer.from(table.buffer).toString('hex', 4, 20),
      ['010000000000', '0000', '02000000', '03000000'].join(''),
    );
  },
);

t.test('what was put is read again', async (t) => {
  const entries: ExtentEntry[] = [
    { sector: 0, sectors: 1, isZero: true, crc: 0 },
    { sector: 2 ** 48 - 1, sectors: 2 ** 32 - 1, isZero: false, crc: 2 ** 32 - 1 },
    { sector: 2 ** 32, sectors: 128, isZero: true, crc: 0 },
    { sector: 0x0605_0403_0201, sectors: 0x0a09_0807, isZero: false, crc: 0x0e0d_0c0b },
    { sector: 2 ** 32 - 1, sectors: 128, isZero: false, crc: 5 },
  ];
  for (const entry of entries) {
    const table = view();
    putExtentEntry(table, 7, entry);
    t.same(getExtentEntry(table, 7), entry);
  }
});

t.test('of the flags only the one for zeroes counts', async (t) => {
  const table = view();
  table.setUint16(6, 0xfffe, true);
  t.equal(getExtentEntry(table, 0).isZero, false);
  table.setUint16(6, 0xffff, true);
  t.equal(getExtentEntry(table, 0).isZero, true);
});
