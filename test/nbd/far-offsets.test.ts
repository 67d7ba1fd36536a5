// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, ftruncateSync, openSync, readSync } from 'node:fs';
import t from 'tap';
import { pattern } from '../disks/drivers/disk-world.js';
import { nbdWorld } from './nbd-world.js';
import { request } from './raw-client.js';

const GIB = 2 ** 30;
const [READ, WRITE] = [0, 1];

t.test('offsets of 4 GiB and more are exact, for server and client', async (t) => {
  const world = nbdWorld(t);
  const path = world.path('far.img');
  const fd = openSync(path, 'w+');
  t.teardown(() => closeSync(fd));
  ftruncateSync(fd, 20 * GIB);
  const inFile = (offset: number): Buffer => {
    const bytes = Buffer.alloc(4096);
    readSync(fd, bytes, 0, bytes.length, offset);
    return bytes;
  };
  await world.open(`aio:${path}`);
  const raw = await world.raw().go();
  const client = await world.client();
  t.equal(client.facts.size, 20 * GIB);
  let cookie = 0n;
  for (const [index, offset] of [
    4 * GIB,
    4 * GIB - 2048,
    5 * GIB + 512,
    17 * GIB + 8192,
    20 * GIB - 16_384,
  ].entries()) {
    const data = pattern(8, 10 + index);
    raw.send(request(WRITE, { cookie, offset: BigInt(offset), length: data.length, data }));
    t.match(await raw.simple(), { cookie: cookie++, error: 0 });
    t.strictSame(inFile(offset), data, `written at ${offset}`);
    t.ok(inFile(offset % (4 * GIB)).every((byte) => byte === 0) || offset < 4 * GIB, 'and nowhere below');
    raw.send(request(READ, { cookie, offset: BigInt(offset), length: data.length }));
    t.match(await raw.simple(), { cookie: cookie++, error: 0 });
    t.strictSame(await raw.take(data.length), data);
    t.strictSame(await client.read(offset, data.length), data);
    await client.write(offset, pattern(8, 90 + index));
    t.strictSame(inFile(offset), pattern(8, 90 + index), 'written by the client');
  }
  raw.send(request(READ, { cookie, offset: BigInt(20 * GIB), length: 512 }));
  t.match(await raw.simple(), { error: 22 }, 'behind the end');
});
