// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { join } from 'node:path';
import t from 'tap';
import { AF_UNIX, errno, NodePosix } from '../../src/posix/index.js';
import { ClientConnection } from '../../src/server/client-connection.js';
import { listenOn } from '../../src/server/acceptor.js';
import { SimulatedWorld } from '../../src/testing/index.js';
import { shortDirectory } from '../short-directory.js';

t.test('a client that reads or sends nothing is dropped when the step times out', async (t) => {
  const path = join(shortDirectory(t), 's');
  const posix = new NodePosix();
  const listener = listenOn(posix, { family: AF_UNIX, path }, 8);
  const connection = await ClientConnection.open(posix, path, { stepSeconds: 0.05, wholeSeconds: 60 });
  if (typeof connection === 'number') throw new Error(`open: ${connection}`);
  t.equal(await connection.receive(Buffer.alloc(1)), -errno.ETIMEDOUT);
  t.equal(await connection.send(Buffer.alloc(8 << 20)), -errno.ETIMEDOUT);
  connection[Symbol.dispose]();
  posix.close(listener);
  t.same(posix.openDescriptors(), []);
});

t.test('the steps add up to no more than the whole', async (t) => {
  const path = join(shortDirectory(t), 's');
  const posix = new NodePosix();
  const listener = listenOn(posix, { family: AF_UNIX, path }, 8);
  const connection = await ClientConnection.open(posix, path, { stepSeconds: 60, wholeSeconds: 0.2 });
  if (typeof connection === 'number') throw new Error(`open: ${connection}`);
  t.equal(await connection.receive(Buffer.alloc(1)), -errno.ETIMEDOUT);
  t.equal(await connection.send(Buffer.alloc(8 << 20)), -errno.ETIMEDOUT);
  connection[Symbol.dispose]();
  posix.close(listener);
});

t.test('all bytes are sent, however few of them each write takes', async (t) => {
  const takes = [0, 1, -errno.EAGAIN, 0, 2, -errno.EAGAIN, 2];
  class Slow extends NodePosix {
    override write(fd: number, bytes: Uint8Array): number {
      const most = takes.shift() ?? bytes.length;
      return most <= 0 ? most : super.write(fd, bytes.subarray(0, most));
    }
  }
  const path = join(shortDirectory(t), 's');
  const posix = new Slow();
  const listener = listenOn(posix, { family: AF_UNIX, path }, 8);
  using connection = (await ClientConnection.open(posix, path, { stepSeconds: 60 })) as ClientConnection;
  t.equal(await connection.send(Buffer.from('abcdef')), 0);
  await posix.select({ read: [listener] }, 60);
  const peer = posix.accept(listener);
  await posix.select({ read: [peer] }, 60);
  const received = Buffer.alloc(10);
  t.equal(received.toString('latin1', 0, posix.read(peer, received)), 'abcdef');
  posix.close(peer);
  posix.close(listener);
});

t.test('a connection that breaks while its bytes are awaited ends with the error', async (t) => {
  const world = new SimulatedWorld();
  const host = world.host('10.0.0.1');
  const listener = listenOn(host.posix, { family: AF_UNIX, path: '/s' }, 8);
  const opening = ClientConnection.open(host.posix, '/s', { stepSeconds: 1 });
  using connection = (await world.complete(opening)) as ClientConnection;
  host.failCalls({ calls: ['read'], nth: 1, error: errno.ECONNRESET });
  t.equal(await world.complete(connection.receive(Buffer.alloc(1))), -errno.ECONNRESET);
  host.posix.close(listener);
});

t.test('a wait that fails is not taken for a connection', async (t) => {
  const world = new SimulatedWorld();
  const host = world.host('10.0.0.1');
  const listener = listenOn(host.posix, { family: AF_UNIX, path: '/s' }, 8);
  t.ok(listener >= 0);
  host.failCalls({ calls: ['connect'], nth: 1, error: errno.EINPROGRESS });
  host.failCalls({ calls: ['select'], nth: 1, error: errno.ENOMEM });
  const opened = await world.complete(ClientConnection.open(host.posix, '/s', { stepSeconds: 1 }));
  t.equal(opened, -errno.ENOMEM);
  host.posix.close(listener);
});

t.test('a connection closed by the peer is no longer written to, and ends', async (t) => {
  const path = join(shortDirectory(t), 's');
  const posix = new NodePosix();
  const listener = listenOn(posix, { family: AF_UNIX, path }, 8);
  const connection = await ClientConnection.open(posix, path, { stepSeconds: 60 });
  if (typeof connection === 'number') throw new Error(`open: ${connection}`);
  await posix.select({ read: [listener] }, 60);
  posix.close(posix.accept(listener));
  t.equal(await connection.receive(Buffer.alloc(1)), 0);
  t.equal(await connection.send(Buffer.alloc(8 << 20)), -errno.EPIPE);
  connection[Symbol.dispose]();
  posix.close(listener);
});
