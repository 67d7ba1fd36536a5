// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import t from 'tap';
import {
  AF_INET,
  errno,
  IPPROTO_TCP,
  READABLE,
  SHUT_WR,
  TCP_NODELAY,
  WRITABLE,
} from '../../../src/posix/index.js';
import { DedicatedInbound } from '../../../src/posix/node/dedicated-inbound.js';
import { selectPromise } from '../../../src/posix/shared/select-once.js';
import { sharedBuffers } from '../../../src/posix/node/shared-buffers.js';
import { Random } from '../../../src/testing/index.js';
import { randomBytes, randomSeed } from '../../random.js';
import { acceptOne, listening, readiness, readyFor } from '../arms/world.js';
import { CountedPool } from '../counted-pool.js';
import { connectedTo, posixFor, spyOn, turns } from '../fixture.js';

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

t.test(
  'what came before and what comes after is read in order, in whatever pieces, to the end',
  async (t) => {
    const posix = posixFor(t);
    const { fd, peer } = await connectedTo(t, posix);
    const random = new Random(randomSeed(t));
    const sent = randomBytes(random, 3 << 20);
    const expected = digest(sent);
    peer.write(sent.subarray(0, 1000));
    await readiness(posix, fd, READABLE);
    t.equal(posix.read(fd, Buffer.alloc(0)), 0);
    t.equal(posix.dedicate(fd), 0);
    const poller = posix.createPoller();
    poller.setInterest(fd, READABLE);
    for (let at = 1000; at < sent.length;) {
      const length = 1 + (random.word() % 200_000);
      peer.write(sent.subarray(at, at + length));
      at += length;
    }
    peer.end();
    const got = Buffer.alloc(sent.length);
    // Into shared memory and into ordinary memory, to places of any alignment.
    const shared = sharedBuffers.take(100_000);
    let count = 0;
    for (;;) {
      const room = 1 + (random.word() % 100_000);
      const buffer = random.word() % 2 === 0 ? shared.subarray(0, room) : Buffer.alloc(room);
      const result = posix.read(fd, buffer);
      if (result === 0) break;
      if (result > 0) {
        got.set(buffer.subarray(0, result), count);
        count += result;
      } else await readiness(posix, fd, READABLE);
    }
    sharedBuffers.give(shared);
    t.equal(count, sent.length);
    t.equal(digest(got), expected);
    t.equal(posix.nodeObject(fd), undefined, 'nobody is handed it');
    t.ok(posix.getpeername(fd));
    t.equal(posix.write(fd, Buffer.from('after')), 5);
    const [text] = (await once(peer, 'data')) as [Buffer];
    t.equal(text.toString(), 'after');
    poller.close();
  },
);

t.test('all pieces that have come before are taken over', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const peer = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  for (const piece of ['ghi', 'def', 'abc']) socket.unshift(Buffer.from(piece));
  const side = DedicatedInbound.dedicate(
    socket,
    sharedBuffers,
    1 << 16,
    () => {},
    () => {},
  );
  const buffer = Buffer.alloc(9);
  t.equal(side?.read(buffer), 9);
  t.equal(buffer.toString(), 'abcdefghi');
  side?.socket.destroy();
  peer.destroy();
});

t.test('a reader that does not read blocks the sender', async (t) => {
  const posix = posixFor(t, { receiveBufferBytes: 100_000 });
  const { fd, peer } = await connectedTo(t, posix);
  t.equal(posix.dedicate(fd), 0);
  const sent = 20 << 20;
  peer.write(Buffer.alloc(sent));
  await turns(200);
  t.ok(peer.writableLength > 0);
  let count = 0;
  const buffer = Buffer.alloc(70_000);
  while (count < sent) {
    const result = posix.read(fd, buffer);
    if (result > 0) count += result;
    else await readiness(posix, fd, READABLE);
  }
  t.equal(count, sent);
});

t.test('a reset is an error once, then the end', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  t.equal(posix.dedicate(fd), 0);
  peer.resetAndDestroy();
  await readiness(posix, fd, READABLE);
  t.equal(posix.read(fd, Buffer.alloc(1)), -errno.ECONNRESET);
  t.equal(posix.read(fd, Buffer.alloc(1)), 0);
});

t.test('only a connection can be dedicated, and once', async (t) => {
  const posix = posixFor(t);
  const { fd } = await connectedTo(t, posix);
  t.equal(posix.dedicate(posix.eventfd()), -errno.EOPNOTSUPP);
  t.equal(posix.dedicate(1_000), -errno.EBADF);
  t.equal(posix.dedicate(fd), 0);
  t.equal(posix.dedicate(fd), -errno.EOPNOTSUPP);
  t.equal(posix.take(fd), -errno.EOPNOTSUPP, 'its memory is not for others to keep');
});

t.test('a connection that cannot be dedicated any more is read as before', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  const poller = posix.createPoller();
  t.teardown(() => poller.close());
  poller.setInterest(fd, READABLE);
  posix.shutdown(fd, SHUT_WR);
  t.equal(posix.dedicate(fd), -errno.EOPNOTSUPP);
  t.same(await selectPromise(poller, 0), []);
  peer.write('later');
  t.same(await selectPromise(poller, 600), [{ fd, conditions: READABLE }]);
  t.equal(posix.read(fd, Buffer.alloc(10)), 5);
});

t.test('options of a dedicated connection are in force, and to release it closes it', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  t.equal(posix.dedicate(fd), 0);
  const ports: (number | undefined)[] = [];
  spyOn(t, 'setNoDelay', (_, { remotePort }) => ports.push(remotePort));
  t.equal(posix.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1), 0);
  t.same(ports, [peer.localPort], 'on the socket that has the connection');
  peer.resume();
  const ended = once(peer, 'end');
  t.equal(posix.release(fd), 0);
  await ended;
});

