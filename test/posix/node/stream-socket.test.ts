// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type net from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import t from 'tap';
import {
  AF_INET,
  errno,
  F_GETFL,
  F_SETFL,
  type Inet4Address,
  IPPROTO_TCP,
  O_NONBLOCK,
  READABLE,
  SHUT_RD,
  SO_ERROR,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_KEEPIDLE,
  TCP_NODELAY,
  WRITABLE,
} from '../../../src/posix/index.js';
import { MAX_WAITING_CONNECTIONS } from '../../../src/posix/node/accept-queue.js';
import type { BindCall } from '../../../src/posix/node/bind-handle.js';
import { selectPromise } from '../../../src/posix/shared/select-once.js';
import { acceptOne, listening, readiness, readText, readyFor } from '../arms/world.js';
import { connectedTo, nodeServer, posixFor, refusingAddress, spyOn, turns } from '../fixture.js';

t.test('without interest no more is read than the buffers hold, and nothing is lost', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  const sent = Buffer.alloc(20 * 1024 * 1024, 'q');
  peer.end(sent);
  await turns(200);
  t.ok(peer.writableLength > 0, 'the peer has not got rid of everything');
  let got = 0;
  const buffer = Buffer.alloc(50_000);
  for (let count = -errno.EAGAIN; count !== 0;) {
    count = posix.read(fd, buffer);
    if (count > 0) got += count;
    else if (count === -errno.EAGAIN) await turns(1);
  }
  t.equal(got, sent.length);
});

t.test(
  'with interest, a reader that does not read is filled up to the receive buffer and no further',
  async (t) => {
    const receiveBufferBytes = 100_000;
    const posix = posixFor(t, { receiveBufferBytes });
    const { fd, peer } = await connectedTo(t, posix);
    const poller = posix.createPoller();
    poller.setInterest(fd, READABLE);
    peer.end(Buffer.alloc(20 * 1024 * 1024));
    await turns(200);
    t.ok(peer.writableLength > 0);
    const socket = posix.nodeObject(fd) as net.Socket;
    t.ok(
      socket.bytesRead <= receiveBufferBytes + 3 * 65_536 + 16_384,
      `${socket.bytesRead} bytes were read ahead`,
    );
    poller.setInterest(fd, 0);
    poller.setInterest(fd, READABLE);
    let got = 0;
    const buffer = Buffer.alloc(1000);
    for (let count = 1; count !== 0;) {
      await readiness(posix, fd, READABLE);
      for (count = posix.read(fd, buffer); count > 0; count = posix.read(fd, buffer)) got += count;
    }
    t.equal(got, 20 * 1024 * 1024);
    poller.close();
  },
);

t.test(
  'interest that goes away leaves the bytes where ordinary code finds them, and comes back without loss',
  async (t) => {
    const posix = posixFor(t);
    const { fd, peer } = await connectedTo(t, posix);
    const poller = posix.createPoller();
    poller.setInterest(fd, READABLE);
    peer.write('first ');
    await readiness(posix, fd, READABLE);
    poller.setInterest(fd, 0);
    peer.write('second ');
    await turns(10);
    peer.write('third');
    await turns(10);
    poller.setInterest(fd, READABLE);
    let text = '';
    while (text.length < 18) text += await readText(posix, fd);
    t.equal(text, 'first second third');
    poller.close();
  },
);

t.test('the send buffer holds what was configured', async (t) => {
  const sendBufferBytes = 300_000;
  const posix = posixFor(t, { sendBufferBytes });
  const { fd, peer } = await connectedTo(t, posix);
  peer.pause();
  const socket = posix.nodeObject(fd) as net.Socket;
  const big = Buffer.alloc(1_000_000);
  for (let full = 0; full < 3;) {
    if (posix.write(fd, big) === -errno.EAGAIN) {
      full += 1;
      await turns(3);
    } else full = 0;
  }
  t.ok(socket.writableLength <= sendBufferBytes);
});

