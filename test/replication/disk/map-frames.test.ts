// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { BitSet } from '../../../src/replication/disk/bit-set.js';
import { mapBodies, MapReader } from '../../../src/replication/disk/own/map-frames.js';
import { numbersBody } from '../../../src/replication/disk/wire/frame.js';

t.test('a map of many frames arrives as it was', (t) => {
  const grains = new BitSet(40_000);
  for (let grain = 0; grain < 40_000; grain += 3) grains.addRange(grain, grain + (grain % 2));
  const bodies = [...mapBodies(grains)];
  t.ok(bodies.length > 3);
  const reader = new MapReader(new BitSet(40_000));
  for (const body of bodies) reader.take(body);
  t.strictSame([...reader.grains], [...grains]);
  t.end();
});

t.test('reading a map is bounded by the disk’s grains, whatever it contains', (t) => {
  const size = 1 << 20;
  const refused = (why: RegExp, ...bodies: Uint8Array[]): void => {
    const reader = new MapReader(new BitSet(size));
    t.throws(() => bodies.forEach((body) => reader.take(body)), { name: 'ProtocolError', message: why });
  };
  refused(/grain 0 comes after/, numbersBody(0, size, 0, size));
  refused(/grain 0 comes after/, numbersBody(0, size), numbersBody(0, size));
  refused(/grain 4 comes after 5/, numbersBody(4, 2, 4, 1));
  refused(/not within/, numbersBody(5, 0));
  refused(/not within/, numbersBody(size, 1));
  refused(/not within/, numbersBody(1, 2 ** 53 - 1));
  refused(/more than 4096 ranges/, new Uint8Array(16 * 4097));
  refused(/half a range/, new Uint8Array(24));
  t.end();
});
