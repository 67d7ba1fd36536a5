// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  errno,
  SO_ERROR,
  SOCK_STREAM,
  SOL_SOCKET,
  type SocketAddress,
  WRITABLE,
} from '../../../src/posix/index.js';
import {
  acceptOne,
  addressOf,
  type Behaviour,
  bound,
  connection,
  listening,
  readiness,
  readText,
  succeeded,
} from './world.js';

/** connect, and the names of both ends. */
export const connecting: readonly Behaviour[] = [
  {
    title: 'connect says -EINPROGRESS, then -EALREADY, then -EISCONN; the outcome is in SO_ERROR',
    body: async (t, { a, b, hostB }) => {
      const { address } = listening(b, hostB);
      const fd = a.socket(AF_INET, SOCK_STREAM);
      t.equal(a.connect(fd, address), -errno.EINPROGRESS);
      t.equal(a.connect(fd, address), -errno.EALREADY);
      t.equal(a.getsockopt(fd, SOL_SOCKET, SO_ERROR), 0);
      await readiness(a, fd, WRITABLE);
      t.equal(a.getsockopt(fd, SOL_SOCKET, SO_ERROR), 0);
      t.equal(a.connect(fd, address), -errno.EISCONN);
      t.equal(a.listen(fd, 1), -errno.EINVAL);
      t.equal(a.bind(fd, hostB), -errno.EINVAL);
      t.equal(a.accept(fd), -errno.EINVAL);
    },
  },
  {
    title:
      'a refused connect leaves the descriptor: it is refused again while nobody listens, and connects once somebody does',
    body: async (t, { a, b, hostB }) => {
      const { fd: listener, address } = bound(b, hostB);
      const fd = a.socket(AF_INET, SOCK_STREAM);
      for (let time = 0; time < 3; time++) {
        t.equal(a.connect(fd, address), -errno.EINPROGRESS);
        await readiness(a, fd, WRITABLE);
        // The third time nobody fetches the error before the next connect.
        if (time < 2) t.equal(a.getsockopt(fd, SOL_SOCKET, SO_ERROR), errno.ECONNREFUSED);
      }
      t.equal(b.listen(listener, 5), 0);
      t.equal(a.connect(fd, address), -errno.EINPROGRESS);
      await readiness(a, fd, WRITABLE);
      t.equal(a.getsockopt(fd, SOL_SOCKET, SO_ERROR), 0);
      const server = await acceptOne(b, listener);
      a.write(fd, Buffer.from('at last'));
      t.equal(await readText(b, server), 'at last');
    },
  },
  {
    title: 'an address that does not fit the socket is an error at once, and the descriptor stays usable',
    body: async (t, { a, b, hostB }) => {
      const fd = a.socket(AF_INET, SOCK_STREAM);
      const bad: [unknown, number][] = [
        [undefined, errno.EFAULT],
        [null, errno.EFAULT],
        ['10.0.0.1:80', errno.EFAULT],
        [{}, errno.EAFNOSUPPORT],
        [{ family: AF_INET6, address: '::1', port: 1 }, errno.EAFNOSUPPORT],
        [{ family: AF_UNIX, path: '/tmp/x' }, errno.EAFNOSUPPORT],
        [{ family: AF_INET, address: 'localhost', port: 1 }, errno.EINVAL],
        [{ family: AF_INET, address: '::1', port: 1 }, errno.EINVAL],
        [{ family: AF_INET, address: '127.0.0.1', port: 65_536 }, errno.EINVAL],
        [{ family: AF_INET, address: '127.0.0.1', port: -1 }, errno.EINVAL],
        [{ family: AF_INET, address: '127.0.0.1', port: 1.5 }, errno.EINVAL],
        [{ family: AF_INET, address: '127.0.0.1', port: '80' }, errno.EINVAL],
        [{ family: AF_INET, address: '127.0.0.1' }, errno.EINVAL],
      ];
      for (const [address, error] of bad) {
        t.equal(a.connect(fd, address as SocketAddress), -error, `connect to ${JSON.stringify(address)}`);
        t.equal(a.bind(fd, address as SocketAddress), -error, `bind to ${JSON.stringify(address)}`);
      }
      const { address } = listening(b, hostB);
      t.equal(a.connect(fd, address), -errno.EINPROGRESS);
      await readiness(a, fd, WRITABLE);
      t.equal(a.getsockopt(fd, SOL_SOCKET, SO_ERROR), 0);
    },
  },
  {
    title:
      'getsockname and getpeername name both ends, each as the other sees it, and go on after the connection is over',
    body: async (t, world) => {
      const { a, b } = world;
      const { client, server, listener } = await connection(world);
      const listeningAt = addressOf(b.getsockname(listener));
      t.same(a.getpeername(client), listeningAt);
      t.same(b.getsockname(server), listeningAt);
      t.same(b.getpeername(server), a.getsockname(client));
      const name = a.getsockname(client);
      b.close(server);
      t.equal(await readText(a, client), '');
      t.same(a.getsockname(client), name);
    },
  },
  {
    title: 'an unconnected socket is bound to nothing, a listener has no peer',
    body: async (t, { a, b, hostB }) => {
      t.same(a.getsockname(a.socket(AF_INET, SOCK_STREAM)), { family: AF_INET, address: '0.0.0.0', port: 0 });
      t.same(a.getsockname(a.socket(AF_INET6, SOCK_STREAM)), { family: AF_INET6, address: '::', port: 0 });
      t.same(a.getsockname(a.socket(AF_UNIX, SOCK_STREAM)), { family: AF_UNIX, path: '' });
      const { fd, address } = listening(b, hostB);
      t.equal(b.getpeername(fd), -errno.ENOTCONN);
      t.equal(b.connect(fd, address), -errno.EISCONN);
      t.equal(b.read(fd, new Uint8Array(1)), -errno.ENOTCONN);
      t.equal(b.write(fd, new Uint8Array(1)), -errno.ENOTCONN);
      t.equal(b.shutdown(fd, 1), -errno.ENOTCONN);
      t.equal(b.bind(fd, hostB), -errno.EINVAL);
    },
  },
  {
    title: 'a socket that is bound before it connects comes from there',
    body: async (t, { a, b, hostB }) => {
      const { fd: listener, address } = listening(b, hostB);
      const fd = a.socket(AF_INET, SOCK_STREAM);
      t.equal(a.bind(fd, { family: AF_INET, address: '0.0.0.0', port: 0 }), 0);
      const { port } = addressOf(a.getsockname(fd)) as { port: number };
      t.ok(port > 0);
      t.equal(a.connect(fd, address), -errno.EINPROGRESS);
      await readiness(a, fd, WRITABLE);
      t.equal(a.getsockopt(fd, SOL_SOCKET, SO_ERROR), 0);
      t.match(b.getpeername(await acceptOne(b, listener)), { port });
    },
  },
  {
    title: 'IPv6 works as IPv4 does',
    body: async (t, world) => {
      if (world.loopback6 === undefined) return t.comment('this world has no IPv6');
      const { client, server } = await connection({ ...world, a: world.b }, world.loopback6);
      t.match(world.b.getpeername(server), { family: AF_INET6, address: '::1' });
      world.b.write(client, Buffer.from('six'));
      t.equal(await readText(world.b, server), 'six');
      return undefined;
    },
  },
  {
    title: 'closing while it connects just ends it',
    body: async (t, { a, b, hostB }) => {
      const { address } = listening(b, hostB);
      const fd = a.socket(AF_INET, SOCK_STREAM);
      a.connect(fd, address);
      t.equal(a.close(fd), 0);
      t.same(a.openDescriptors(), []);
      t.equal(succeeded(a.socket(AF_INET, SOCK_STREAM)), fd);
    },
  },
];
