// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { selectPromise } from '../../../src/posix/shared/select-once.js';
import {
  AF_INET,
  errno,
  READABLE,
  SHUT_WR,
  SO_ERROR,
  SOCK_STREAM,
  SOL_SOCKET,
  WRITABLE,
} from '../../../src/posix/index.js';
import { addressOf, type Behaviour, bound, connection, listening, readiness, readyFor } from './world.js';

/** The table of readiness. */
export const readinessTable: readonly Behaviour[] = [
  {
    title: 'a stream that was never connected is ready for READ and WRITE, and both say -ENOTCONN',
    body: async (t, { a }) => {
      const fd = a.socket(AF_INET, SOCK_STREAM);
      t.equal(await readyFor(a, fd), 'RW');
      t.equal(a.read(fd, new Uint8Array(1)), -errno.ENOTCONN);
      t.equal(a.write(fd, new Uint8Array(1)), -errno.ENOTCONN);
      t.equal(a.shutdown(fd, SHUT_WR), -errno.ENOTCONN);
      t.equal(a.getpeername(fd), -errno.ENOTCONN);
    },
  },
  {
    title: 'a connecting stream is ready for nothing',
    body: async (t, { a, b, hostB }) => {
      const fd = a.socket(AF_INET, SOCK_STREAM);
      const poller = a.createPoller();
      poller.setInterest(fd, READABLE | WRITABLE);
      const before = selectPromise(poller, 0);
      t.equal(a.connect(fd, listening(b, hostB).address), -errno.EINPROGRESS);
      // No turn of any loop has passed since connect, so that the outcome cannot be known.
      t.equal(a.read(fd, new Uint8Array(1)), -errno.ENOTCONN);
      t.equal(a.write(fd, new Uint8Array(1)), -errno.ENOTCONN);
      t.equal(a.getpeername(fd), -errno.ENOTCONN);
      poller.close();
      await before;
    },
  },
  {
    title:
      'a connect that failed is ready for both until and after SO_ERROR is fetched, which says why just once',
    body: async (t, { a, b, hostB }) => {
      const { address } = bound(b, hostB);
      const fd = a.socket(AF_INET, SOCK_STREAM);
      t.equal(a.connect(fd, address), -errno.EINPROGRESS);
      await readiness(a, fd, WRITABLE);
      t.equal(await readyFor(a, fd), 'RW');
      t.equal(a.getsockopt(fd, SOL_SOCKET, SO_ERROR), errno.ECONNREFUSED);
      t.equal(a.getsockopt(fd, SOL_SOCKET, SO_ERROR), 0);
      t.equal(await readyFor(a, fd), 'RW', 'it is a stream that is not connected again');
      t.equal(a.read(fd, new Uint8Array(1)), -errno.ENOTCONN);
    },
  },
  {
    title:
      'a connected stream is ready for WRITE while there is room, for READ when bytes or the end of file wait',
    body: async (t, world) => {
      const { a, b } = world;
      const { client, server } = await connection(world);
      t.equal(await readyFor(b, server), 'W');
      a.write(client, Buffer.from('ab'));
      await readiness(b, server, READABLE);
      t.equal(await readyFor(b, server), 'RW');
      t.equal(b.read(server, new Uint8Array(1)), 1);
      t.equal(
        await readyFor(b, server),
        'RW',
        'readiness is a level: the byte that was not read is reported again',
      );
      t.equal(b.read(server, new Uint8Array(1)), 1);
      t.equal(await readyFor(b, server), 'W');
      a.close(client);
      await readiness(b, server, READABLE);
      for (let time = 0; time < 3; time++) {
        t.equal(await readyFor(b, server), 'RW');
        t.equal(b.read(server, new Uint8Array(1)), 0);
      }
    },
  },
  {
    title: 'a stream whose send buffer is full is not ready for WRITE until the peer has read',
    body: async (t, world) => {
      const { a, b } = world;
      const { client, server } = await connection(world);
      const block = new Uint8Array(65_536);
      let sent = 0;
      for (;;) {
        const count = a.write(client, block);
        if (count === -errno.EAGAIN) {
          const answer = await a.select({ write: [client] }, 0.05);
          // The network may take more in the meantime: only a buffer that stays full is full.
          if (
            typeof answer !== 'number' &&
            answer.write.length === 0 &&
            a.write(client, block) === -errno.EAGAIN
          )
            break;
        } else sent += count;
      }
      t.equal(await readyFor(a, client), '');
      let got = 0;
      const buffer = new Uint8Array(65_536);
      while (got < sent) {
        await readiness(b, server, READABLE);
        const count = b.read(server, buffer);
        if (count > 0) got += count;
      }
      await readiness(a, client, WRITABLE);
      t.ok(a.write(client, block) > 0);
    },
  },
  {
    title: 'a reset makes both sides ready: read returns -ECONNRESET once and then 0, write returns -EPIPE',
    body: async (t, world) => {
      const { a, b } = world;
      const { client, server } = await connection(world);
      world.reset(a, client);
      await readiness(b, server, READABLE);
      t.equal(await readyFor(b, server), 'RW');
      t.equal(b.write(server, new Uint8Array(1)), -errno.EPIPE);
      t.equal(b.read(server, new Uint8Array(1)), -errno.ECONNRESET);
      t.equal(b.read(server, new Uint8Array(1)), 0);
      t.equal(b.read(server, new Uint8Array(1)), 0);
      t.equal(b.write(server, new Uint8Array(1)), -errno.EPIPE);
      t.equal(await readyFor(b, server), 'RW');
    },
  },
  {
    title: 'SO_ERROR fetches the error of a reset as well, and then read has the end of file',
    body: async (t, world) => {
      const { a, b } = world;
      const { client, server } = await connection(world);
      world.reset(b, server);
      await readiness(a, client, READABLE);
      t.equal(a.getsockopt(client, SOL_SOCKET, SO_ERROR), errno.ECONNRESET);
      t.equal(a.getsockopt(client, SOL_SOCKET, SO_ERROR), 0);
      t.equal(a.read(client, new Uint8Array(1)), 0);
    },
  },
  {
    title: 'a listening socket is ready for READ while a connection waits, never for WRITE',
    body: async (t, { a, b, hostB }) => {
      const { fd, address } = listening(b, hostB);
      t.equal(await readyFor(b, fd), '');
      t.equal(b.accept(fd), -errno.EAGAIN);
      const clients = [1, 2].map(() => a.socket(AF_INET, SOCK_STREAM));
      for (const client of clients) a.connect(client, address);
      for (const client of clients) await readiness(a, client, WRITABLE);
      await readiness(b, fd, READABLE);
      t.equal(await readyFor(b, fd), 'R');
      t.ok(b.accept(fd) > fd);
      await readiness(b, fd, READABLE);
      t.ok(b.accept(fd) > fd);
      t.equal(b.accept(fd), -errno.EAGAIN);
      t.equal(await readyFor(b, fd), '');
    },
  },
  {
    title: 'descriptors that become ready in one turn are reported by one select',
    body: async (t, world) => {
      const { a } = world;
      const counters = [0, 0, 0].map((initial) => a.eventfd(initial));
      const waiting = a.select({ read: counters }, 20);
      for (const fd of counters) a.write(fd, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
      t.same(await waiting, { read: counters, write: [], except: [] });
    },
  },
  {
    title: 'select returns nothing when the time is over, and -EINVAL for an invalid time',
    body: async (t, { a }) => {
      const fd = a.eventfd();
      t.same(await a.select({ read: [fd] }, 0), { read: [], write: [], except: [] });
      t.same(await a.select({ read: [fd] }, 0.01), { read: [], write: [], except: [] });
      t.same(await a.select({}, 0), { read: [], write: [], except: [] });
      t.equal(await a.select({}, -1), -errno.EINVAL);
      t.equal(await a.select({}, Number.NaN), -errno.EINVAL);
    },
  },
  {
    title:
      'a descriptor that is asked for in several sets is reported in each that holds, in ascending order',
    body: async (t, world) => {
      const { a } = world;
      const { client } = await connection(world);
      const both = a.eventfd(1);
      t.same(await a.select({ read: [both, client], write: [both, client, both], except: [client] }, 1), {
        read: [both],
        write: [client, both],
        except: [],
      });
      t.ok(addressOf(a.getpeername(client)));
    },
  },
];
