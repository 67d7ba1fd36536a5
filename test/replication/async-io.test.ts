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
import { POLL_READ_FD, POLL_WRITE_FD, TIMEOUT } from '../../src/scheduler/index.js';
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

/** A transfer over calls whose results are given one by one, and events that a test fires. */
function scripted(mode: number, results: number[], given: Partial<TdAsyncIo> = {}) {
  const log: string[] = [];
  const events = new Map<number, { readonly mode: number; readonly callback: () => void }>();
  let nextId = 0;
  const refusals: number[] = [];
  const call = (name: string) => (_fd: number, bytes: Uint8Array) => {
    log.push(`${name} ${bytes.length}`);
    return results.shift() ?? -errno.EAGAIN;
  };
  const { taio, ends } = transfer(
    {
      server: {
        registerEvent: (
          its: number,
          fd: number,
          seconds: number,
          callback: (...args: never[]) => void,
          arg: unknown,
        ) => {
          const refusal = refusals.shift() ?? 0;
          if (refusal < 0) return refusal;
          events.set(nextId, { mode: its, callback: () => callback(...([nextId, its, arg] as never[])) });
          log.push(`register ${its} ${fd} ${seconds}`);
          return nextId++;
        },
        unregisterEvent: (id: number) => void events.delete(id),
        setMaxTimeout: () => 0,
      } as never,
      posix: { read: call('read'), write: call('write') },
    },
    { mode, fd: 3, buff: Buffer.alloc(10), size: 8, timeoutS: 5, ...given },
  );
  const fire = (its: number): void => {
    for (const event of [...events.values()]) if (event.mode === its) event.callback();
  };
  return { taio, ends, log, events, refusals, fire };
}
t.test('an init forgets everything, what the caller filled in too', async (t) => {
  const { taio } = scripted(TD_ASYNC_WRITE, []);
  taio.used = 7;
  const { server, posix } = taio;
  tdAsyncIoInit(taio);
  t.match(taio, {
    fd: -1,
    timeoutId: -1,
    ioId: -1,
    timeoutS: 0,
    mode: TD_ASYNC_READ,
    size: 0,
    used: 0,
    running: 0,
  });
  t.same(
    [taio.callback, taio.buff.length, taio.server === server, taio.posix === posix],
    [undefined, 0, true, true],
  );
  t.match(tdAsyncIo({ server, posix }), {
    fd: 0,
    timeoutId: 0,
    ioId: 0,
    used: 0,
    running: 0,
    timeoutS: 0,
    mode: 0,
  });
});

for (const [mode, ready, name] of [
  [TD_ASYNC_READ, POLL_READ_FD, 'read'],
  [TD_ASYNC_WRITE, POLL_WRITE_FD, 'write'],
] as const) {
  t.test(`a ${name} goes on until all bytes were moved, over interruptions`, async (t) => {
    const { taio, ends, log, events, fire } = scripted(mode, [3, -errno.EINTR, 5]);
    t.equal(tdAsyncIoStart(taio), 0);
    t.same(log, [`register ${ready} 3 0`, `register ${TIMEOUT} -1 5`]);
    t.equal(tdAsyncIoIsRunning(taio), 1);
    fire(ready);
    t.same(log.slice(2), [`${name} 8`, `${name} 5`, `${name} 5`]);
    t.same([ends, taio.used, tdAsyncIoIsRunning(taio), events.size], [[[8, 0]], 8, 0, 0]);
    t.same([taio.ioId, taio.timeoutId], [-1, -1]);
  });

  t.test(`a ${name} that would wait gives the peer its whole time again`, async (t) => {
    const { taio, ends, log, events, fire } = scripted(mode, [3]);
    tdAsyncIoStart(taio);
    const { timeoutId } = taio;
    fire(ready);
    t.same(log.slice(2), [`${name} 8`, `${name} 5`, `register ${TIMEOUT} -1 5`]);
    t.same([ends, taio.used, events.size], [[], 3, 2]);
    t.not(taio.timeoutId, timeoutId);
    fire(TIMEOUT);
    t.same([ends, taio.used, events.size], [[[0, errno.ETIME]], 3, 0]);
    const { taio: other, log: its, fire: fireOther } = scripted(mode, [3], { timeoutS: 0 });
    tdAsyncIoStart(other);
    fireOther(ready);
    t.same(its, [`register ${ready} 3 0`, `${name} 8`, `${name} 5`], 'without a limit there is none');
  });

  t.test(`a ${name} that fails, or whose time cannot be renewed, ends with that`, async (t) => {
    const { taio, ends, events, fire } = scripted(mode, [3, -errno.EIO]);
    tdAsyncIoStart(taio);
    fire(ready);
    t.same([ends, taio.used, events.size], [[[0, errno.EIO]], 3, 0]);
    const second = scripted(mode, [3]);
    tdAsyncIoStart(second.taio);
    second.refusals.push(-errno.ENOMEM);
    second.fire(ready);
    t.same([second.ends, second.events.size, second.taio.timeoutId], [[[-1, -errno.ENOMEM]], 0, -1]);
  });
}

t.test('a read that meets the end of file ends with what has come', async (t) => {
  const { taio, ends, fire } = scripted(TD_ASYNC_READ, [3, 0]);
  tdAsyncIoStart(taio);
  fire(POLL_READ_FD);
  t.same(ends, [[3, 0]]);
  const empty = scripted(TD_ASYNC_READ, [0]);
  tdAsyncIoStart(empty.taio);
  empty.fire(POLL_READ_FD);
  t.same(empty.ends, [[0, 0]]);
});

t.test('a write of no bytes is no end', async (t) => {
  const { taio, ends, log, fire } = scripted(TD_ASYNC_WRITE, [0, 8]);
  tdAsyncIoStart(taio);
  fire(POLL_WRITE_FD);
  t.same([ends, log.slice(2)], [[[8, 0]], ['write 8', 'write 8']]);
});

t.test('what cannot be started leaves nothing behind', async (t) => {
  for (const given of [
    { size: 0 },
    { size: -1 },
    { size: 11 },
    { fd: -1 },
    { callback: undefined },
    { mode: 2 },
  ]) {
    const { taio, log, events } = scripted(TD_ASYNC_READ, [], given);
    t.equal(tdAsyncIoStart(taio), -1, JSON.stringify(given));
    t.same([log, events.size, taio.running], [[], 0, 0]);
  }
  for (const given of [{ size: 10 }, { size: 1 }, { fd: 0 }])
    t.equal(tdAsyncIoStart(scripted(TD_ASYNC_READ, [], given).taio), 0, JSON.stringify(given));
  for (const refusals of [[-errno.ENOMEM], [0, -errno.ENOMEM]]) {
    const its = scripted(TD_ASYNC_READ, []);
    its.refusals.push(...refusals);
    t.equal(tdAsyncIoStart(its.taio), -1);
    t.same([its.events.size, its.taio.running], [0, 0]);
    t.equal(tdAsyncIoStart(its.taio), 0, 'and may be tried again');
    t.equal(tdAsyncIoStart(its.taio), -1, 'but not while it runs');
  }
});
