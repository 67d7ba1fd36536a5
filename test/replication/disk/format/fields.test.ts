// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { Fields, isSealed, randomHex, seal } from '../../../../src/replication/disk/format/fields.js';

const LARGE = [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52 + 3, Number.MAX_SAFE_INTEGER];

t.test('numbers are little-endian, one after the other', async (t) => {
  const bytes = new Uint8Array(40);
  new Fields(bytes, 2)
    .putU32(0x0403_0201)
    .putU64(0x0c_0b0a_0908_0706)
    .putHex('deadbeef')
    .putText('text')
    .skip(3)
    .putU32(0xffff_ffff);
  const expected = [
    '0000',
    '01020304',
    '060708090a0b0c00',
    'deadbeef',
    '74657874',
    '000000',
    'ffffffff',
  ].join('');
  t.equal(Buffer.from(bytes).toString('hex'), expected.padEnd(80, '0'));
});

t.test('what was put is read at the same places', async (t) => {
  // A view that does not begin where its memory does.
  const bytes = new Uint8Array(new ArrayBuffer(200), 8);
  const put = new Fields(bytes, 1).putU32(7).putHex('0123456789abcdef').putText('magic').skip(5);
  for (const value of LARGE) put.putU64(value);
  put.putU32(0xffff_fffe);
  const fields = new Fields(bytes, 1);
  t.equal(fields.getU32(), 7);
  t.equal(fields.getHex(8), '0123456789abcdef');
  t.equal(fields.getText(5), 'magic');
  fields.skip(5);
  for (const value of LARGE) t.equal(fields.getU64(), value);
  t.equal(fields.getU32(), 0xffff_fffe);
});

t.test('a number of 2^53 or more is read as one that is too large', async (t) => {
  const bytes = new Uint8Array(8).fill(0xff);
  t.notOk(Number.isSafeInteger(new Fields(bytes).getU64()));
});

t.test('text is one byte a character', async (t) => {
  const bytes = new Uint8Array(2);
  new Fields(bytes).putText('\u00e9!');
  t.same([...bytes], [0xe9, 0x21]);
  t.equal(new Fields(bytes).getText(2), '\u00e9!');
});

t.test('what was sealed is no longer sealed once any byte of it has changed', async (t) => {
  const bytes = Buffer.alloc(40, 7);
  new Fields(bytes).putText('TDRTEST1');
  t.notOk(isSealed(bytes, 'TDRTEST1'));
  seal(bytes);
  const sealed = Buffer.from(bytes);
  t.ok(isSealed(bytes, 'TDRTEST1'));
  t.ok(bytes.equals(sealed), 'to look at it changes nothing');
  t.notOk(isSealed(bytes, 'TDRTEST2'), 'it is another record');
  seal(bytes);
  t.ok(bytes.equals(sealed), 'sealing it again gives the same');
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] as number) ^ 1;
    if (isSealed(changed, 'TDRTEST1')) t.fail(`byte ${at} was changed`);
  }
  const view = new Uint8Array(Buffer.concat([Buffer.alloc(3), Buffer.alloc(40, 7)]).buffer, 0);
  const part = view.subarray(1, 41);
  new Fields(part).putText('TDRTEST1');
  seal(part);
  t.ok(isSealed(part, 'TDRTEST1'), 'as a part of other bytes too');
});

t.test('random bytes are written as hexadecimal digits', async (t) => {
  const random = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length; at++) bytes[at] = at + 9;
  };
  t.equal(randomHex(random, 4), '090a0b0c');
});
