// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  F_GETFL,
  F_SETFL,
  IPPROTO_TCP,
  O_NONBLOCK,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  type SocketAddress,
  TCP_NODELAY,
} from '../../src/posix/index.js';
import { dial, outcome, twoHosts } from './fixture.js';

/** The lines of a trace without time and host. */
function calls(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/^ *\d+\.\d+ \S+ /, ''));
}

t.test('calls appear in the trace as in C, with names for numbers', async (t) => {
  const { world, near } = twoHosts();
  const { posix } = near;
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  posix.socket(AF_UNIX, SOCK_STREAM);
  posix.socket(AF_INET6, 2);
  posix.socket(77, SOCK_STREAM);
  for (const option of [SO_REUSEADDR, SO_KEEPALIVE, SO_ERROR, 42])
    posix.setsockopt(fd, SOL_SOCKET, option, 1);
  posix.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  posix.getsockopt(fd, IPPROTO_TCP, TCP_NODELAY);
  posix.getsockopt(fd, 99, 5);
  posix.fcntl(fd, F_SETFL, O_NONBLOCK);
  posix.fcntl(fd, F_GETFL);
  posix.fcntl(fd, 1030);
  posix.bind(fd, { family: AF_INET, address: '10.0.0.1', port: 80 });
  posix.bind(fd, { family: 99 } as unknown as SocketAddress);
  posix.connect(fd, undefined as unknown as SocketAddress);
  posix.getsockname(fd);
  posix.getpeername(fd);
  posix.getaddrinfo('::1', '80');
  posix.getaddrinfo('name', '80');
  posix.read(fd, Buffer.alloc(512));
  posix.close(fd);
  t.same(calls(world.trace.lines), [
    'socket(AF_INET, SOCK_STREAM) = 3',
    'socket(AF_UNIX, SOCK_STREAM) = 4',
    'socket(AF_INET6, 2) = -EPROTONOSUPPORT',
    'socket(77, SOCK_STREAM) = -EAFNOSUPPORT',
    'setsockopt(3, SO_REUSEADDR, 1) = 0',
    'setsockopt(3, SO_KEEPALIVE, 1) = 0',
    'setsockopt(3, SO_ERROR, 1) = -ENOPROTOOPT',
    'setsockopt(3, 42, 1) = -ENOPROTOOPT',
    'setsockopt(3, TCP_NODELAY, 1) = 0',
    'getsockopt(3, TCP_NODELAY) = 1',
    'getsockopt(3, 99:5) = -ENOPROTOOPT',
    'fcntl(3, F_SETFL, 0o4000) = 0',
    'fcntl(3, F_GETFL) = 2050',
    'fcntl(3, 1030) = -EINVAL',
    'bind(3, 10.0.0.1:80) = 0',
    'bind(3, garbage) = -EINVAL',
    'connect(3, garbage) = -EFAULT',
    'getsockname(3) = 10.0.0.1:80',
    'getpeername(3) = -ENOTCONN',
    'getaddrinfo("::1", "80") = [[::1]:80]',
    'getaddrinfo("name", "80") = -EAI_AGAIN',
    'read(3, 512) = -ENOTCONN',
    'close(3) = 0',
  ]);
});

t.test('an error without a known name is shown as its number', async (t) => {
  const { world, near } = twoHosts();
  near.failCalls({ error: 9999 });
  near.posix.close(3);
  t.same(calls(world.trace.lines), ['close(3) = -9999 (made to fail)']);
});

t.test('selects, lookups, and the value of SO_ERROR', async (t) => {
  const { world, near, far } = twoHosts();
  t.equal(await outcome(world, near, dial(near, far)), 'ECONNREFUSED');
  await world.complete(near.posix.select({ read: [9] }, 1));
  await world.complete(near.posix.resolve('nobody', '1'));
  const lines = calls(world.trace.lines).filter((line) => !line.startsWith('net '));
  t.same(lines, [
    'socket(AF_INET, SOCK_STREAM) = 3',
    'connect(3, 10.0.0.2:9000) = -EINPROGRESS',
    'select([3w], 600 s)',
    'select = [3w]',
    'getsockopt(3, SO_ERROR) = ECONNREFUSED',
    'select([9r], 1 s)',
    'select = -EBADF',
    'resolve("nobody", "1") = -EAI_NONAME',
  ]);
});
