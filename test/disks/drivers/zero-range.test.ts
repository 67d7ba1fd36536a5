// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { zeroRange } from '../../../src/disks/drivers/zero-range.js';
import { type Done, ESHUTDOWN } from '../../../src/disks/index.js';

const MIB = 1 << 20;

/** A file in memory that logs its calls, and a range of it that is zeroed. */
function zeroed(
  range: { sector: number; sectors: number; isNeeded?: () => boolean },
  onlyWhereNotZero: boolean,
  endBytes?: number,
) {
  const bytes = Buffer.alloc(4 * MIB);
  bytes.fill(1, MIB, 2 * MIB);
  const log: string[] = [];
  const files = {
    read: (_fd: number, buffer: Uint8Array, position: number, done: Done): void => {
      log.push(`read ${position}+${buffer.length}`);
      buffer.set(bytes.subarray(position, position + buffer.length));
      done(buffer.length);
    },
    write: (_fd: number, buffer: Uint8Array, position: number, done: Done): void => {
      log.push(`write ${position}+${buffer.length}`);
      bytes.set(buffer, position);
      done(buffer.length);
    },
  };
  const results: number[] = [];
  zeroRange(files, 7, range, onlyWhereNotZero, (result) => results.push(result), endBytes);
  return { log, results, bytes };
}

t.test('zeroes are written in pieces that end at each MiB', async (t) => {
  const { log, results } = zeroed({ sector: 1, sectors: 4095 + 3 }, false);
  t.same(log, [`write 512+${MIB - 512}`, `write ${MIB}+${MIB}`, `write ${2 * MIB}+1536`]);
  t.same(results, [0]);
  t.same(zeroed({ sector: 2048, sectors: 2048 }, false).log, [`write ${MIB}+${MIB}`]);
});

t.test('pieces that are zero already are only read', async (t) => {
  const { log, results, bytes } = zeroed({ sector: 2047, sectors: 2050 }, true);
  t.same(log, [`read ${MIB - 512}+512`, `read ${MIB}+${MIB}`, `write ${MIB}+${MIB}`, `read ${2 * MIB}+512`]);
  t.same(results, [0]);
  t.ok(bytes.every((byte) => byte === 0));
});

t.test('what is after the end is left alone', async (t) => {
  t.same(zeroed({ sector: 0, sectors: 4 }, false, 1300).log, ['write 0+1300']);
  t.same(zeroed({ sector: 0, sectors: 2 }, false, 1300).log, ['write 0+1024']);
});

t.test('it is asked before each piece whether it is still needed', async (t) => {
  let left = 2;
  const { log, results } = zeroed({ sector: 0, sectors: 8192, isNeeded: () => left-- > 0 }, false);
  t.same([log.length, results], [2, [-ESHUTDOWN]]);
});
