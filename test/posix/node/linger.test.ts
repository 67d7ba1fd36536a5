// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import t, { type Test } from 'tap';
import { AF_UNIX, errno, type NodePosix, type NodePosixOptions, READABLE } from '../../../src/posix/index.js';
import { acceptOne, listening, readiness } from '../arms/world.js';
import { shortDirectory } from '../../short-directory.js';
import { ManualTimers, connectedTo, posixFor, turns } from '../fixture.js';

/** Writes until the kernel's buffers and ours are full, and closes: bytes are left that cannot be sent yet. */
async function closeFull(posix: NodePosix, fd: number): Promise<{ sent: number; socket: net.Socket }> {
  const socket = posix.nodeObject(fd) as net.Socket;
  const block = Buffer.alloc(65_536, 'z');
  let sent = 0;
  for (let full = 0; full < 3;) {
    const count = posix.write(fd, block);
    if (count === -errno.EAGAIN) {
      full += 1;
      await turns(5);
    } else {
      sent += count;
      full = 0;
    }
  }
  posix.close(fd);
  return { sent, socket };
}

async function connectedWithTimers(
  t: Test,
  options: NodePosixOptions = {},
): Promise<{ timers: ManualTimers; posix: NodePosix; fd: number; peer: net.Socket }> {
  const timers = new ManualTimers();
  const setUp = posixFor(t);
  const { fd: lent, peer } = await connectedTo(t, setUp);
  const socket = setUp.nodeObject(lent) as net.Socket;
  setUp.release(lent);
  const posix = posixFor(t, { timers, lingerSeconds: 60, ...options });
  peer.pause();
  return { timers, posix, fd: posix.adopt(socket), peer };
}

t.test('a peer that reads slowly gets everything, however long it takes', async (t) => {
  const { timers, posix, fd, peer } = await connectedWithTimers(t);
  const { sent, socket } = await closeFull(posix, fd);
  let got = 0;
  let left = socket.writableLength;
  for await (const chunk of peer) {
    got += (chunk as Buffer).length;
    await turns(2);
    // Time is up only if nothing at all was sent in it.
    if (socket.writableLength < left) timers.pass(60_000);
    left = socket.writableLength;
  }
  t.equal(got, sent);
  if (!socket.closed) await once(socket, 'close');
  t.same(timers.set, [], 'no timer is left');
});

t.test('a peer that reads nothing is reset after the linger time, and not before', async (t) => {
  const { timers, posix, fd, peer } = await connectedWithTimers(t);
  const receiver = posixFor(t);
  const peerFd = receiver.adopt(peer);
  const { sent, socket } = await closeFull(posix, fd);
  t.equal(timers.set.length, 1);
  t.equal(timers.set[0]?.referenced, false, 'the socket itself holds the process');
  timers.pass(59_999);
  await turns(3);
  t.equal(socket.destroyed, false);
  timers.pass(60_001);
  await once(socket, 'close');
  t.same(timers.set, []);
  const buffer = Buffer.alloc(100_000);
  let got = 0;
  let last = 1;
  while (last > 0) {
    await readiness(receiver, peerFd, READABLE);
    last = receiver.read(peerFd, buffer);
    if (last > 0) got += last;
  }
  t.equal(last, -errno.ECONNRESET, 'the peer knows that bytes are missing');
  t.ok(got < sent);
});

t.test('a peer that reads on, and then nothing any more, is reset', async (t) => {
  const { timers, posix, fd, peer } = await connectedWithTimers(t, { sendBufferBytes: 32 << 20 });
  const { socket } = await closeFull(posix, fd);
  const atFirst = socket.writableLength;
  while (socket.writableLength === atFirst) {
    peer.read();
    await turns(1);
  }
  timers.pass(60_000);
  t.equal(socket.destroyed, false, 'it has read something');
  for (let time = 0; time < 10 && !socket.destroyed; time++) {
    await turns(3);
    timers.pass(60_000);
  }
  t.ok(socket.destroyed);
  peer.destroy();
});

