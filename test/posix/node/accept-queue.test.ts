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
import { AcceptQueue } from '../../../src/posix/node/accept-queue.js';
import type { Descriptor } from '../../../src/posix/shared/descriptor.js';
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

t.test('a listener that listens again has the backlog of its latest call', async (t) => {
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

/** A queue of a server whose connections the test makes, and what it does with their descriptors. */
function queueOf(backlog = 5) {
  const server = new net.Server();
  const released: net.Socket[] = [];
  const changes: boolean[] = [];
  const queue: AcceptQueue = new AcceptQueue(
    server,
    backlog,
    (socket) => ({ release: () => void released.push(socket) }) as unknown as Descriptor,
    () => void changes.push(queue.ready),
  );
  const arrive = (): net.Socket => {
    const socket = new net.Socket();
    server.emit('connection', socket);
    return socket;
  };
  return { server, queue, released, changes, arrive };
}

t.test('it is ready while a connection or an error waits, and each change is reported', async (t) => {
  const { server, queue, changes, arrive } = queueOf();
  server.emit('error', Object.assign(new Error('no descriptors'), { code: 'EMFILE' }));
  t.equal(queue.ready, false, 'it accepts nothing yet');
  changes.length = 0;
  queue.attach();
  t.same(changes.splice(0), [true]);
  arrive();
  t.equal(typeof queue.first(), 'object', 'connections come first');
  queue.shift();
  t.same(changes.splice(0), [true, true]);
  t.equal(queue.first(), -errno.EMFILE);
  t.same(changes.splice(0), [false]);
  t.equal(queue.first(), -errno.EAGAIN);
  arrive();
  queue.shift();
  t.same(changes, [true, false]);
});

t.test('connections that wait go to the server’s other listener, released, once it is lent', async (t) => {
  const { server, queue, released, arrive } = queueOf();
  queue.attach();
  const waiting = [arrive(), arrive()];
  t.equal(queue.lend(), server);
  t.equal(queue.ready, false);
  await turns(1);
  t.equal(queue.length, 2, 'nobody listens there');
  const got: net.Socket[] = [];
  queue.lend();
  server.on('connection', (socket: net.Socket) => {
    t.ok(released.includes(socket), 'its descriptor has let go of it');
    got.push(socket);
  });
  await turns(1);
  t.same(got, waiting);
  t.equal(queue.length, 0);
});

t.test('a server that is accepted from again right after it was lent keeps those that wait', async (t) => {
  const { server, queue, released, arrive } = queueOf();
  queue.attach();
  arrive();
  queue.lend();
  server.on('connection', () => t.fail('it is handed over'));
  t.equal(typeof queue.first(), 'object');
  await turns(1);
  t.same([queue.length, released.length, queue.ready], [1, 0, true]);
  t.equal(server.listenerCount('connection'), 2);
});

t.test('a queue that is closed resets those that wait, and takes no more', async (t) => {
  const { server, queue, arrive } = queueOf();
  queue.attach();
  const waiting = [arrive(), arrive()];
  queue.close();
  t.ok(waiting.every(({ destroyed }) => destroyed));
  t.equal(server.listenerCount('connection'), 0);
  server.emit('error', new Error('too late'));
  t.equal(queue.ready, false);
});

t.test('a released server has no listener of the queue’s', async (t) => {
  const { server, queue } = queueOf();
  queue.attach();
  t.equal(queue.release(), server);
  t.same(server.eventNames(), []);
});

t.test(
  'as many may wait as the backlog says, from 128 to 4096, and a negative one is the most',
  async (t) => {
    for (const [backlog, limit] of [
      [0, 128],
      [129, 129],
      [5000, 4096],
      [-1, 4096],
    ] as const) {
      const { queue, arrive } = queueOf(backlog);
      queue.attach();
      while (queue.length < limit) arrive();
      t.equal(arrive().destroyed, true, `${backlog}`);
      t.equal(queue.length, limit);
    }
  },
);
