// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Socket } from 'node:net';
import t from 'tap';
import {
  AF_INET,
  AF_UNIX,
  errno,
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SO_REUSEADDR,
  SOL_SOCKET,
  TCP_KEEPIDLE,
  TCP_NODELAY,
} from '../../../src/posix/index.js';
import { SocketOptions } from '../../../src/posix/shared/socket-options.js';

/** A socket that notes the options it is given. */
class NotingSocket extends Socket {
  readonly given: unknown[] = [];

  override setKeepAlive(...keepAlive: unknown[]): this {
    this.given.push(keepAlive);
    return this;
  }
  override setNoDelay(on?: boolean): this {
    this.given.push(on);
    return this;
  }
}

const given = (options: SocketOptions, fresh: boolean): unknown[] => {
  const socket = new NotingSocket();
  options.apply(socket, fresh);
  socket.destroy();
  return socket.given;
};

t.test('a fresh socket gets the options that differ from its own, any other one gets all', async (t) => {
  const options = new SocketOptions();
  t.same(given(options, true), []);
  t.same(given(options, false), [[false, 0], false]);
  options.set(AF_INET, SOL_SOCKET, SO_KEEPALIVE, 7);
  t.same(given(options, true), [[true, 0]], 'probes begin when the kernel has them begin');
  options.set(AF_INET, IPPROTO_TCP, TCP_NODELAY, 1);
  options.set(AF_INET, IPPROTO_TCP, TCP_KEEPIDLE, 20);
  t.same(given(options, true), [[true, 20_000], true]);
});

t.test('a copy has every option, and goes its own way', async (t) => {
  const options = new SocketOptions();
  const asked = [
    [SOL_SOCKET, SO_REUSEADDR],
    [SOL_SOCKET, SO_KEEPALIVE],
    [IPPROTO_TCP, TCP_NODELAY],
  ] as const;
  for (const [level, option] of asked) t.equal(options.set(AF_INET, level, option, -1), 0);
  options.set(AF_INET, IPPROTO_TCP, TCP_KEEPIDLE, 3);
  const copy = options.clone();
  for (const [level, option] of asked) {
    t.equal(copy.get(AF_INET, level, option), 1);
    options.set(AF_INET, level, option, 0);
    t.same([copy.get(AF_INET, level, option), options.get(AF_INET, level, option)], [1, 0]);
  }
  t.same(given(copy, true), [[true, 3000], true]);
});

t.test('the time before the first probe is from 1 to 32767 seconds', async (t) => {
  const options = new SocketOptions();
  options.set(AF_INET, SOL_SOCKET, SO_KEEPALIVE, 1);
  for (const seconds of [1, 32_767]) {
    t.equal(options.set(AF_INET, IPPROTO_TCP, TCP_KEEPIDLE, seconds), 0);
    t.same(given(options, true), [[true, seconds * 1000]]);
  }
  for (const bad of [0, -1, 32_768, 1.5])
    t.equal(options.set(AF_INET, IPPROTO_TCP, TCP_KEEPIDLE, bad), -errno.EINVAL);
  t.same(given(options, true), [[true, 32_767_000]], 'nothing has changed');
});

t.test('a Unix socket has no options of TCP, and nothing has an option that is not known', async (t) => {
  const options = new SocketOptions();
  for (const option of [TCP_NODELAY, TCP_KEEPIDLE])
    t.equal(options.set(AF_UNIX, IPPROTO_TCP, option, 1), -errno.EOPNOTSUPP);
  t.equal(options.get(AF_UNIX, IPPROTO_TCP, TCP_NODELAY), -errno.EOPNOTSUPP);
  t.equal(options.set(AF_UNIX, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
  t.equal(options.set(AF_INET, IPPROTO_TCP, SO_KEEPALIVE, 1), -errno.ENOPROTOOPT);
  t.equal(options.get(AF_INET, SOL_SOCKET, 99), -errno.ENOPROTOOPT);
});