t.test('a Unix peer that reads nothing is dropped after the linger time', async (t) => {
  const timers = new ManualTimers();
  const posix = posixFor(t, { timers });
  const file = path.join(shortDirectory(t), 's');
  const { fd: listener } = listening(posixFor(t, {}), { family: AF_UNIX, path: file });
  posix.close(listener);
  const server = net.createServer({ pauseOnConnect: true });
  fs.rmSync(file, { force: true });
  server.listen(file);
  t.teardown(() => server.close());
  const fd = posix.socket(AF_UNIX, 1);
  posix.connect(fd, { family: AF_UNIX, path: file });
  const [peer] = (await once(server, 'connection')) as [net.Socket];
  await turns(3);
  const { socket } = await closeFull(posix, fd);
  timers.pass(120_000);
  await once(socket, 'close');
  peer.destroy();
  t.ok(socket.destroyed);
});

t.test('of more than 64 closed sockets with something to send the oldest is reset', async (t) => {
  const posix = posixFor(t, { timers: new ManualTimers() });
  const file = path.join(shortDirectory(t), 's');
  const server = net.createServer({ pauseOnConnect: true }).listen(file);
  t.teardown(() => server.close());
  const sockets: net.Socket[] = [];
  const block = Buffer.alloc(65_536);
  const closeOneMore = async (): Promise<void> => {
    const socket = net.connect(file);
    const [peer] = (await once(server, 'connection')) as [net.Socket];
    t.teardown(() => {
      socket.destroy();
      peer.destroy();
    });
    const fd = posix.adopt(socket);
    while (posix.unsent(fd) === 0) if (posix.write(fd, block) < 0) await turns(1);
    posix.close(fd);
    sockets.push(socket);
  };
  while (sockets.length < 64) await closeOneMore();
  t.notOk(sockets.some(({ destroyed }) => destroyed));
  await closeOneMore();
  t.same(
    sockets.flatMap(({ destroyed }, index) => (destroyed ? [index] : [])),
    [0],
  );
});

t.test('close needs no timer if everything was sent', async (t) => {
  const { timers, posix, fd, peer } = await connectedWithTimers(t);
  posix.write(fd, Buffer.from('small'));
  posix.close(fd);
  t.same(timers.set, []);
  peer.resume();
  await once(peer, 'end');
});

t.test('a peer that resets while the rest is being sent ends it', async (t) => {
  const { timers, posix, fd, peer } = await connectedWithTimers(t);
  const { socket } = await closeFull(posix, fd);
  peer.resetAndDestroy();
  await new Promise((resolve) => socket.on('close', resolve));
  t.same(timers.set, []);
});

t.test('a descriptor whose object is already destroyed just closes', async (t) => {
  const posix = posixFor(t);
  const { fd } = await connectedTo(t, posix);
  (posix.nodeObject(fd) as net.Socket).destroy();
  t.equal(posix.close(fd), 0);
});

t.test('closing after both sides have ended waits for nothing', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  const socket = posix.nodeObject(fd) as net.Socket;
  posix.shutdown(fd, 1);
  await once(socket, 'finish');
  t.equal(posix.close(fd), 0);
  t.ok(socket.destroyed);
  peer.destroy();
});

t.test('close drops an adopted socket that is still connecting', async (t) => {
  const posix = posixFor(t);
  const { address } = listening(posix, { family: 2, address: '127.0.0.1', port: 0 });
  const socket = net.connect((address as { port: number }).port, '127.0.0.1');
  posix.close(posix.adopt(socket));
  t.ok(socket.destroyed);
});

t.test('an accepted connection that is closed unread ends for both sides', async (t) => {
  const posix = posixFor(t);
  const { fd: listener, address } = listening(posix, { family: 2, address: '127.0.0.1', port: 0 });
  const peer = net.connect((address as { port: number }).port, '127.0.0.1');
  peer.on('error', () => {});
  peer.write('nobody reads this');
  const fd = await acceptOne(posix, listener);
  posix.close(fd);
  peer.resume();
  await new Promise((resolve) => peer.on('close', resolve));
});
