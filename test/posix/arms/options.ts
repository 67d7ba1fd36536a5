// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  AF_INET,
  AF_UNIX,
  errno,
  F_GETFL,
  F_SETFL,
  IPPROTO_TCP,
  O_NONBLOCK,
  O_RDWR,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_KEEPIDLE,
  TCP_NODELAY,
} from '../../../src/posix/index.js';
import { type Behaviour, connection, listening, readText } from './world.js';

const options: readonly [string, number, number][] = [
  ['SO_REUSEADDR', SOL_SOCKET, SO_REUSEADDR],
  ['SO_KEEPALIVE', SOL_SOCKET, SO_KEEPALIVE],
  ['TCP_NODELAY', IPPROTO_TCP, TCP_NODELAY],
];

/** setsockopt, getsockopt and fcntl. */
export const socketOptions: readonly Behaviour[] = [
  {
    title:
      'SO_REUSEADDR, SO_KEEPALIVE and TCP_NODELAY are off, and are kept when they are set, connected or not',
    body: async (t, world) => {
      const { a, b, hostB } = world;
      const { client } = await connection(world);
      for (const [posix, fd] of [
        [a, a.socket(AF_INET, SOCK_STREAM)],
        [a, client],
        [b, listening(b, hostB).fd],
      ] as const) {
        for (const [name, level, option] of options) {
          t.equal(posix.getsockopt(fd, level, option), 0, name);
          t.equal(posix.setsockopt(fd, level, option, 7), 0, name);
          t.equal(posix.getsockopt(fd, level, option), 1, name);
          t.equal(posix.setsockopt(fd, level, option, 0), 0, name);
          t.equal(posix.getsockopt(fd, level, option), 0, name);
        }
      }
    },
  },
  {
    title: "an accepted socket has its listener's options, and bytes get through with any of them",
    body: async (t, world) => {
      const { a, b } = world;
      const listener = listening(b, world.hostB);
      const client = a.socket(AF_INET, SOCK_STREAM);
      for (const [, level, option] of options) {
        b.setsockopt(listener.fd, level, option, 1);
        a.setsockopt(client, level, option, 1);
      }
      a.connect(client, listener.address);
      await a.select({ write: [client] }, 20);
      a.write(client, Buffer.from('quick'));
      await b.select({ read: [listener.fd] }, 20);
      const server = b.accept(listener.fd);
      for (const [name, level, option] of options) {
        t.equal(b.getsockopt(server, level, option), 1, name);
        t.equal(a.getsockopt(client, level, option), 1, name);
      }
      b.setsockopt(server, SOL_SOCKET, SO_KEEPALIVE, 0);
      t.equal(b.getsockopt(listener.fd, SOL_SOCKET, SO_KEEPALIVE), 1, 'each has its own');
      t.equal(await readText(b, server), 'quick');
    },
  },
  {
    title:
      'other options are -ENOPROTOOPT, a value that is no integer is -EINVAL, TCP_NODELAY of a Unix socket -EOPNOTSUPP',
    body: async (t, { a, b, hostB }) => {
      for (const [posix, fd] of [
        [a, a.socket(AF_INET, SOCK_STREAM)],
        [b, listening(b, hostB).fd],
      ] as const) {
        t.equal(posix.setsockopt(fd, SOL_SOCKET, 99, 1), -errno.ENOPROTOOPT);
        t.equal(posix.setsockopt(fd, SOL_SOCKET, SO_ERROR, 1), -errno.ENOPROTOOPT);
        t.equal(posix.setsockopt(fd, 99, SO_REUSEADDR, 1), -errno.ENOPROTOOPT);
        t.equal(posix.getsockopt(fd, SOL_SOCKET, 99), -errno.ENOPROTOOPT);
        t.equal(posix.getsockopt(fd, IPPROTO_TCP, SO_ERROR), -errno.ENOPROTOOPT);
        t.equal(posix.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 0.5), -errno.EINVAL);
        t.equal(
          posix.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, undefined as unknown as number),
          -errno.EINVAL,
        );
      }
      const unix = a.socket(AF_UNIX, SOCK_STREAM);
      t.equal(a.setsockopt(unix, IPPROTO_TCP, TCP_NODELAY, 1), -errno.EOPNOTSUPP);
      t.equal(a.getsockopt(unix, IPPROTO_TCP, TCP_NODELAY), -errno.EOPNOTSUPP);
      t.equal(a.setsockopt(unix, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
    },
  },
  {
    title: 'TCP_KEEPIDLE takes 1 to 32767 seconds, of TCP only, and is not to be read',
    body: async (t, { a }) => {
      const fd = a.socket(AF_INET, SOCK_STREAM);
      for (const seconds of [1, 32_767]) t.equal(a.setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds), 0);
      for (const seconds of [0, -1, 32_768, 1.5])
        t.equal(a.setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds), -errno.EINVAL, `${seconds} s`);
      t.equal(a.setsockopt(fd, SOL_SOCKET, TCP_KEEPIDLE, 1), -errno.ENOPROTOOPT);
      t.equal(a.getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE), -errno.ENOPROTOOPT);
      const unix = a.socket(AF_UNIX, SOCK_STREAM);
      t.equal(a.setsockopt(unix, IPPROTO_TCP, TCP_KEEPIDLE, 1), -errno.EOPNOTSUPP);
    },
  },
  {
    title: 'fcntl keeps the flags; O_NONBLOCK changes nothing, since nothing blocks anyway',
    body: async (t, world) => {
      const { b, hostB } = world;
      const fd = b.socket(AF_INET, SOCK_STREAM);
      const flags = b.fcntl(fd, F_GETFL, 0);
      t.equal(flags, O_RDWR);
      t.equal(b.fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
      t.equal(b.fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
      b.bind(fd, hostB);
      b.listen(fd, 1);
      t.equal(b.fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK, 'listening changes no flag');
      t.equal(b.fcntl(fd, F_SETFL, 0), 0);
      t.equal(b.fcntl(fd, F_GETFL), O_RDWR, 'the access mode stays');
      t.equal(b.accept(fd), -errno.EAGAIN);
      t.equal(b.fcntl(fd, 99), -errno.EINVAL);
      t.equal(b.fcntl(fd, F_SETFL, Number.NaN), -errno.EINVAL);
    },
  },
];