t.test('a write that fails at once is -EPIPE, and one that fails later shows at the next', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  const socket = posix.nodeObject(fd) as net.Socket;
  // Nobody reads here, so that only the kernel knows of the reset until a write finds out.
  socket.pause();
  peer.resetAndDestroy();
  let answer = 1;
  for (let attempts = 0; answer > 0 && attempts < 1000; attempts++) {
    answer = posix.write(fd, Buffer.from('x'));
    await turns(1);
  }
  t.equal(answer, -errno.EPIPE);
  t.equal(posix.write(fd, Buffer.from('x')), -errno.EPIPE);
});

t.test(
  'options are in force on the Node socket: TCP_NODELAY and SO_KEEPALIVE, before and after connect',
  async (t) => {
    const posix = posixFor(t);
    const calls: string[] = [];
    for (const name of ['setNoDelay', 'setKeepAlive'] as const)
      spyOn(t, name, ([on]) => calls.push(`${name} ${String(on)}`));
    const { address } = await nodeServer(t);
    const fd = posix.socket(AF_INET, SOCK_STREAM);
    posix.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    t.same(calls, []);
    posix.connect(fd, address);
    t.same(calls, ['setNoDelay true']);
    posix.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 0);
    t.same(calls.splice(1), ['setKeepAlive false', 'setNoDelay false'], 'also while it connects');
    posix.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    calls.splice(1);
    await readiness(posix, fd, WRITABLE);
    posix.setsockopt(fd, 1, 9, 1);
    t.same(calls.slice(1), ['setKeepAlive true', 'setNoDelay true']);
  },
);

t.test('descriptions state what a descriptor is', async (t) => {
  const posix = posixFor(t);
  const { fd: listener, address } = listening(posix, { family: AF_INET, address: '127.0.0.1', port: 0 });
  const { port } = address as { port: number };
  const [idle, bound, client, unix] = [0, 0, 0, 0].map((_, n) =>
    posix.socket(n === 3 ? 1 : AF_INET, SOCK_STREAM),
  ) as [number, number, number, number];
  posix.bind(bound, { family: AF_INET, address: '127.0.0.1', port: 0 });
  posix.connect(client, address);
  const describe = (fd: number): string =>
    posix.openDescriptors().find((entry) => entry.fd === fd)?.description ?? 'not open';
  t.equal(describe(listener), `listening on 127.0.0.1:${port}, 0 waiting`);
  t.equal(describe(idle), 'tcp unconnected');
  t.match(describe(bound), /^tcp bound to 127\.0\.0\.1:\d+$/);
  t.equal(describe(client), `tcp connecting to 127.0.0.1:${port}`);
  t.equal(describe(unix), 'unix unconnected');
  const server = await acceptOne(posix, listener);
  await readiness(posix, client, WRITABLE);
  t.match(describe(server), new RegExp(`^tcp connected 127.0.0.1:${port} -> 127.0.0.1:\\d+$`));
  t.match(describe(client), new RegExp(`^tcp connected 127.0.0.1:\\d+ -> 127.0.0.1:${port}$`));
  t.equal(describe(posix.eventfd(4)), 'eventfd 4');
  const own = posix.socket(AF_INET, SOCK_STREAM);
  (posix.nodeObject(own) as net.Socket).connect(port, '127.0.0.1');
  t.equal(describe(own), 'tcp connecting to ?');
});

t.test('the same connection is used by Node and by descriptors in turn, without loss', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  t.equal(posix.write(fd, Buffer.from('one ')), 4);
  (posix.nodeObject(fd) as net.Socket).write('two ');
  t.equal(posix.write(fd, Buffer.from('three')), 5);
  posix.close(fd);
  t.equal(await textOf(peer), 'one two three');
});

t.test('what Node is handed is whole, and readiness is as after a first read from then on', async (t) => {
  const posix = posixFor(t);
  const poller = posix.createPoller();
  t.teardown(() => poller.close());
  const { fd, peer } = await connectedTo(t, posix);
  poller.setInterest(fd, READABLE);
  peer.write('abc');
  t.same(await selectPromise(poller, 600), [{ fd, conditions: READABLE }]);
  const socket = posix.nodeObject(fd) as net.Socket;
  t.same(await selectPromise(poller, 0), [], 'the bytes are Node’s');
  t.equal(String(socket.read()), 'abc');
  // A piece and the end of file, all of which has been read ahead.
  const { fd: other, peer: ending } = await connectedTo(t, posix);
  poller.setInterest(other, READABLE);
  ending.end('x');
  await selectPromise(poller, 600);
  await turns(10);
  t.equal(await textOf(posix.nodeObject(other) as net.Socket), 'x');
});

