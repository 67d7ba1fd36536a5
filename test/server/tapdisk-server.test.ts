// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import t from 'tap';
import { loader, moduleUrl } from '../../scripts/program.js';
import { AF_INET, errno, NodePosix, SOCK_STREAM } from '../../src/posix/index.js';
import { POLL_READ_FD, POLL_WRITE_FD, TIMEOUT } from '../../src/scheduler/index.js';
import { LOG_ERR, MAX_FAILED_WAITS, nullLogger, TapdiskServer } from '../../src/server/index.js';

const nothing = (): void => {};

/** A logger that keeps its lines. */
function recorder() {
  const lines: string[] = [];
  return { lines, log: (priority: number, message: string) => void lines.push(`${priority} ${message}`) };
}

/** A system whose select always answers the same. */
class BrokenPosix extends NodePosix {
  selects = 0;
  private readonly answer: number;

  constructor(answer: number) {
    super();
    this.answer = answer;
  }

  override createPoller() {
    const poller = super.createPoller();
    poller.select = (_seconds, done) => {
      this.selects += 1;
      setImmediate(done, this.answer);
    };
    return poller;
  }
}

t.test('iterate is one wait of the scheduler', async (t) => {
  await using server = new TapdiskServer({ logger: nullLogger });
  let calls = 0;
  const fd = server.posix.eventfd(1);
  const id = server.registerEvent(POLL_READ_FD, fd, 0, () => (calls += 1));
  t.equal(await server.iterate(), 1);
  t.equal(calls, 1);
  server.unregisterEvent(id);
  t.equal(server.setMaxTimeout(0), 0);
  t.equal(await server.iterate(), 0);
});

t.test('iterate within iterate returns -EDEADLK', async (t) => {
  await using server = new TapdiskServer({ logger: nullLogger });
  const first = server.iterate();
  t.equal(await server.iterate(), -errno.EDEADLK);
  t.equal(await first, 0);
});

t.test('a server that iterates is running, and is stopped once its wait has ended', async (t) => {
  await using server = new TapdiskServer({ logger: nullLogger });
  const id = server.registerEvent(TIMEOUT, -1, 100, nothing);
  const wait = server.iterate();
  t.equal(server.isRunning, true);
  await t.rejects(server.run(), { message: 'the server is running already' });
  server.stop();
  t.same(
    [...server.scheduler.events()].map((event) => event.id),
    [id],
  );
  t.equal(await wait, 0);
  t.equal(server.isRunning, false);
  t.same([...server.scheduler.events()], []);
});

t.test('a server that is running cannot be run again, nor iterated', async (t) => {
  await using server = new TapdiskServer({ logger: nullLogger });
  const run = server.run();
  await t.rejects(server.run(), { message: 'the server is running already' });
  t.equal(await server.iterate(), -errno.EDEADLK);
  await t.rejects(server.run(), { message: 'the server is running already' });
  server.stop();
  await run;
});

t.test('run goes on until a callback stops it, and the pass under way is finished', async (t) => {
  await using server = new TapdiskServer({ logger: nullLogger });
  const fd = server.posix.eventfd(1);
  const seen: string[] = [];
  server.registerEvent(POLL_READ_FD, fd, 0, () => {
    seen.push('first');
    if (seen.length === 3) server.stop();
  });
  server.registerEvent(TIMEOUT, -1, 0, () => seen.push('second'));
  await server.run();
  t.same(seen, ['first', 'second', 'first', 'second']);
});

t.test('an abort ends a sleeping run; one already aborted ends at once', async (t) => {
  const abort = new AbortController();
  await using server = new TapdiskServer({ logger: nullLogger });
  const run = server.run({ signal: abort.signal });
  await server.posix.select({}, 0);
  abort.abort();
  await run;
  await using other = new TapdiskServer({ logger: nullLogger });
  await other.run({ signal: AbortSignal.abort() });
  t.equal(await other.iterate(), -errno.ECANCELED);
});

t.test('nothing is left after a stop: no event, descriptor, handle or timer', async (t) => {
  const before = process
    .getActiveResourcesInfo()
    .filter((name) => /^(TCP|Timeout|Immediate|Pipe)/.test(name)).length;
  const server = new TapdiskServer({ logger: nullLogger });
  const { posix } = server;
  const listener = posix.socket(AF_INET, SOCK_STREAM);
  t.equal(posix.bind(listener, { family: AF_INET, address: '127.0.0.1', port: 0 }), 0);
  t.equal(posix.listen(listener, 1), 0);
  server.registerEvent(POLL_READ_FD, listener, 0, nothing);
  server.registerEvent(TIMEOUT, -1, 100, nothing);
  const run = server.run();
  await posix.select({}, 0);
  server.stop();
  server.stop();
  await run;
  await server[Symbol.asyncDispose]();
  t.same([...server.scheduler.events()], []);
  t.same(posix.openDescriptors(), []);
  t.equal(server.registerEvent(TIMEOUT, -1, 0, nothing), -errno.ECANCELED);
  await new Promise(setImmediate);
  const after = process
    .getActiveResourcesInfo()
    .filter((name) => /^(TCP|Timeout|Immediate|Pipe)/.test(name)).length;
  t.equal(after, before);
});

t.test("the descriptors of a given operating system stay its giver's", async (t) => {
  const posix = new NodePosix();
  const fd = posix.eventfd();
  const server = new TapdiskServer({
    posix,
    logger: nullLogger,
    clock: { now: () => 7 },
    observer: {},
    maxCallbacksPerPass: 5,
  });
  server.stop();
  t.equal(posix.openDescriptors().length, 1);
  posix.close(fd);
});

