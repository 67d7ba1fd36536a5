// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  COMMIT_MESSAGE,
  CREQ,
  DONE,
  DONE_MESSAGE,
  readWriteHeader,
  WREQ,
  writeMessages,
} from '../../../../src/replication/disk/c/c-message.js';
import { ProtocolError } from '../../../../src/replication/disk/wire/frame.js';

/** The header of a write as the C driver sends it. */
function header(sector: number, sectors: number): Buffer {
  const bytes = Buffer.from('wreq............', 'latin1');
  bytes.writeUInt32LE(sectors, 4);
  bytes.writeBigUInt64LE(BigInt(sector), 8);
  return bytes;
}

t.test('tags are four letters, as numbers and as messages', async (t) => {
  t.equal(WREQ, 0x71657277);
  t.equal(CREQ, COMMIT_MESSAGE.readUInt32LE());
  t.equal(DONE, DONE_MESSAGE.readUInt32LE());
  t.equal(COMMIT_MESSAGE.toString('latin1') + DONE_MESSAGE.toString('latin1'), 'creqdone');
});

t.test('a write becomes messages of up to eight sectors, one after the other', async (t) => {
  const data = Buffer.from(Uint8Array.from({ length: 19 * 512 }, (_, at) => at / 512 + 1));
  const at = 2 ** 33 + 5;
  const expected = Buffer.concat([
    header(at, 8),
    data.subarray(0, 8 * 512),
    header(at + 8, 8),
    data.subarray(8 * 512, 16 * 512),
    header(at + 16, 3),
    data.subarray(16 * 512),
  ]);
  t.ok(expected.equals(writeMessages(at, 19, data)));
  t.ok(
    Buffer.concat([header(3, 8), Buffer.alloc(8 * 512)]).equals(writeMessages(3, 8)),
    'zeroes are sent as data',
  );
});

t.test('the header of a write names its first sector and how many they are', async (t) => {
  t.same(readWriteHeader(header(2 ** 33, 7), 2 ** 34), { sector: 2 ** 33, sectors: 7 });
  t.same(readWriteHeader(header(92, 8), 100), { sector: 92, sectors: 8 }, 'up to the end of the disk');
  t.same(readWriteHeader(header(100, 0), 100), { sector: 100, sectors: 0 });
});

t.test('a write of more than eight sectors, or beyond the end of the disk, is refused', async (t) => {
  const wrong = (sector: number, sectors: number, disk: number, message: RegExp): void => {
    t.throws(() => readWriteHeader(header(sector, sectors), disk), { message, name: ProtocolError.name });
  };
  wrong(0, 9, 100, /9 sectors, expected at most 8/);
  wrong(93, 8, 100, /8 sectors at 93 are not within the disk's 100/);
  wrong(2 ** 50, 1, 100, /not within/);
});
