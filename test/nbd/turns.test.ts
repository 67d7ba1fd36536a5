// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, ftruncateSync, mkdirSync, openSync } from 'node:fs';
import t from 'tap';
import { driverTypes, ramDriverType } from '../../src/disks/drivers/index.js';
import { dispatch } from '../../src/cli/dispatch.js';
import { captured } from '../cli/captured-io.js';
import { freePort } from '../disks/drivers/remus-world.js';
import { ScriptedDisks } from '../disks/scripted-disks.js';
import { PROGRAMS_TIMEOUT_MS } from './image-world.js';
import { nbdWorld, until } from './nbd-world.js';
import { type RawClient, request } from './raw-client.js';

t.setTimeout(PROGRAMS_TIMEOUT_MS);

const [READ, WRITE, FLUSH, TRIM, CACHE, WRITE_ZEROES, BLOCK_STATUS] = [0, 1, 3, 4, 5, 6, 7];
const GIB = 2 ** 30;

/** Takes replies of whatever kind until the one with the cookie is there. */
async function answered(raw: RawClient, cookie: bigint): Promise<void> {
  for (;;) {
    const header = await raw.take(16);
    if (header.readUInt32BE(0) === 0x67446698) {
      if (header.readBigUInt64BE(8) === cookie) return;
      continue;
    }
    const length = await raw.take(4);
    await raw.take(length.readUInt32BE(0));
    if (header.readBigUInt64BE(8) === cookie && (header.readUInt16BE(4) & 1) === 1) return;
  }
}

for (const [driver, what, command, length] of [
  ['ram', 'READ', READ, 32 << 20],
  ['ram', 'WRITE', WRITE, 32 << 20],
  ['ram', 'TRIM', TRIM, GIB],
  ['ram', 'CACHE', CACHE, GIB],
  ['ram', 'WRITE_ZEROES', WRITE_ZEROES, GIB],
  ['ram', 'BLOCK_STATUS', BLOCK_STATUS, GIB],
  ['aio', 'READ', READ, 32 << 20],
  ['aio', 'TRIM', TRIM, GIB],
  ['aio', 'WRITE_ZEROES', WRITE_ZEROES, GIB],
  ['aio', 'BLOCK_STATUS', BLOCK_STATUS, GIB],
  ['vhd', 'READ', READ, 32 << 20],
  ['vhd', 'TRIM', TRIM, GIB],
  ['vhd', 'CACHE', CACHE, GIB],
  ['vhd', 'WRITE_ZEROES', WRITE_ZEROES, GIB],
  ['vhd', 'BLOCK_STATUS', BLOCK_STATUS, GIB],
  ['log', 'WRITE_ZEROES', WRITE_ZEROES, GIB],
  ['log', 'BLOCK_STATUS', BLOCK_STATUS, GIB],
  ['remus', 'READ', READ, 32 << 20],
  ['remus', 'TRIM', TRIM, GIB],
  ['remus', 'BLOCK_STATUS', BLOCK_STATUS, GIB],
  ['unhelpful', 'WRITE_ZEROES', WRITE_ZEROES, GIB],
  ['unhelpful', 'CACHE', CACHE, GIB],
] as const) {
  t.test(`others have turns while ${driver} does the largest ${what}`, async (t) => {
    const disks = new ScriptedDisks({ name: 'unhelpful', sectors: GIB / 512 });
    disks.answerAtOnce = () => 0;
    const world = nbdWorld(
      t,
      driver === 'unhelpful' ? { types: driverTypes([disks.type, ramDriverType]) } : {},
    );
    if (driver === 'aio') {
      const fd = openSync(world.path('disk'), 'w');
      ftruncateSync(fd, GIB);
      closeSync(fd);
    }
    if (driver === 'vhd') await captured(dispatch, ['vhd', 'create', world.path('disk.vhd'), '1G']);
    if (driver === 'remus') mkdirSync(world.path('state'), { mode: 0o700 });
    const replication = `role=primary,fifos=no,directory=${world.path('state')}`;
    const names = {
      ram: 'ram:1024',
      aio: `aio:${world.path('disk')}`,
      vhd: `vhd:${world.path('disk.vhd')}`,
      log: 'log:|ram:1024',
      remus: `remus:127.0.0.1:${freePort()},${replication}|ram:1024`,
      unhelpful: 'unhelpful:',
    };
    await world.open(names[driver]);
    const raw = await world.raw().go('', { allocation: true });
    const data = Buffer.alloc(command === WRITE ? length : 0, 1);
    let [longest, turns, ended] = [0, 0, false];
    const start = performance.now();
    let last = start;
    const turn = (): void => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      turns++;
      if (!ended) setImmediate(turn);
    };
    setImmediate(turn);
    raw.send(request(command, { cookie: 7n, length, data }));
    await answered(raw, 7n);
    ended = true;
    t.comment(
      `${(performance.now() - start).toFixed(1)} ms, the longest turn ${longest.toFixed(1)} ms, ${turns} turns`,
    );
    // Work that is done in pieces of at most so many bytes leaves so many turns.
    const isDoneByBytes = command === CACHE || driver === 'unhelpful';
    t.ok(turns >= (isDoneByBytes ? GIB / (16 << 20) : 1), `${turns} turns`);
  });
}

