// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { byteRange, rangeText } from '../../src/disks/byte-range.js';
import type { Done } from '../../src/disks/index.js';
import { several } from '../../src/disks/several.js';
import { errno } from '../../src/posix/index.js';

/** A range as the bytes that each of its parts has, in the range. */
function parts(offset: number, length: number): string {
  const { edges, whole } = byteRange(offset, length);
  return [
    ...edges.map(({ sector, from, length: bytes, at }) => `${at}: ${bytes} at ${from} of ${sector}`),
    ...(whole ? [`${whole.at}: ${whole.sector}+${whole.sectors}`] : []),
  ].join(', ');
}

t.test('a range of bytes is its whole sectors, and parts of the first and the last one', async (t) => {
  t.equal(parts(0, 512), '0: 0+1');
  t.equal(parts(512, 1024), '0: 1+2');
  t.equal(parts(0, 1), '0: 1 at 0 of 0');
  t.equal(parts(511, 1), '0: 1 at 511 of 0');
  t.equal(parts(511, 2), '0: 1 at 511 of 0, 1: 1 at 0 of 1');
  t.equal(parts(600, 100), '0: 100 at 88 of 1', 'within one sector it is one part');
  t.equal(parts(500, 12), '0: 12 at 500 of 0');
  t.equal(parts(500, 13), '0: 12 at 500 of 0, 12: 1 at 0 of 1');
  t.equal(parts(500, 1048), '0: 12 at 500 of 0, 1036: 12 at 0 of 3, 12: 1+2');
  t.equal(parts(500, 1036), '0: 12 at 500 of 0, 12: 1+2');
  t.equal(parts(512, 513), '512: 1 at 0 of 2, 0: 1+1');
});

t.test('several calls are made at once, and end when all have, with the first error', async (t) => {
  const dones: Done[] = [];
  const results: number[] = [];
  const call = (done: Done): unknown => dones.push(done);
  several([call, call, call], (result) => results.push(result));
  t.equal(dones.length, 3);
  dones[2]?.(-errno.EIO);
  dones[0]?.(-errno.ENOSPC);
  t.same(results, []);
  dones[1]?.(0);
  t.same(results, [-errno.EIO]);
  several([(done) => done(0), (done) => done(5)], (result) => results.push(result));
  t.same(results, [-errno.EIO, 0], 'also where they end at once');
  several([], (result) => results.push(result));
  t.same(results, [-errno.EIO, 0, 0], 'none have ended');
});

t.test('a range is named by its length and its start', (t) => {
  t.equal(rangeText({ sector: 16, sectors: 8 }), '8 sectors at 16');
  t.equal(rangeText({ sector: 0, sectors: 1 }), '1 sector at 0');
  t.end();
});
