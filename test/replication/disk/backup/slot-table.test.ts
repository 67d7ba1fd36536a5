// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  decodeTable,
  encodeTable,
  TABLE_HEAD_BYTES,
  tableBytes,
  tableCrc,
} from '../../../../src/replication/disk/backup/slot-table.js';

const ID = '0123456789abcdef';
const SLOTS = [
  { grain: 2 ** 32 + 1, slot: 0, crc: 0xdeadbeef },
  { grain: 7, slot: -1, crc: 0 },
];
/** The format that is documented: what was written by another version is read by this one. */
const BYTES = Buffer.from(
  `${Buffer.from('TDRSLOT1').toString('hex')} 0123456789abcdef 0200000000000000 0000000000000000
   0100000001000000 01000000 efbeadde
   0700000000000000 00000000 00000000`.replaceAll(/\s/g, ''),
  'hex',
);

t.test(
  'a table has its magic, the resync’s id, the number of its slots, and each slot in 16 bytes',
  async (t) => {
    t.equal(Buffer.from(encodeTable(ID, SLOTS)).toString('hex'), BYTES.toString('hex'));
    t.same(decodeTable(BYTES), SLOTS);
    t.same(decodeTable(encodeTable(ID, [])), []);
  },
);

t.test('the head of a table says how long it is, unless it is another resync’s or no table', async (t) => {
  const head = BYTES.subarray(0, TABLE_HEAD_BYTES);
  t.equal(tableBytes(head, ID), BYTES.length);
  t.equal(tableBytes(head, '0123456789abcdee'), undefined);
  const wrong = Buffer.from(head);
  wrong[0] = 0;
  t.equal(tableBytes(wrong, ID), undefined);
});

t.test('the crc of a table depends on all of it', async (t) => {
  for (let at = 0; at < BYTES.length; at++) {
    const other = Buffer.from(BYTES);
    other[at] = (BYTES[at] as number) ^ 1;
    if (tableCrc(other) === tableCrc(BYTES)) t.fail(`not on byte ${at}`);
  }
  t.equal(tableCrc(Uint8Array.from(BYTES)), tableCrc(BYTES));
});