t.test('a backlog below 0 is the longest, and one of 0 has room for one', async (t) => {
  const backlogs: number[] = [];
  const bindCall: BindCall = (address) => ({
    address,
    close() {},
    listen(_server, backlog) {
      backlogs.push(backlog);
      return -errno.EADDRINUSE;
    },
  });
  const posix = posixFor(t, { bindCall });
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  for (const backlog of [-1, 0, 1, 2, 5]) t.equal(posix.listen(fd, backlog), -errno.EADDRINUSE);
  t.same(backlogs, [MAX_WAITING_CONNECTIONS, 1, 1, 2, 5]);
});

t.test('a socket that listens keeps the flags that it had', async (t) => {
  const posix = posixFor(t);
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  t.equal(posix.fcntl(fd, F_SETFL, O_NONBLOCK), 0);
  const flags = posix.fcntl(fd, F_GETFL);
  t.equal(flags & O_NONBLOCK, O_NONBLOCK);
  t.equal(posix.listen(fd, 1), 0);
  t.equal(posix.fcntl(fd, F_GETFL), flags);
});

t.test('a descriptor that waits is woken by shutdown', async (t) => {
  const posix = posixFor(t);
  const poller = posix.createPoller();
  t.teardown(() => poller.close());
  const { fd } = await connectedTo(t, posix);
  poller.setInterest(fd, READABLE);
  const woken = selectPromise(poller, 600);
  t.equal(posix.shutdown(fd, SHUT_RD), 0);
  t.same(await woken, [{ fd, conditions: READABLE }]);
});

t.test('room in the send buffer is noticed again after Node has had the connection', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  const fill = (): void => {
    while (posix.write(fd, Buffer.alloc(1 << 20)) > 0);
  };
  for (const isFilledAfterwards of [true, false]) {
    peer.pause();
    fill();
    t.equal(await readyFor(posix, fd), '');
    posix.nodeObject(fd);
    if (isFilledAfterwards) fill();
    peer.resume();
    await readiness(posix, fd, WRITABLE);
  }
});

t.test('a reset after unread bytes is reported after them, not as an end of file', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  const sent = 1_000_000;
  peer.write(Buffer.alloc(sent));
  while (peer.bytesWritten < sent || peer.writableLength > 0) await turns(1);
  peer.resetAndDestroy();
  const buffer = Buffer.alloc(100_000);
  let got = 0;
  let last = 1;
  while (last > 0) {
    await readiness(posix, fd, READABLE);
    last = posix.read(fd, buffer);
    if (last > 0) got += last;
  }
  t.ok(got <= sent);
  t.equal(last, -errno.ECONNRESET);
  t.equal(posix.read(fd, buffer), 0);
});

t.test('the peer of a connection is the address that it leads to, however that was written', async (t) => {
  const posix = posixFor(t);
  const { address } = await nodeServer(t);
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  posix.connect(fd, { ...address, address: '0.0.0.0' });
  await readiness(posix, fd, WRITABLE);
  t.equal(posix.getsockopt(fd, SOL_SOCKET, SO_ERROR), 0);
  t.same(posix.getpeername(fd), address);
});

t.test('an end of file that other code read before destroying the socket is still seen', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  const socket = posix.nodeObject(fd) as net.Socket;
  socket.resume();
  peer.end();
  await new Promise((resolve) => socket.on('end', resolve));
  socket.destroy();
  t.equal(posix.read(fd, Buffer.alloc(1)), 0);
});