t.test('a client with endless requests lets others have their turns', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const [busy, other] = [await world.raw().go(), await world.raw().go()];
  const MANY = 20_000;
  busy.send(
    Buffer.concat(Array.from({ length: MANY }, (_, index) => request(FLUSH, { cookie: BigInt(index) }))),
  );
  await busy.simple();
  other.send(request(FLUSH, { cookie: 5n }));
  t.match(await other.simple(), { cookie: 5n });
  await answered(busy, BigInt(MANY - 1));
});

t.test('a connection that fills a disk’s queue leaves others their turns', async (t) => {
  const disks = new ScriptedDisks({ name: 'slow' });
  disks.answerAtOnce = (what) => (what === 'read' ? undefined : 0);
  const world = nbdWorld(t, { types: driverTypes([disks.type]), maxInFlight: 4 });
  const vbd = await world.open('slow:');
  const FLOODING = 3;
  const EACH = 64;
  for (let index = 0; index < FLOODING; index++) {
    const flooding = await world.raw().go();
    flooding.send(
      ...Array.from({ length: EACH }, (_, at) =>
        request(READ, { cookie: BigInt(at), offset: BigInt(at) * 512n, length: 512 }),
      ),
    );
  }
  await until(() => vbd.statistics().waiting === FLOODING * EACH - 4);
  const occasional = await world.raw().go();
  occasional.send(request(READ, { cookie: 5n, offset: 512n * 1000n, length: 512 }));
  await until(() => vbd.statistics().waiting === FLOODING * EACH - 3);
  for (let turn = 0; turn <= FLOODING; turn++) disks.answer('read');
  t.equal(
    disks.log.filter((call) => call === 'read 1000+1').length,
    1,
    'one turn of each of the others later',
  );
  const reply = occasional.simple();
  while (disks.calls.length > 0) disks.answer('read');
  t.match(await reply, { cookie: 5n, error: 0 });
});

t.test(
  'of many discards that make holes some are answered at once, and a read does not wait for them',
  async (t) => {
    const world = nbdWorld(t);
    const fd = openSync(world.path('disk'), 'w');
    ftruncateSync(fd, 4 * GIB);
    closeSync(fd);
    const vbd = await world.open(`aio:${world.path('disk')}`);
    const [trimming, reading] = [await world.raw().go(), await world.raw().go()];
    const MANY = 512;
    // Apart from each other, so that they cannot become one hole.
    const trims = Array.from({ length: MANY }, (_, index) =>
      request(TRIM, { cookie: BigInt(index), offset: BigInt(index) * BigInt(4 << 20), length: 1 << 20 }),
    );
    trimming.send(...trims);
    await until(() => vbd.statistics().inFlight > 0);
    reading.send(request(READ, { length: 512 }));
    await reading.take(16 + 512);
    t.ok(vbd.statistics().inFlight <= 40, `${vbd.statistics().inFlight} are in flight`);
    for (let count = 0; count < MANY; count++) t.match((await trimming.simple()).error, 0);
  },
);
