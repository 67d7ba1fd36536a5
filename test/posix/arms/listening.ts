// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  errno,
  READABLE,
  SO_ERROR,
  SOCK_STREAM,
  SOL_SOCKET,
  WRITABLE,
} from '../../../src/posix/index.js';
import { acceptOne, addressOf, type Behaviour, connection, listening, readiness, readText } from './world.js';

/** bind, listen and accept: all of them answer at once. */
export const listeningSockets: readonly Behaviour[] = [
  {
    title: 'bind to port 0 chooses a port at once; a second bind is -EINVAL',
    body: async (t, { b, hostB }) => {
      const fd = b.socket(AF_INET, SOCK_STREAM);
      t.equal(b.bind(fd, hostB), 0);
      const name = addressOf(b.getsockname(fd)) as { address: string; port: number };
      t.equal(name.address, hostB.address);
      t.ok(name.port > 0);
      t.equal(b.bind(fd, hostB), -errno.EINVAL);
      t.equal(b.listen(fd, 5), 0);
      t.same(b.getsockname(fd), name);
    },
  },
  {
    title: 'an address that the host does not have is -EADDRNOTAVAIL at once, and another can be bound then',
    body: async (t, { b, hostB, foreign }) => {
      const fd = b.socket(AF_INET, SOCK_STREAM);
      t.equal(b.bind(fd, foreign), -errno.EADDRNOTAVAIL);
      t.equal(b.bind(fd, hostB), 0);
    },
  },
  {
    title: 'a port in use is -EADDRINUSE at once, at bind or at listen, and free again once it is closed',
    body: async (t, { b, hostB }) => {
      const { fd: first, address } = listening(b, hostB);
      const second = b.socket(AF_INET, SOCK_STREAM);
      const bound = b.bind(second, address);
      t.equal(bound === 0 ? b.listen(second, 5) : bound, -errno.EADDRINUSE);
      b.close(second);
      b.close(first);
      t.equal(listening(b, address).fd, first);
    },
  },
  {
    title: 'listen without bind takes a free port on all addresses, a Unix socket without a path is -EINVAL',
    body: async (t, { b }) => {
      const fd = b.socket(AF_INET, SOCK_STREAM);
      t.equal(b.listen(fd, 1), 0);
      t.match(b.getsockname(fd), { family: AF_INET, address: '0.0.0.0' });
      t.ok((addressOf(b.getsockname(fd)) as { port: number }).port > 0);
      t.equal(b.listen(b.socket(AF_UNIX, SOCK_STREAM), 1), -errno.EINVAL);
    },
  },
  {
    title: 'listen takes any whole number for the backlog, and may be called again',
    body: async (t, world) => {
      const { a, b, hostB } = world;
      for (const backlog of [0, -1, 1, 1_000_000]) {
        const { fd, address } = listening(b, hostB, backlog);
        t.equal(b.listen(fd, 2), 0);
        const client = a.socket(AF_INET, SOCK_STREAM);
        a.connect(client, address);
        t.ok((await acceptOne(b, fd)) > fd, `backlog ${backlog}`);
      }
      const fd = b.socket(AF_INET, SOCK_STREAM);
      t.equal(b.listen(fd, Number.NaN), -errno.EINVAL);
      t.equal(b.listen(fd, 0.5), -errno.EINVAL);
      t.equal(b.listen(fd, 1), 0);
      t.equal(b.listen(fd, 0.5), -errno.EINVAL);
    },
  },
  {
    title: 'accept takes the connections in the order in which they came; what was sent meanwhile is there',
    body: async (t, world) => {
      const { a, b, hostB } = world;
      const { fd, address } = listening(b, hostB);
      for (const text of ['first', 'second']) {
        const client = a.socket(AF_INET, SOCK_STREAM);
        a.connect(client, address);
        await readiness(a, client, WRITABLE);
        a.write(client, Buffer.from(text));
      }
      t.equal(await readText(b, await acceptOne(b, fd)), 'first');
      t.equal(await readText(b, await acceptOne(b, fd)), 'second');
    },
  },
  {
    title: 'a connection that was closed while it waited is handed out, with its bytes and its end of file',
    body: async (t, world) => {
      const { a, b, hostB } = world;
      const { fd, address } = listening(b, hostB);
      const client = a.socket(AF_INET, SOCK_STREAM);
      a.connect(client, address);
      await readiness(a, client, WRITABLE);
      a.write(client, Buffer.from('short visit'));
      a.close(client);
      const server = await acceptOne(b, fd);
      t.equal(await readText(b, server), 'short visit');
      t.equal(await readText(b, server), '');
    },
  },
  {
    title: 'closing the listener drops the connections that wait, and not those that were accepted',
    body: async (t, world) => {
      const { a, b } = world;
      const { client, server, listener } = await connection(world);
      const waiting = a.socket(AF_INET, SOCK_STREAM);
      a.connect(waiting, addressOf(b.getsockname(listener)));
      await readiness(a, waiting, WRITABLE);
      await readiness(b, listener, READABLE);
      b.close(listener);
      await readiness(a, waiting, READABLE);
      t.equal(a.read(waiting, new Uint8Array(1)), -errno.ECONNRESET);
      a.write(client, Buffer.from('still here'));
      t.equal(await readText(b, server), 'still here');
    },
  },
  {
    title: 'accept at the limit of descriptors is -EMFILE and leaves the connection for later',
    body: async (t, world) => {
      const { a, b, hostA, maxDescriptorsOfA } = world;
      const { fd, address } = listening(a, hostA);
      const client = b.socket(AF_INET, SOCK_STREAM);
      b.connect(client, address);
      await readiness(b, client, WRITABLE);
      await readiness(a, fd, READABLE);
      const others = [];
      while (others.length + 4 < maxDescriptorsOfA) others.push(a.eventfd());
      t.equal(a.accept(fd), -errno.EMFILE);
      a.close(others[0] ?? -1);
      b.write(client, Buffer.from('patience'));
      t.equal(await readText(a, await acceptOne(a, fd)), 'patience');
    },
  },
  {
    title: 'a listener has no error pending, and keeps none',
    body: async (t, { b, hostB }) => {
      const { fd } = listening(b, hostB);
      t.equal(b.getsockopt(fd, SOL_SOCKET, SO_ERROR), 0);
    },
  },
  {
    title: 'Unix sockets: bind takes the path, connect finds it, the names are as in C',
    body: async (t, world) => {
      const { a, b } = world;
      const path = world.unixPath();
      if (path === undefined) return t.comment('this world has no Unix sockets');
      const { client, server, listener } = await connection(world, { family: AF_UNIX, path });
      t.same(b.getsockname(listener), { family: AF_UNIX, path });
      t.same(b.getsockname(server), { family: AF_UNIX, path });
      t.same(b.getpeername(server), { family: AF_UNIX, path: '' });
      t.same(a.getpeername(client), { family: AF_UNIX, path });
      t.same(a.getsockname(client), { family: AF_UNIX, path: '' });
      a.write(client, Buffer.from('hello'));
      t.equal(await readText(b, server), 'hello');
      const second = b.socket(AF_UNIX, SOCK_STREAM);
      t.equal(b.bind(second, { family: AF_UNIX, path }), -errno.EADDRINUSE);
      return undefined;
    },
  },
  {
    title:
      'Unix sockets: a path where nobody listens shows in SO_ERROR, and the descriptor can connect later',
    body: async (t, world) => {
      const { a, b } = world;
      const path = world.unixPath();
      if (path === undefined) return t.comment('this world has no Unix sockets');
      const fd = a.socket(AF_UNIX, SOCK_STREAM);
      t.equal(a.connect(fd, { family: AF_UNIX, path }), -errno.EINPROGRESS);
      await readiness(a, fd, WRITABLE);
      t.equal(a.getsockopt(fd, SOL_SOCKET, SO_ERROR), errno.ENOENT);
      const { fd: listener } = listening(b, { family: AF_UNIX, path });
      t.equal(a.connect(fd, { family: AF_UNIX, path }), -errno.EINPROGRESS);
      await readiness(a, fd, WRITABLE);
      t.equal(a.getsockopt(fd, SOL_SOCKET, SO_ERROR), 0);
      t.ok((await acceptOne(b, listener)) > listener);
      return undefined;
    },
  },
  {
    title: 'Unix sockets: impossible paths are errors at once',
    body: async (t, { a }) => {
      const fd = a.socket(AF_UNIX, SOCK_STREAM);
      const bind = (path: unknown): number => a.bind(fd, { family: AF_UNIX, path: path as string });
      t.equal(bind(''), -errno.EINVAL);
      t.equal(bind(7), -errno.EINVAL);
      t.equal(bind('/tmp/zero\0byte'), -errno.EINVAL);
      t.equal(bind(`/tmp/${'x'.repeat(103)}`), -errno.ENAMETOOLONG);
      t.equal(bind(`/tmp/${'ö'.repeat(52)}`), -errno.ENAMETOOLONG, 'what counts is bytes');
      t.equal(a.bind(fd, { family: AF_INET, address: '127.0.0.1', port: 0 }), -errno.EAFNOSUPPORT);
      t.equal(
        a.bind(a.socket(AF_INET6, SOCK_STREAM), { family: AF_INET6, address: '127.0.0.1', port: 0 }),
        -errno.EINVAL,
      );
    },
  },
];
