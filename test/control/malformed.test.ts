// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { Random } from '../../src/testing/random.js';
import { randomSeed } from '../random.js';
import { malformedMessage } from './malformed.js';
import { bytesOf, connectTo, controlWorld, PID } from './world.js';

const MESSAGES = 3000;
const AT_ONCE = 16;
const seed = randomSeed(t);

/** Sends them in pieces, and ends or breaks the connection or waits for its end. */
async function visit(path: string, random: Random): Promise<void> {
  const socket = connectTo(path);
  const bytes = malformedMessage(random);
  const cut = random.integer(0, bytes.length);
  socket.write(bytes.subarray(0, cut));
  if (random.chance(0.5)) await new Promise(setImmediate);
  if (random.chance(0.2)) {
    socket.destroy();
    return;
  }
  // The end of what it sends ends a request that is not whole; so nobody waits for a time to be over.
  socket.end(bytes.subarray(cut));
  // A pause may wait for a held request: another visitor may have to end it.
  await bytesOf(socket);
}

t.setTimeout(120_000);

t.test(`${MESSAGES} malformed messages leave the daemon serving, with no descriptor leaked`, async (t) => {
  const world = controlWorld(t);
  const random = new Random(seed);
  let left = MESSAGES;
  const visitor = async (): Promise<void> => {
    while (left-- > 0) await visit(world.control.path, random);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, visitor));
  t.equal(await world.client.pid(PID), PID);
  while (world.control.connections > 0) await new Promise(setImmediate);
  t.equal(world.control.accepted, MESSAGES + 1);
  t.equal(world.server.posix.openDescriptors().length, world.descriptors);
});
