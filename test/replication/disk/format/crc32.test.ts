// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { crc32, crc32ByTable } from '../../../../src/replication/disk/format/crc32.js';
import { Random } from '../../../../src/testing/index.js';
import { randomBytes, randomSeed } from '../../../random.js';

for (const [name, sum] of Object.entries({ crc32, crc32ByTable })) {
  t.test(`${name} is the crc32 of zip and Ethernet`, async (t) => {
    t.equal(sum(Buffer.from('123456789')), 0xcbf4_3926);
    t.equal(sum(Buffer.from('a')), 0xe8b7_be43);
    t.equal(sum(new Uint8Array(0)), 0);
    t.equal(sum(Buffer.from('6789'), sum(Buffer.from('12345'))), 0xcbf4_3926, 'and goes on from a part');
  });
}

t.test('both ways to compute it agree', async (t) => {
  const random = new Random(randomSeed(t));
  for (let length = 0; length < 40; length++) {
    const bytes = randomBytes(random, length);
    const before = random.word();
    t.equal(crc32ByTable(bytes, before), crc32(bytes, before));
  }
});

t.test('no bytes leave the sum as it is, whoever has looked at them', (t) => {
  const none = Buffer.alloc(0);
  t.equal(none.buffer.byteLength, 0);
  t.equal(crc32(none, 99), 99);
  t.end();
});
