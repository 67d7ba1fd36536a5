// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { errno, READABLE } from '../../../src/posix/index.js';
import { DedicatedInbound } from '../../../src/posix/node/dedicated-inbound.js';
import { readiness } from '../arms/world.js';
import { CountedPool } from '../counted-pool.js';
import { connectedTo, nodeServer, posixFor, turns } from '../fixture.js';

const BLOCK_BYTES = 64 << 10;

/** A dedicated connection that reads ahead at most so many bytes, and its peer, which nobody reads. */
async function dedicated(t: Test, receiveBufferBytes: number) {
  const posix = posixFor(t, { receiveBufferBytes });
  const { fd, peer } = await connectedTo(t, posix);
  const pool = new CountedPool();
  t.equal(posix.dedicate(fd, pool), 0);
  /** The memory that is taken, without the block that the next bytes go to. */
  const held = (): number => [...pool.taken].reduce((sum, { length }) => sum + length, 0) - BLOCK_BYTES;
  return { posix, fd, peer, pool, held };
}

/** Sends bytes that arrive in one piece, and waits until they have arrived, or could have. */
async function send(peer: Socket, bytes: number): Promise<void> {
  await new Promise<void>((sent) => void peer.write(Buffer.alloc(bytes), () => sent()));
  await turns(10);
}

t.test('reading stops when the receive buffer is full, and goes on once half of it is free', async (t) => {
  const { posix, fd, peer, held } = await dedicated(t, 1000);
  await send(peer, 999);
  t.equal(held(), 999);
  await send(peer, 1);
  t.equal(held(), 1000);
  await send(peer, 10);
  t.equal(held(), 1000, 'it is full');
  const buffer = Buffer.alloc(1000);
  t.equal(posix.read(fd, buffer.subarray(0, 499)), 499);
  await turns(10);
  t.equal(held(), 1000, 'there is a little more than half of it');
  t.equal(posix.read(fd, buffer.subarray(0, 1)), 1);
  await turns(10);
  t.equal(held(), 1010);
  t.equal(posix.read(fd, buffer), 510);
  t.equal(posix.read(fd, buffer), -errno.EAGAIN);
});

t.test('a little that came is held in as little memory', async (t) => {
  const { peer, held } = await dedicated(t, 1 << 20);
  await send(peer, 100);
  await send(peer, 16_384);
  t.equal(held(), 16_484);
});

t.test('what comes after the close is thrown away, while what was written is still sent', async (t) => {
  const { posix, fd, peer, pool } = await dedicated(t, 100_000);
  const block = Buffer.alloc(1 << 20);
  while (posix.write(fd, block) > 0) await turns(1);
  posix.close(fd);
  await send(peer, 20_000);
  await send(peer, 100);
  t.equal(pool.taken.size, 1, 'the block that the next bytes go to');
  const closed = once(peer, 'close');
  peer.resume().end();
  await closed;
  for (let turn = 0; turn < 100 && pool.taken.size > 0; turn++) await turns(1);
  t.equal(pool.taken.size, 0);
});

t.test('a reset that comes with the last bytes is reported after them', async (t) => {
  const { posix, fd, peer } = await dedicated(t, 1 << 20);
  const sent = 1_000_000;
  peer.write(Buffer.alloc(sent));
  while (peer.writableLength > 0) await turns(1);
  peer.resetAndDestroy();
  const buffer = Buffer.alloc(100_000);
  let last = 1;
  while (last > 0) {
    await readiness(posix, fd, READABLE);
    last = posix.read(fd, buffer);
  }
  t.equal(last, -errno.ECONNRESET);
  t.equal(posix.read(fd, buffer), 0);
});

t.test(
  'a connection that its user has set an encoding on, or read to the end, is not dedicated',
  async (t) => {
    const posix = posixFor(t);
    const { fd } = await connectedTo(t, posix);
    (posix.nodeObject(fd) as Socket).setEncoding('latin1');
    t.equal(posix.dedicate(fd), -errno.EOPNOTSUPP);
    const { fd: ended, peer } = await connectedTo(t, posix);
    const socket = posix.nodeObject(ended) as Socket;
    peer.end();
    await once(socket.resume(), 'end');
    t.equal(posix.dedicate(ended), -errno.EOPNOTSUPP);
    t.equal(posix.read(ended, Buffer.alloc(1)), 0);
  },
);

t.test('a socket that is not Node’s own, or of a Node that lacks a part, is left as it is', async (t) => {
  const nothing = (): void => {};
  const pool = new CountedPool();
  const isTaken = (socket: Socket): boolean =>
    DedicatedInbound.dedicate(socket, pool, 1000, nothing, nothing) !== undefined;
  const readStop = (): number => 0;
  const whole = { reading: false, readStop, useUserBuffer: nothing };
  t.notOk(isTaken(new Socket()), 'not connected');
  for (const [what, parts] of [
    ['no readStop', { _handle: { reading: false, useUserBuffer: nothing } }],
    ['no useUserBuffer', { _handle: { reading: false, readStop } }],
  ] as const) {
    t.notOk(isTaken(Object.assign(new Socket(), parts)), what);
  }
  const serverless = Object.assign(new Socket(), { _handle: whole }) as Partial<{ _server: unknown }>;
  delete serverless._server;
  t.notOk(isTaken(serverless as Socket), 'no _server');

  const { server, address } = await nodeServer(t, { allowHalfOpen: true });
  const Derived = class extends Socket {};
  const derived = new Derived().connect(address.port, address.address);
  const [peer] = (await once(server, 'connection')) as [Socket];
  t.notOk(isTaken(derived), 'a derived class may read in its own way');
  derived.destroy();
  peer.resume().end();
  t.equal(pool.taken.size, 0);
});
