// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createHash } from 'node:crypto';
import type { Test } from 'tap';
import {
  errno,
  type Posix,
  READABLE,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  WRITABLE,
} from '../../../src/posix/index.js';
import {
  type Behaviour,
  connection,
  readiness,
  readText,
  readToEnd,
  succeeded,
  type World,
  writeText,
} from './world.js';

const MIB = 1024 * 1024;
const LENGTH_EACH_WAY = 64 * MIB;

/** Bytes that follow from a seed (xorshift32), in blocks of any size. */
class SeededBytes {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }
  next(block: Uint8Array): void {
    const words = new Uint32Array(block.buffer, block.byteOffset, block.length / 4);
    let state = this.#state;
    for (let index = 0; index < words.length; index++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[index] = state;
    }
    this.#state = state;
  }
}

/** Sends so many seeded bytes and ends; returns their hash. The buffer is overwritten as soon as write has answered. */
async function sendSeeded(
  posix: Posix,
  fd: number,
  length: number,
  seed: number,
  blockSize: number,
): Promise<string> {
  const bytes = new SeededBytes(seed);
  const hash = createHash('sha256');
  const block = new Uint8Array(blockSize);
  for (let sent = 0; sent < length; sent += blockSize) {
    bytes.next(block);
    hash.update(block);
    let left = block;
    while (left.length > 0) {
      const count = posix.write(fd, left);
      if (count === -errno.EAGAIN) await readiness(posix, fd, WRITABLE);
      else left = left.subarray(succeeded(count));
    }
  }
  succeeded(posix.shutdown(fd, SHUT_WR));
  return hash.digest('hex');
}

async function receiveHash(
  posix: Posix,
  fd: number,
  bufferSize: number,
): Promise<{ hash: string; length: number }> {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(bufferSize);
  let length = 0;
  for (;;) {
    const count = posix.read(fd, buffer);
    if (count === -errno.EAGAIN) await readiness(posix, fd, READABLE);
    else if (succeeded(count) === 0) return { hash: hash.digest('hex'), length };
    else {
      hash.update(buffer.subarray(0, count));
      length += count;
    }
  }
}

async function bothWays(t: Test, world: World, seed: number): Promise<void> {
  const { a, b } = world;
  const { client, server } = await connection(world);
  t.comment(`seed ${seed}`);
  const [sentByA, sentByB, gotByB, gotByA] = await Promise.all([
    sendSeeded(a, client, LENGTH_EACH_WAY, seed, 16 * 1024),
    sendSeeded(b, server, LENGTH_EACH_WAY, seed + 1, 256 * 1024),
    receiveHash(b, server, 10_007),
    receiveHash(a, client, 4099),
  ]);
  t.same(gotByB, { hash: sentByA, length: LENGTH_EACH_WAY });
  t.same(gotByA, { hash: sentByB, length: LENGTH_EACH_WAY });
}