t.test('probes begin after the time of TCP_KEEPIDLE, of the socket and of what it accepts', async (t) => {
  const posix = posixFor(t);
  const told: unknown[] = [];
  spyOn(t, 'setKeepAlive', (options) => told.push(options));
  const { fd: listener, address } = listening(posix, { family: AF_INET, address: '127.0.0.1', port: 0 });
  posix.setsockopt(listener, 1, 9, 1);
  posix.setsockopt(listener, IPPROTO_TCP, TCP_KEEPIDLE, 7);
  const client = posix.socket(AF_INET, SOCK_STREAM);
  posix.setsockopt(client, IPPROTO_TCP, TCP_KEEPIDLE, 5);
  t.same(told, [], 'there is no connection');
  posix.connect(client, address);
  t.same(told, [], 'probes are off');
  posix.setsockopt(client, 1, 9, 1);
  t.same(told.splice(0), [[true, 5000]]);
  await acceptOne(posix, listener);
  t.same(told.splice(0), [[true, 7000]]);
  posix.setsockopt(listener, 1, 9, 0);
  posix.connect(posix.socket(AF_INET, SOCK_STREAM), address);
  await acceptOne(posix, listener);
  t.same(told, [], 'and what is off is not turned off again');
});

t.test(
  'a connect starts without the error of the one before, and is ready when it is connected',
  async (t) => {
    const posix = posixFor(t);
    const poller = posix.createPoller();
    t.teardown(() => poller.close());
    const { address } = await nodeServer(t);
    const fd = posix.socket(AF_INET, SOCK_STREAM);
    poller.setInterest(fd, READABLE | WRITABLE);
    t.same(await selectPromise(poller, 0), [{ fd, conditions: READABLE | WRITABLE }], 'unconnected');
    posix.connect(fd, refusingAddress(t));
    t.same(await selectPromise(poller, 600), [{ fd, conditions: READABLE | WRITABLE }], 'refused');
    t.equal(posix.connect(fd, address), -errno.EINPROGRESS);
    t.equal(posix.getsockopt(fd, SOL_SOCKET, SO_ERROR), 0, 'the old error is gone');
    t.same(await selectPromise(poller, 600), [{ fd, conditions: WRITABLE }]);
    t.equal(posix.getsockopt(fd, SOL_SOCKET, SO_ERROR), 0);
  },
);

t.test(
  'a descriptor that is not connected takes and sends nothing, and its object is free when released',
  async (t) => {
    const posix = posixFor(t);
    const fd = posix.socket(AF_INET, SOCK_STREAM);
    t.equal(posix.bind(fd, { family: AF_INET, address: '127.0.0.1', port: 0 }), 0);
    const address = posix.getsockname(fd) as Inet4Address;
    t.equal(posix.take(fd), -errno.ENOTCONN);
    t.equal(
      posix.send(fd, [Buffer.alloc(1)], () => {}),
      -errno.ENOTCONN,
    );
    t.equal(posix.dedicate(fd), -errno.ENOTCONN);
    t.equal(posix.unsent(fd), 0);
    const socket = posix.nodeObject(fd) as net.Socket;
    t.equal(posix.release(fd), 0);
    for (const event of ['connect', 'error', 'close']) t.equal(socket.listenerCount(event), 0, event);
    t.equal(posix.bind(posix.socket(AF_INET, SOCK_STREAM), address), 0, 'so is the address');
    socket.destroy();
  },
);

t.test(
  'a socket that is not connected yet lets go of its address and its dialling when it is closed',
  async (t) => {
    const posix = posixFor(t);
    const { address } = await nodeServer(t);
    for (const end of ['close', 'abort'] as const) {
      const bound = posix.socket(AF_INET, SOCK_STREAM);
      t.equal(posix.bind(bound, { family: AF_INET, address: '127.0.0.1', port: 0 }), 0);
      const local = posix.getsockname(bound) as Inet4Address;
      const dialling = posix.socket(AF_INET, SOCK_STREAM);
      posix.connect(dialling, address);
      const socket = posix.nodeObject(dialling) as net.Socket;
      t.ok(socket.connecting);
      for (const fd of [bound, dialling]) t.equal(posix[end](fd), 0);
      t.ok(socket.destroyed, end);
      t.equal(posix.bind(posix.socket(AF_INET, SOCK_STREAM), local), 0, end);
    }
  },
);
