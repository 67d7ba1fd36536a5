// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import net from 'node:net';
import path from 'node:path';
import t from 'tap';
import {
  AF_INET,
  AF_UNIX,
  errno,
  MIN_WAITING_CONNECTIONS,
  READABLE,
  type SocketAddress,
} from '../../../src/posix/index.js';
import { acceptOne, listening, readiness, readText } from '../arms/world.js';
import { shortDirectory } from '../../short-directory.js';
import { posixFor, turns } from '../fixture.js';

/** Connects so many Node sockets and returns how each fared once the server has seen all. */
async function visitors(
  address: SocketAddress,
  count: number,
): Promise<{ sockets: net.Socket[]; dropped: () => number }> {
  let dropped = 0;
  const sockets = [];
  for (let n = 0; n < count; n++) {
    const socket =
      address.family === AF_UNIX ? net.connect(address.path) : net.connect(address.port, address.address);
    socket.on('error', () => {});
    socket.on('close', () => (dropped += 1));
    socket.resume();
    // One that is turned away may never get as far as `connect`.
    await Promise.race(
      ['connect', 'close'].map((event) => new Promise((resolve) => socket.on(event, resolve))),
    );
    sockets.push(socket);
  }
  return { sockets, dropped: () => dropped };
}

t.test('connections beyond the limit are rejected; those that wait are all accepted', async (t) => {
  const posix = posixFor(t);
  const addresses: SocketAddress[] = [
    { family: AF_INET, address: '127.0.0.1', port: 0 },
    { family: AF_UNIX, path: path.join(shortDirectory(t), 's') },
  ];
  for (const wanted of addresses) {
    const { fd, address } = listening(posix, wanted, 0);
    const { sockets, dropped } = await visitors(address, MIN_WAITING_CONNECTIONS + 3);
    while (dropped() < 3) await turns(1);
    let accepted = 0;
    for (; posix.accept(fd) >= 0; accepted++);
    t.same([accepted, MIN_WAITING_CONNECTIONS], [128, 128]);
    t.equal(dropped(), 3);
    for (const socket of sockets) socket.destroy();
  }
});

t.test('a listener that listens again has room for as many as it says then', async (t) => {
  const posix = posixFor(t);
  const { fd, address } = listening(posix, { family: AF_UNIX, path: path.join(shortDirectory(t), 's') }, 0);
  t.equal(posix.listen(fd, MIN_WAITING_CONNECTIONS + 2), 0);
  const { sockets, dropped } = await visitors(address, MIN_WAITING_CONNECTIONS + 3);
  while (dropped() < 1) await turns(1);
  let accepted = 0;
  for (; posix.accept(fd) >= 0; accepted++);
  t.same([accepted, dropped()], [MIN_WAITING_CONNECTIONS + 2, 1]);
  for (const socket of sockets) socket.destroy();
});

t.test('a connection reset in the backlog is accepted, and reports the reset', async (t) => {
  const posix = posixFor(t);
  const { fd, address } = listening(posix, { family: AF_INET, address: '127.0.0.1', port: 0 });
  const peer = net.connect((address as { port: number }).port, '127.0.0.1');
  await readiness(posix, fd, READABLE);
  peer.resetAndDestroy();
  await turns(5);
  const accepted = await acceptOne(posix, fd);
  t.equal(await readText(posix, accepted), String(-errno.ECONNRESET));
  t.equal(await readText(posix, accepted), '');
});
