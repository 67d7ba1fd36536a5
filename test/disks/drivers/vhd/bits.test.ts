// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { areSet, endOfRun, isSet, setRange } from '../../../../src/disks/drivers/vhd/bits.js';
import { areZero, checksumOf, Fields, roundUp, uuidText } from '../../../../src/disks/drivers/vhd/bytes.js';

const SIZE = 40;

t.test('the first sector is the top bit of the first byte', async (t) => {
  const bits = Uint8Array.of(0x80, 0x01, 0x40);
  t.same(
    Array.from({ length: 32 }, (_, index) => index).filter((index) => isSet(bits, index)),
    [0, 15, 17],
  );
  t.notOk(isSet(Uint8Array.of(0xff), 8), 'after the end');
});

t.test('runs of bits are what a list of them says, wherever they begin and end', async (t) => {
  const wrong: string[] = [];
  for (let from = 0; from < SIZE; from++) {
    for (let to = from; to <= SIZE; to++) {
      const bits = new Uint8Array(SIZE / 8);
      setRange(bits, from, to);
      const naive = Array.from({ length: SIZE }, (_, at) => at >= from && at < to);
      const found = naive.map((_, at) => isSet(bits, at));
      if (found.some((set, at) => set !== naive[at])) wrong.push(`set ${from} to ${to}`);
      for (let begin = 0; begin < SIZE; begin++) {
        const next = naive.findIndex((set, at) => at > begin && set !== naive[begin]);
        const end = next < 0 ? SIZE : next;
        if (endOfRun(bits, begin, SIZE) !== end) wrong.push(`run of ${from} to ${to} from ${begin}`);
        const half = begin + Math.ceil((SIZE - begin) / 2);
        if (endOfRun(bits, begin, half) !== Math.min(end, half)) wrong.push(`run cut at ${half}`);
        if (areSet(bits, begin, half) !== (naive[begin] === true && end >= half))
          wrong.push(`all of ${begin} to ${half} of ${from} to ${to}`);
      }
    }
  }
  t.same(wrong.slice(0, 5), []);
});

t.test('bits that are set stay set', async (t) => {
  const bits = Uint8Array.of(0xa5, 0x81, 0);
  setRange(bits, 4, 9);
  t.same([...bits], [0xaf, 0x81, 0]);
  setRange(bits, 10, 10);
  t.same([...bits], [0xaf, 0x81, 0]);
});

t.test('a checksum is the complement of the sum of all bytes but its own', async (t) => {
  t.equal(checksumOf(new Uint8Array(0)), 0xffff_ffff);
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  t.equal(checksumOf(bytes), 0xffff_ffff - 36);
  t.equal(checksumOf(bytes, 2), 0xffff_ffff - 18);
  t.equal(checksumOf(bytes, 0), 0xffff_ffff - 26);
});

t.test('fields are big-endian, at their places', async (t) => {
  const bytes = new Uint8Array(20);
  const fields = new Fields(bytes.subarray(1));
  fields.setU16(0, 0x0102);
  fields.setU32(2, 0xf304_0506);
  fields.setU64(6, 2 ** 40 + 7);
  fields.setAllOnes(10);
  t.same([...bytes], [0, 1, 2, 0xf3, 4, 5, 6, 0, 0, 1, 0, ...Array<number>(8).fill(255), 0]);
  fields.setU64(6, 2 ** 40 + 7);
  t.same([fields.u16(0), fields.u32(2), fields.u64(6)], [0x0102, 0xf304_0506, 2 ** 40 + 7]);
});

t.test('zeroes are looked for in a part of the bytes', async (t) => {
  const bytes = Uint8Array.of(1, 0, 0, 1);
  t.same(
    [areZero(bytes), areZero(bytes, 1), areZero(bytes, 1, 3), areZero(bytes, 0, 1)],
    [false, false, true, false],
  );
  t.ok(areZero(new Uint8Array(3)));
});

t.test('uuids are written in five groups, and sizes rounded up', async (t) => {
  t.equal(
    uuidText(Uint8Array.from({ length: 16 }, (_, index) => index * 16 + 1)),
    '01112131-4151-6171-8191-a1b1c1d1e1f1',
  );
  t.same(
    [0, 1, 512, 513, 2 ** 40 + 1].map((value) => roundUp(value, 512)),
    [0, 512, 512, 1024, 2 ** 40 + 512],
  );
});