/** read, write, shutdown and close on connected streams. */
export const streams: readonly Behaviour[] = [
  {
    title: 'read takes what is there, in any pieces, and says -EAGAIN when nothing is',
    body: async (t, world) => {
      const { a, b } = world;
      const { client, server } = await connection(world);
      t.equal(b.read(server, new Uint8Array(8)), -errno.EAGAIN);
      t.equal(a.write(client, Buffer.from('abc')), 3);
      t.equal(a.write(client, Buffer.from('defgh')), 5);
      let text = '';
      while (text.length < 8) text += await readText(b, server, 3);
      t.equal(text, 'abcdefgh');
      t.equal(b.read(server, new Uint8Array(8)), -errno.EAGAIN);
    },
  },
  {
    title: 'nothing read or written is 0; what is no Uint8Array is -EFAULT',
    body: async (t, world) => {
      const { a } = world;
      const { client } = await connection(world);
      t.equal(a.read(client, new Uint8Array(0)), 0);
      t.equal(a.write(client, new Uint8Array(0)), 0);
      for (const bad of [undefined, null, 'text', 5, new ArrayBuffer(4), [1, 2]] as unknown as Uint8Array[]) {
        t.equal(a.read(client, bad), -errno.EFAULT);
        t.equal(a.write(client, bad), -errno.EFAULT);
      }
    },
  },
  {
    title: 'the caller may reuse its buffer as soon as write has answered',
    body: async (t, world) => {
      const { a, b } = world;
      const { client, server } = await connection(world);
      const buffer = Buffer.alloc(4);
      let taken = 0;
      for (let n = 0; n < 1000; n++) {
        buffer.write(String(n).padStart(4, '0'));
        taken += a.write(client, buffer);
        buffer.fill('x');
      }
      t.equal(taken, 4000);
      a.close(client);
      const expected = Array.from({ length: 1000 }, (_, n) => String(n).padStart(4, '0')).join('');
      t.equal(await readToEnd(b, server), expected);
    },
  },
  {
    title: 'half-close: the peer reads to the end of file and can still send',
    body: async (t, world) => {
      const { a, b } = world;
      const { client, server } = await connection(world);
      await writeText(a, client, 'question');
      t.equal(a.shutdown(client, SHUT_WR), 0);
      t.equal(a.write(client, new Uint8Array(1)), -errno.EPIPE);
      t.equal(a.shutdown(client, SHUT_WR), 0, 'a second time is harmless');
      t.equal(await readToEnd(b, server), 'question');
      t.equal(b.read(server, new Uint8Array(1)), 0);
      await writeText(b, server, 'answer');
      b.close(server);
      t.equal(await readToEnd(a, client), 'answer');
    },
  },
  {
    title: 'SHUT_RD: what has come is read, then the end of file instead of -EAGAIN; sending goes on',
    body: async (t, world) => {
      const { a, b } = world;
      const { client, server } = await connection(world);
      a.write(client, Buffer.from('in time'));
      await readiness(b, server, READABLE);
      t.equal(b.shutdown(server, SHUT_RD), 0);
      t.equal(await readText(b, server), 'in time');
      t.equal(await readText(b, server), '');
      b.write(server, Buffer.from('ok'));
      t.equal(await readText(a, client), 'ok');
    },
  },
  {
    title: 'SHUT_RDWR ends both sides; another value is -EINVAL',
    body: async (t, world) => {
      const { a, b } = world;
      const { client, server } = await connection(world);
      t.equal(a.shutdown(client, 3), -errno.EINVAL);
      t.equal(a.shutdown(client, Number.NaN), -errno.EINVAL);
      t.equal(a.shutdown(client, SHUT_RDWR), 0);
      t.equal(a.read(client, new Uint8Array(1)), 0);
      t.equal(a.write(client, new Uint8Array(1)), -errno.EPIPE);
      t.equal(await readText(b, server), '');
    },
  },
  {
    title: 'close: bytes that write took still arrive, then the end of file, though the peer sends nothing',
    body: async (t, world) => {
      const { a, b } = world;
      const { client, server } = await connection(world);
      let sent = 0;
      const block = Buffer.alloc(65_536, 'z');
      for (let count = a.write(client, block); count > 0; count = a.write(client, block)) sent += count;
      t.ok(sent > 0);
      t.equal(a.close(client), 0);
      t.equal((await readToEnd(b, server)).length, sent);
    },
  },
  {
    title:
      'close with bytes unread: the peer sees the end of the connection, and its sending fails in the end',
    body: async (t, world) => {
      const { a, b } = world;
      const { client, server } = await connection(world);
      await writeText(a, client, 'nobody reads this');
      await readiness(b, server, READABLE);
      b.close(server);
      await readiness(a, client, READABLE);
      const answer = a.read(client, new Uint8Array(1));
      t.ok(answer === 0 || answer === -errno.ECONNRESET);
    },
  },
  {
    title: 'bytes that came before a reset are read first',
    body: async (t, world) => {
      const { a, b } = world;
      const { client, server } = await connection(world);
      const poller = b.createPoller();
      poller.setInterest(server, READABLE);
      await writeText(a, client, 'last words');
      await readiness(b, server, READABLE);
      world.reset(a, client);
      await readiness(b, server, WRITABLE);
      t.equal(await readText(b, server), 'last words');
      t.equal(await readText(b, server), String(-errno.ECONNRESET));
      t.equal(await readText(b, server), '');
      poller.close();
    },
  },
  {
    title: '64 MiB each way at once through small buffers arrive byte for byte',
    body: (t, world) => bothWays(t, world, 20_141_014),
  },
];
