// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What is the simulated socket's own; what it has in common with Node's is in posix-arms.test.ts.

import t from 'tap';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  errno,
  SHUT_RD,
  SHUT_WR,
  SO_ERROR,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../src/posix/index.js';
import { addressOf, connected, dial, listenOn, outcome, readText, twoHosts, writeText } from './fixture.js';

t.test('a socket that was bound keeps its address when a connect fails', async (t) => {
  const { world, near, far } = twoHosts();
  const { posix } = near;
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  posix.bind(fd, addressOf(near, 7000));
  posix.connect(fd, addressOf(far));
  t.equal(await outcome(world, near, fd), 'ECONNREFUSED');
  t.same(posix.getsockname(fd), addressOf(near, 7000));
  t.equal(posix.bind(fd, addressOf(near, 7001)), -errno.EINVAL, 'it is bound already');
  listenOn(far);
  posix.connect(fd, addressOf(far));
  t.equal(await outcome(world, near, fd), 'connected');
  t.same(posix.getsockname(fd), addressOf(near, 7000));
});

t.test('one bound to no address in particular has that of its route once it connects', async (t) => {
  const { world, near, far } = twoHosts();
  listenOn(far);
  const fd = near.posix.socket(AF_INET, SOCK_STREAM);
  near.posix.bind(fd, { family: AF_INET, address: '0.0.0.0', port: 7000 });
  near.posix.connect(fd, addressOf(far));
  t.same(near.posix.getsockname(fd), addressOf(near, 7000));
  t.equal(await outcome(world, near, fd), 'connected');
  t.same(near.posix.getsockname(fd), addressOf(near, 7000));
});

t.test('one bound to the second address of its host connects from that', async (t) => {
  const { world, far } = twoHosts();
  const listener = listenOn(far);
  const { posix } = world.host('10.0.0.3', { addresses: ['10.0.0.4'] });
  const address = { family: AF_INET, address: '10.0.0.4', port: 7000 } as const;
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  posix.bind(fd, address);
  posix.connect(fd, addressOf(far));
  await world.complete(far.posix.select({ read: [listener] }, 10));
  t.same(posix.getsockname(fd), address);
  t.same(far.posix.getpeername(far.posix.accept(listener)), address);
});

t.test('a failed connect is ready for both, and unconnected once its error was fetched', async (t) => {
  const { world, near, far } = twoHosts();
  const { posix } = near;
  const fd = dial(near, far);
  t.same(await world.complete(posix.select({ read: [fd], write: [fd] }, 10)), {
    read: [fd],
    write: [fd],
    except: [],
  });
  t.equal(posix.openDescriptors()[0]?.description, 'tcp failed');
  t.equal(posix.bind(fd, addressOf(near, 7000)), -errno.EINVAL);
  t.equal(posix.read(fd, Buffer.alloc(1)), -errno.ENOTCONN);
  t.equal(posix.write(fd, Buffer.alloc(1)), -errno.ENOTCONN);
  t.equal(posix.getpeername(fd), -errno.ENOTCONN);
  t.equal(posix.getsockopt(fd, SOL_SOCKET, SO_ERROR), errno.ECONNREFUSED);
  t.equal(posix.getsockopt(fd, SOL_SOCKET, SO_ERROR), 0);
  t.equal(posix.openDescriptors()[0]?.description, 'tcp unconnected');
  t.equal(posix.bind(fd, addressOf(near, 7000)), 0);
});

t.test('a failed connect can be repeated without fetching its error, which is forgotten then', async (t) => {
  const { world, near, far } = twoHosts();
  const { posix } = near;
  const fd = dial(near, far);
  await world.complete(posix.select({ write: [fd] }, 10));
  listenOn(far);
  t.equal(posix.connect(fd, addressOf(far)), -errno.EINPROGRESS);
  t.equal(await outcome(world, near, fd), 'connected');
});

t.test('a socket is described by its state and its addresses', async (t) => {
  const { world, near, far } = twoHosts();
  const { posix } = near;
  const describe = (): string[] => posix.openDescriptors().map(({ description }) => description);
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  t.same(describe(), ['tcp unconnected']);
  posix.bind(fd, addressOf(near, 7000));
  t.same(describe(), ['tcp unconnected 10.0.0.1:7000']);
  listenOn(far);
  posix.connect(fd, addressOf(far));
  t.same(describe(), ['tcp connecting 10.0.0.1:7000 -> 10.0.0.2:9000']);
  await outcome(world, near, fd);
  t.same(describe(), ['tcp connected 10.0.0.1:7000 -> 10.0.0.2:9000']);
  posix.close(fd);
  const local = posix.socket(AF_UNIX, SOCK_STREAM);
  posix.bind(local, { family: AF_UNIX, path: '/run/a' });
  t.same(posix.getsockname(local), { family: AF_UNIX, path: '/run/a' });
  t.match(describe(), [/^unix unconnected .*\/run\/a/]);
});

