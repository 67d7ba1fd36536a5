// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// The bytes of @vates/nbd-client 3.6.0, Xen Orchestra's client: it takes exports by EXPORT_NAME, with all of its zeroes, and
// writes each field by itself. (The package is no dependency of the tests: one of its own is not to be had.)
import t from 'tap';
import { pattern, writeSectors } from '../disks/drivers/disk-world.js';
import { nbdWorld, type NbdWorld } from './nbd-world.js';
import { type RawClient, u16, u32, u64 } from './raw-client.js';

const BLOCK = 64 << 10;
const READ = 0;
const DISC = 2;

/** Its handshake; returns the connection and the disk's size. */
async function connected(world: NbdWorld, name: string): Promise<readonly [RawClient, number]> {
  const raw = world.raw();
  raw.socket.setNoDelay();
  await raw.take(8);
  await raw.take(8);
  t.equal((await raw.take(2)).readUInt16BE(0) & 1, 1);
  for (const field of [u32(1), Buffer.from('IHAVEOPT'), u32(1), u32(name.length), Buffer.from(name)])
    raw.send(field);
  const answer = await raw.take(134);
  t.equal(answer.readUInt16BE(8) & 1, 1);
  t.ok(answer.subarray(10).every((byte) => byte === 0));
  return [raw, Number(answer.readBigUInt64BE(0))];
}

const query = (command: number, cookie: bigint, offset: bigint, length: number): Buffer =>
  Buffer.concat([u32(0x25609513), u16(0, command), u64(cookie, offset), u32(length)]);

/** The answers to READs of blocks, in whatever order they come, by cookie. */
async function blocks(raw: RawClient, count: number): Promise<Map<bigint, Buffer>> {
  const found = new Map<bigint, Buffer>();
  while (found.size < count) {
    const { error, cookie } = await raw.simple();
    if (error !== 0) throw new Error(`error ${error}`);
    found.set(cookie, await raw.take(BLOCK));
  }
  return found;
}

t.test(
  'blocks are read by export name over several connections, and each disconnects in order',
  async (t) => {
    const world = nbdWorld(t, { tcp: true });
    const vbd = await world.open('ram:2');
    const data = pattern((2 << 20) / 512, 3);
    await writeSectors(vbd, 0, data);
    const clients = await Promise.all([1, 2, 3, 4].map(() => connected(world, '0')));
    const count = data.length / BLOCK / clients.length;
    const read = await Promise.all(
      clients.map(async ([raw, size], which) => {
        t.equal(size, data.length);
        for (let index = 0; index < count; index++) {
          const block = index * clients.length + which;
          raw.send(query(READ, BigInt(block), BigInt(block * BLOCK), BLOCK));
        }
        return blocks(raw, count);
      }),
    );
    for (const each of read)
      for (const [block, bytes] of each)
        t.ok(
          bytes.equals(data.subarray(Number(block) * BLOCK, (Number(block) + 1) * BLOCK)),
          `block ${block}`,
        );
    for (const [raw] of clients) {
      raw.socket.end(query(DISC, 99n, 0n, 0));
      t.equal((await raw.rest()).length, 0);
    }
  },
);