t.test('a server counts a dedicated connection as closed when it is', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  t.equal(posix.dedicate(fd), 0);
  t.equal(posix.close(fd), 0);
  peer.resume();
  await once(peer, 'end');
  t.notOk(posix.openDescriptors().some((open) => open.fd === fd));

  const { fd: listener, address } = listening(posix, { family: AF_INET, address: '127.0.0.1', port: 0 });
  const client = connect((address as { port: number }).port, '127.0.0.1');
  const accepted = await acceptOne(posix, listener);
  const server = posix.nodeObject(listener) as Server;
  const count = () =>
    new Promise<number>((resolve) => {
      server.getConnections((_, connections) => resolve(connections));
    });
  t.equal(posix.dedicate(accepted), 0);
  t.equal(await count(), 1);
  posix.close(accepted);
  client.resume();
  await once(client, 'close');
  for (let turn = 0; turn < 100 && (await count()) > 0; turn++) await turns(1);
  t.equal(await count(), 0);
});

t.test('sent parts are not copied, and are released by the callback', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  const random = new Random(randomSeed(t));
  // More than the kernel holds.
  const large = Buffer.alloc(32 << 20, randomBytes(random, 100_003));
  const parts = [randomBytes(random, 28), large];
  const told: number[] = [];
  const length = 28 + large.length;
  t.equal(
    posix.send(fd, parts, () => told.push(1)),
    length,
  );
  t.equal(told.length, 0, 'it is told later');
  t.equal(await readyFor(posix, fd), '', 'there is no room');
  t.equal(
    posix.send(fd, parts, () => told.push(1)),
    -errno.EAGAIN,
    'nobody takes it yet',
  );
  const hash = createHash('sha256');
  const seen = { bytes: 0 };
  peer.on('data', (bytes: Buffer) => {
    hash.update(bytes);
    seen.bytes += bytes.length;
  });
  await readiness(posix, fd, WRITABLE);
  while (seen.bytes < length) await turns(1);
  while (told.length === 0) await turns(1);
  t.equal(told.length, 1);
  t.equal(hash.digest('hex'), digest(Buffer.concat(parts)));
});

t.test('parts are also released when the connection ends before they are sent', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  const told: number[] = [];
  const lost: boolean[] = [];
  posix.send(fd, [Buffer.alloc(8 << 20)], (isLost) => told.push(1) && lost.push(isLost));
  peer.resetAndDestroy();
  while (told.length === 0) await turns(1);
  t.equal(told.length, 1);
  t.same(lost, [true]);
  await readiness(posix, fd, WRITABLE);
  t.equal(
    posix.send(fd, [Buffer.alloc(1)], () => told.push(1)),
    -errno.EPIPE,
  );
});

t.test('take returns the bytes received, in order, to the end, also after a partial read', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  const random = new Random(randomSeed(t));
  const sent = randomBytes(random, 2 << 20);
  peer.end(sent);
  const poller = posix.createPoller();
  poller.setInterest(fd, READABLE);
  const parts: Buffer[] = [];
  for (let turn = 0; ; turn++) {
    await readiness(posix, fd, READABLE);
    if (turn % 3 === 0) {
      const buffer = Buffer.alloc(1 + (random.word() % 1000));
      const count = posix.read(fd, buffer);
      if (count > 0) parts.push(buffer.subarray(0, count));
    }
    const taken = posix.take(fd);
    if (taken === 0) break;
    if (typeof taken !== 'number') parts.push(Buffer.from(taken));
    else if (taken !== -errno.EAGAIN) t.fail(`take: ${taken}`);
  }
  t.equal(digest(Buffer.concat(parts)), digest(sent));
  t.equal(posix.take(fd), 0, 'the end stays');
  poller.close();
});

t.test('take returns nothing when there is nothing, or no copy to save', async (t) => {
  const posix = posixFor(t);
  const { fd, peer } = await connectedTo(t, posix);
  t.equal(posix.take(fd), -errno.EAGAIN);
  t.equal(posix.take(posix.eventfd()), -errno.EOPNOTSUPP);
  t.equal(posix.take(1_000), -errno.EBADF);
  peer.resetAndDestroy();
  await readiness(posix, fd, READABLE);
  t.equal(posix.take(fd), -errno.ECONNRESET);
  t.equal(posix.take(fd), 0);
});

t.test('all memory is given back once the connection is closed, read or unread', async (t) => {
  for (const [before, after, read] of [
    [0, 0, 0],
    [100, 0, 0],
    [100, 100, 150],
    [100, 300_000, 50],
    [0, 300_000, 300_000],
  ] as const) {
    const posix = posixFor(t);
    const { fd, peer } = await connectedTo(t, posix);
    const pool = new CountedPool();
    if (before > 0) {
      peer.write(Buffer.alloc(before));
      await readiness(posix, fd, READABLE);
    }
    t.equal(posix.dedicate(fd, pool), 0);
    t.ok(pool.taken.size > 0);
    const poller = posix.createPoller();
    poller.setInterest(fd, READABLE);
    if (after > 0) peer.write(Buffer.alloc(after));
    const buffer = Buffer.alloc(50_000);
    for (let left: number = read; left > 0;) {
      const count = posix.read(fd, buffer.subarray(0, Math.min(left, buffer.length)));
      if (count > 0) left -= count;
      else await readiness(posix, fd, READABLE);
    }
    poller.close();
    posix.close(fd);
    const closed = once(peer, 'close');
    peer.resume().end();
    await closed;
    for (let turn = 0; turn < 100 && pool.taken.size > 0; turn++) await new Promise(setImmediate);
    t.equal(pool.taken.size, 0, `${read} of ${before + after} bytes read`);
  }
});