t.test('the port of a connection is free when it is closed, at either end', async (t) => {
  const { world, near, far } = twoHosts();
  const listener = listenOn(far);
  const fd = near.posix.socket(AF_INET, SOCK_STREAM);
  near.posix.bind(fd, addressOf(near, 32_768));
  near.posix.connect(fd, addressOf(far));
  await world.complete(far.posix.select({ read: [listener] }, 10));
  const other = far.posix.accept(listener);
  const next = near.posix.socket(AF_INET, SOCK_STREAM);
  near.posix.bind(next, { family: AF_INET, address: '0.0.0.0', port: 0 });
  t.same(near.posix.getsockname(next), { family: AF_INET, address: '0.0.0.0', port: 32_769 }, 'the next one');
  near.posix.close(fd);
  far.posix.close(other);
  far.posix.close(listener);
  await world.run(100);
  near.posix.close(next);
  for (let port = 32_770; port < 61_000; port++) {
    const one = near.posix.socket(AF_INET, SOCK_STREAM);
    near.posix.bind(one, { family: AF_INET, address: '0.0.0.0', port: 0 });
    near.posix.close(one);
  }
  const again = near.posix.socket(AF_INET, SOCK_STREAM);
  near.posix.bind(again, { family: AF_INET, address: '0.0.0.0', port: 0 });
  t.match(near.posix.getsockname(again), { port: 32_768 }, 'after the last port comes the first');
});

t.test('a side shut for reading has an end of file where it would wait, and no data is lost', async (t) => {
  const { world, near, far, one, other } = await connected();
  writeText(far.posix, other, 'before');
  await world.run(1);
  t.equal(near.posix.shutdown(one, SHUT_RD), 0);
  t.equal(readText(near.posix, one), 'before');
  t.equal(readText(near.posix, one), 'end of file');
  t.match(await world.complete(near.posix.select({ read: [one] }, 1)), { read: [one] });
  t.equal(writeText(near.posix, one, 'still writes'), 12);
  await world.run(1);
  t.equal(readText(far.posix, other), 'still writes');
});

t.test('a family without an address of the host has an unspecified one', async (t) => {
  const { near } = twoHosts();
  const fd = near.posix.socket(AF_INET6, SOCK_STREAM);
  t.same(near.posix.getsockname(fd), { family: AF_INET6, address: '::', port: 0 });
  t.equal(near.posix.accept(fd), -errno.EINVAL);
  t.equal(near.posix.shutdown(fd, SHUT_RD), -errno.ENOTCONN);
  t.equal(near.posix.shutdown(fd, 3), -errno.EINVAL);
});

t.test(
  'an address that is bound after a failed connect is kept by the next one, however often',
  async (t) => {
    const { world, near, far } = twoHosts();
    const { posix } = near;
    const fd = dial(near, far);
    t.equal(await outcome(world, near, fd), 'ECONNREFUSED');
    posix.connect(fd, addressOf(far));
    t.equal(await outcome(world, near, fd), 'ECONNREFUSED');
    t.match(posix.getsockname(fd), { port: 0 }, 'one that connect has bound is free again each time');
    posix.bind(fd, addressOf(near, 7000));
    for (let count = 0; count < 2; count++) {
      posix.connect(fd, addressOf(far));
      t.equal(await outcome(world, near, fd), 'ECONNREFUSED');
      t.same(posix.getsockname(fd), addressOf(near, 7000));
    }
  },
);

t.test('a stream is ready for writing while its buffer has room, and once it is shut', async (t) => {
  const { world, near, one } = await connected({ buffers: { sendBytes: 10 }, maxWakeLatencySeconds: 0 });
  const ready = () => world.complete(near.posix.select({ read: [one], write: [one] }, 0));
  t.same(await ready(), { read: [], write: [one], except: [] });
  t.equal(writeText(near.posix, one, '0123456789'), 10);
  t.same(await ready(), { read: [], write: [], except: [] });
  near.posix.shutdown(one, SHUT_RD);
  t.same(await ready(), { read: [one], write: [], except: [] });
  near.posix.shutdown(one, SHUT_WR);
  t.same(await ready(), { read: [one], write: [one], except: [] });
});
