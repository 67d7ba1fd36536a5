// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Random } from '../../src/testing/random.js';
import { mutated } from '../fuzz/mutated.js';
import { randomBytes } from '../random.js';
import { exportRequest, extendedRequest, option, request, u32 } from './raw-client.js';

/** What a client may say, piece by piece: mostly sensible, so that what is wrong comes late too. */
const pieces: ((random: Random) => Buffer)[] = [
  () => option(3),
  () => option(8),
  () => option(11),
  () => option(6, exportRequest('0', 3)),
  () => option(7, exportRequest('0', 3)),
  () => option(7, exportRequest('')),
  () => option(1, '0'),
  () => option(2),
  () => option(5),
  (random) => option(random.integer(0, 12), randomBytes(random, random.integer(0, 40))),
  (random) => Buffer.concat([option(random.integer(0, 12)).subarray(0, 12), u32(random.word())]),
  (random) =>
    request(random.integer(0, 8), { flags: random.integer(0, 7), length: 512 * random.integer(0, 8) }),
  () => request(1, { length: 4096, data: Buffer.alloc(4096) }),
  (random) =>
    extendedRequest(random.integer(0, 8), {
      flags: random.integer(0, 63),
      offset: random.chance(0.2) ? BigInt(random.word()) << 32n : 0n,
      length: random.chance(0.2) ? random.word() * 2 ** 32 : 512 * random.integer(0, 8),
    }),
  (random) =>
    extendedRequest(random.integer(0, 8), { data: randomBytes(random, random.pick([5, 8, 12, 16, 4096])) }),
  (random) => randomBytes(random, random.integer(1, 60)),
];

/** A handshake with something wrong: bytes changed, taken out, put in, or the rest missing. */
export function malformedHandshake(random: Random): Buffer {
  const parts = [u32(random.chance(0.95) ? 3 : random.word())];
  for (let count = random.integer(0, 6); count > 0; count--) parts.push(random.pick(pieces)(random));
  return mutated(random, Buffer.concat(parts));
}
