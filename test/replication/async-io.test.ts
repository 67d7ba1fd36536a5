// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// The transfers of the port on connections. What they do call by call is what the conformance vectors are about.

import t from 'tap';
import { AF_INET, errno, type Inet4Address, NodePosix, SOCK_STREAM } from '../../src/posix/index.js';
import {
  TD_ASYNC_READ,
  TD_ASYNC_WRITE,
  type TdAsyncIo,
  tdAsyncIo,
  tdAsyncIoInit,
  tdAsyncIoIsRunning,
  tdAsyncIoKill,
  tdAsyncIoStart,
} from '../../src/replication/index.js';
import { nullLogger, TapdiskServer } from '../../src/server/index.js';
import { Random } from '../../src/testing/index.js';
import { randomBytes, randomSeed } from '../random.js';
import { connected, writeText } from '../testing/fixture.js';

type Ends = readonly [realsize: number, errnoval: number];

/** A transfer whose ends are collected. */
function transfer(
  host: Pick<TdAsyncIo, 'server' | 'posix'>,
  given: Partial<TdAsyncIo>,
): { taio: TdAsyncIo; ends: Ends[] } {
  const ends: Ends[] = [];
  const taio = tdAsyncIo(host);
  tdAsyncIoInit(taio);
  taio.callback = (_taio, realsize, errnoval) => void ends.push([realsize, errnoval]);
  Object.assign(taio, given);
  return { taio, ends };
}

/** A transfer that fills a buffer, or empties it. */
function whole(host: Pick<TdAsyncIo, 'server' | 'posix'>, mode: number, fd: number, buff: Uint8Array) {
  return transfer(host, { mode, fd, buff, size: buff.length, timeoutS: 5 });
}

t.test('megabytes cross a connection of Node sockets in one transfer each', async (t) => {
  await using server = new TapdiskServer({ posix: new NodePosix(), logger: nullLogger });
  const { posix } = server;
  const host = { server, posix };
  const listener = posix.socket(AF_INET, SOCK_STREAM);
  posix.bind(listener, { family: AF_INET, address: '127.0.0.1', port: 0 });
  posix.listen(listener, 1);
  const near = posix.socket(AF_INET, SOCK_STREAM);
  posix.connect(near, posix.getsockname(listener) as Inet4Address);
  await posix.select({ read: [listener] }, 10);
  const far = posix.accept(listener);

  const sent = randomBytes(new Random(randomSeed(t)), 4 * 2 ** 20);
  const received = Buffer.alloc(sent.length);
  const writing = whole(host, TD_ASYNC_WRITE, near, sent);
  const reading = whole(host, TD_ASYNC_READ, far, received);
  t.equal(tdAsyncIoStart(writing.taio), 0);
  t.equal(tdAsyncIoStart(reading.taio), 0);
  t.equal(tdAsyncIoIsRunning(reading.taio), 1);
  while (writing.ends.length + reading.ends.length < 2) await server.iterate();
  t.same(
    [...writing.ends, ...reading.ends],
    [
      [sent.length, 0],
      [sent.length, 0],
    ],
  );
  t.ok(received.equals(sent));
  t.equal(tdAsyncIoIsRunning(reading.taio), 0);
  t.equal(server.scheduler.size, 0, 'no event is left');
  for (const fd of [near, far, listener]) posix.close(fd);
});

t.test(
  'a header and its data are two transfers on one struct, the second started by the callback',
  async (t) => {
    const { world, near, far, one, other } = await connected();
    const server = near.serve();
    const messages: string[] = [];
    const taio = tdAsyncIo({
      server,
      posix: near.posix,
      fd: one,
      buff: Buffer.alloc(16),
      size: 4,
      timeoutS: 1,
    });
    taio.callback = (struct, realsize, errnoval) => {
      t.equal(tdAsyncIoIsRunning(struct), 0);
      messages.push(`${Buffer.from(struct.buff.subarray(0, realsize)).toString()} ${errnoval}`);
      struct.size = 6;
      if (messages.length === 1) tdAsyncIoStart(struct);
    };
    t.equal(tdAsyncIoStart(taio), 0);
    writeText(far.posix, other, 'wreqse');
    world.after(0.5, () => void writeText(far.posix, other, 'ctor'));
    await world.run(() => messages.length === 2);
    t.same(messages, ['wreq 0', 'sector 0']);
  },
);

t.test('silence within a transfer ends it after the timeout, with the bytes in used', async (t) => {
  const { world, near, far, one, other } = await connected();
  const server = near.serve();
  const { taio, ends } = whole({ server, posix: near.posix }, TD_ASYNC_READ, one, Buffer.alloc(8));
  t.equal(tdAsyncIoStart(taio), 0);
  for (const second of [1, 4, 8]) world.after(second, () => void writeText(far.posix, other, 'x'));
  await world.run(11);
  t.same(ends, [], 'a byte within each timeout keeps it alive');
  await world.run(() => ends.length > 0);
  t.same(ends, [[0, errno.ETIME]]);
  t.equal(taio.used, 3);
  t.equal(server.scheduler.size, 0);
});

t.test("on tapdisk3's scheduler the timeout counts whole seconds too, from the last readiness", async (t) => {
  const { world, near, far, one, other } = await connected({ maxWakeLatencySeconds: 0 });
  const server = near.serve({ dialect: 'tapdisk3' });
  const { taio, ends } = whole({ server, posix: near.posix }, TD_ASYNC_READ, one, Buffer.alloc(8));
  t.equal(tdAsyncIoStart(taio), 0);
  const start = world.nowSeconds;
  world.after(3, () => void writeText(far.posix, other, 'x'));
  await world.run(() => ends.length > 0);
  t.same(ends, [[0, errno.ETIME]]);
  t.ok(world.nowSeconds - start >= 8, `${world.nowSeconds - start} s`);
  t.equal(taio.used, 1);
  taio.timeoutS = -1;
  t.equal(tdAsyncIoStart(taio), 0);
  await world.run(() => ends.length > 1);
  t.same(ends[1], [0, errno.ETIME], 'a negative one is over at once');
});

t.test('a killed transfer leaves no event, and can be started again', async (t) => {
  const { world, near, far, one, other } = await connected();
  const server = near.serve();
  const { taio, ends } = whole({ server, posix: near.posix }, TD_ASYNC_READ, one, Buffer.alloc(4));
  tdAsyncIoStart(taio);
  t.equal(server.scheduler.size, 2);
  tdAsyncIoKill(taio);
  t.equal(server.scheduler.size, 0);
  writeText(far.posix, other, 'data');
  await world.run(1);
  t.same(ends, []);
  t.equal(tdAsyncIoStart(taio), 0);
  await world.run(() => ends.length > 0);
  t.same(ends, [[4, 0]]);
});

t.test('start refuses what C would write out of bounds, or call through null', async (t) => {
  const { near, one } = await connected();
  const host = { server: near.serve(), posix: near.posix };
  const { taio } = transfer(host, { mode: TD_ASYNC_READ, fd: one, buff: Buffer.alloc(4), size: 5 });
  t.equal(tdAsyncIoStart(taio), -1, 'the buffer is too short');
  taio.size = 4;
  taio.callback = undefined;
  t.equal(tdAsyncIoStart(taio), -1, 'no callback');
  taio.callback = () => {};
  taio.timeoutS = 1.5;
  t.equal(tdAsyncIoStart(taio), -1, 'no whole seconds');
  t.equal(tdAsyncIoIsRunning(taio), 0);
  t.equal(host.server.scheduler.size, 0);
});