t.test('dispose waits for a wait in progress', async (t) => {
  const server = new TapdiskServer({ logger: nullLogger });
  const run = server.run();
  await server[Symbol.asyncDispose]();
  t.equal(await server.iterate(), -errno.ECANCELED);
  await run;
});

t.test('a callback that throws ends the run with its error, and the server can be run again', async (t) => {
  await using server = new TapdiskServer({ logger: nullLogger });
  let calls = 0;
  server.registerEvent(TIMEOUT, -1, 0, () => {
    calls += 1;
    if (calls === 1) throw new Error('broken');
    server.stop();
  });
  await t.rejects(server.run(), { message: 'broken' });
  await server.run();
  t.equal(calls, 2);
});

t.test('the signal of a run that is over does not stop the next one', async (t) => {
  await using server = new TapdiskServer({ logger: nullLogger });
  const controller = new AbortController();
  let calls = 0;
  server.registerEvent(TIMEOUT, -1, 0, () => {
    calls += 1;
    if (calls === 1) throw new Error('broken');
    if (calls === 2) controller.abort();
    if (calls === 3) server.stop();
  });
  await t.rejects(server.run({ signal: controller.signal }), { message: 'broken' });
  await server.run();
  t.equal(calls, 3);
});

t.test(
  'an event on a descriptor that is not open is named and unregistered, and the others go on',
  async (t) => {
    const logger = recorder();
    await using server = new TapdiskServer({ logger });
    const fd = server.posix.eventfd(1);
    server.registerEvent(POLL_WRITE_FD, 77, 0, nothing);
    server.registerEvent(POLL_READ_FD, fd, 0, () => server.stop());
    await server.run();
    t.match(logger.lines, [
      new RegExp(`^${LOG_ERR} select failed: descriptor 77 of event 1 .*is not open`),
      new RegExp(`^${LOG_ERR} event 1 is unregistered`),
    ]);
    t.equal(logger.lines.length, 2);
  },
);

t.test('a select that keeps failing ends the run with an error that names the errno', async (t) => {
  const logger = recorder();
  const posix = new BrokenPosix(-errno.EINTR);
  await using server = new TapdiskServer({ posix, logger });
  await t.rejects(server.run(), { code: 'EINTR', message: /10 waits in a row failed, the last with EINTR/ });
  t.equal(logger.lines.length, MAX_FAILED_WAITS - 1);
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  t.equal(posix.selects, MAX_FAILED_WAITS, 'it is over');
  await using odd = new TapdiskServer({ posix: new BrokenPosix(-99_999), logger });
  await t.rejects(odd.run(), { code: 'errno 99999' });
});

t.test('selects that fail now and then, though often, do not end the run', async (t) => {
  const posix = new NodePosix();
  const createPoller = posix.createPoller.bind(posix);
  let selects = 0;
  posix.createPoller = () => {
    const poller = createPoller();
    poller.select = (_seconds, done) => {
      selects += 1;
      if (selects > 3 * MAX_FAILED_WAITS) server.stop();
      setImmediate(done, selects % 2 === 0 ? -errno.EINTR : []);
    };
    return poller;
  };
  await using server = new TapdiskServer({ posix, logger: nullLogger });
  await server.run();
  t.ok(selects > 3 * MAX_FAILED_WAITS);
});

t.test('a pass cut off by the cap is a warning', async (t) => {
  const logger = recorder();
  await using server = new TapdiskServer({ logger, maxCallbacksPerPass: 1 });
  server.registerEvent(TIMEOUT, -1, 0, nothing);
  server.registerEvent(TIMEOUT, -1, 0, nothing);
  await server.iterate();
  t.match(logger.lines, [/^4 a pass was cut after 1 callbacks, at event 2/]);
});

t.test('the dump lists events and descriptors', async (t) => {
  await using server = new TapdiskServer({ logger: nullLogger, clock: { now: () => 1000.5 } });
  t.equal(server.dump(), '0 events\n0 descriptors\n');
  const fd = server.posix.eventfd(1);
  server.registerEvent(POLL_READ_FD, fd, 0, nothing);
  server.registerEvent(TIMEOUT, -1, 15, nothing);
  t.match(
    server.dump(),
    /2 events\n {2}id {2}mode +fd +timeout +due\n {2}1 +READ +3 +- +-\n {2}2 +TIMEOUT +-1 +15 s +in 15 s\n1 descriptors\n {2}fd +what\n {2}3 +\S/,
  );
});

t.test(
  'SIGUSR1 dumps the tables, SIGINT closes down, and the process ends by itself with code 0',
  async (t) => {
    const script = `
    import { TapdiskServer, TIMEOUT } from ${JSON.stringify(moduleUrl('src/index.ts'))};
    const server = new TapdiskServer();
    server.registerEvent(TIMEOUT, -1, 500, () => {});
    const run = server.run();
    console.log('running');
    await run;
    console.log('stopped');
  `;
    const child = spawn(process.execPath, [...loader, '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const exit = once(child, 'exit');
    const out = createInterface(child.stdout)[Symbol.asyncIterator]();
    const err = createInterface(child.stderr)[Symbol.asyncIterator]();
    t.equal((await out.next()).value, 'running');
    child.kill('SIGUSR1');
    t.match((await err.next()).value, /info: 1 events/);
    child.kill('SIGINT');
    t.equal((await out.next()).value, 'stopped');
    t.same(await exit, [0, null]);
  },
);

t.test('a run without signals leaves them alone', async (t) => {
  await using server = new TapdiskServer({ logger: nullLogger });
  const listeners = process.listenerCount('SIGINT');
  const run = server.run({ signals: false });
  t.equal(process.listenerCount('SIGINT'), listeners);
  server.stop();
  await run;
});
