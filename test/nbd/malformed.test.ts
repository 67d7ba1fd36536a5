// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { connect } from 'node:net';
import t from 'tap';
import { Random } from '../../src/testing/random.js';
import { randomSeed } from '../random.js';
import { pattern } from '../disks/drivers/disk-world.js';
import { nbdWorld, until } from './nbd-world.js';
import { exportRequest, option, request, u32 } from './raw-client.js';

/** With the malformed control messages of the next test file they are 10,000. */
const HANDSHAKES = 7_000;
const AT_ONCE = 64;
const seed = randomSeed(t);

// On a busy machine they are slow.
t.setTimeout(180_000);

const garbage = (random: Random, length: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, () => random.integer(0, 255)));

/** What a client may say, piece by piece: mostly sensible, so that what is wrong comes late too. */
const pieces: ((random: Random) => Buffer)[] = [
  () => option(3),
  () => option(8),
  () => option(6, exportRequest('0', 3)),
  () => option(7, exportRequest('0', 3)),
  () => option(7, exportRequest('')),
  () => option(1, '0'),
  () => option(2),
  () => option(5),
  (random) => option(random.integer(0, 12), garbage(random, random.integer(0, 40))),
  (random) => Buffer.concat([option(random.integer(0, 12)).subarray(0, 12), u32(random.word())]),
  (random) =>
    request(random.integer(0, 8), { flags: random.integer(0, 7), length: 512 * random.integer(0, 8) }),
  () => request(1, { length: 4096, data: Buffer.alloc(4096) }),
  (random) => garbage(random, random.integer(1, 60)),
];

/** A handshake with something wrong: bytes changed, taken out, put in, or the rest missing. */
function malformed(random: Random): Buffer {
  const parts = [u32(random.chance(0.95) ? 3 : random.word())];
  for (let count = random.integer(0, 6); count > 0; count--) parts.push(random.pick(pieces)(random));
  let bytes = Buffer.concat(parts);
  for (let count = random.integer(0, 3); count > 0; count--) {
    const at = random.integer(0, bytes.length);
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    const kind = random.integer(0, 3);
    if (kind === 0) bytes = Buffer.from(before);
    else if (kind === 1) bytes = Buffer.concat([before, after.subarray(random.integer(0, 8))]);
    else if (kind === 2) bytes = Buffer.concat([before, garbage(random, random.integer(1, 8)), after]);
    else bytes = Buffer.concat([before, garbage(random, 1), after.subarray(1)]);
  }
  return bytes;
}

t.test(
  `${HANDSHAKES} malformed handshakes leave the server serving, with no descriptor leaked`,
  async (t) => {
    const world = nbdWorld(t);
    await world.open('ram:1');
    const healthy = await world.client('0');
    const descriptors = world.posix.openDescriptors().length;
    let left = HANDSHAKES;
    // Without promises: tap makes each of them cost more than a connection does.
    const visit = (done: () => void): void => {
      if (left-- <= 0) {
        done();
        return;
      }
      // Of its own seed each, so that they are the same however they take turns.
      const random = new Random(seed + left);
      const socket = connect({ path: world.path('nbd.sock') });
      socket.on('error', () => {}).on('close', () => visit(done));
      socket.write(malformed(random));
      // One in ten goes with the greeting unread; the others end what they send, which ends what the server waits for.
      if (random.chance(0.1)) socket.once('connect', () => socket.destroy());
      else socket.resume().end();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, () => new Promise<void>(visit)));
    await until(() => world.nbd.connections === 1);
    await healthy.write(0, pattern(8, 1));
    t.strictSame(await healthy.read(0, 4096), pattern(8, 1));
    t.equal(world.posix.openDescriptors().length, descriptors);
    t.equal((await world.client('')).facts.size, 1 << 20);
  },
);
