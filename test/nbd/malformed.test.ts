// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { connect } from 'node:net';
import t from 'tap';
import { Random } from '../../src/testing/random.js';
import { randomSeed } from '../random.js';
import { pattern } from '../disks/drivers/disk-world.js';
import { malformedHandshake } from './malformed.js';
import { nbdWorld, until } from './nbd-world.js';

/** With the malformed control messages of the next test file they are 10,000. */
const HANDSHAKES = 7_000;
const AT_ONCE = 64;
const seed = randomSeed(t);

// On a busy machine they are slow.
t.setTimeout(180_000);

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
      socket.write(malformedHandshake(random));
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
