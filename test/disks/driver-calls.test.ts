// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import type { DoneWithReason } from '../../src/disks/driver.js';
import { callDriver, DriverRegistrar } from '../../src/disks/driver-calls.js';
import { errno } from '../../src/posix/errno.js';
import { TIMEOUT } from '../../src/scheduler/event.js';
import { LOG_CRIT, nullLogger } from '../../src/server/logger.js';
import { TapdiskServer } from '../../src/server/tapdisk-server.js';

t.test('a driver’s event is listed under the name of its function', async (t) => {
  await using server = new TapdiskServer({ logger: nullLogger });
  const registrar = new DriverRegistrar(server, nullLogger);
  registrar.registerEvent(TIMEOUT, -1, 5, function flushJournal() {});
  registrar.registerEvent(TIMEOUT, -1, 5, () => {});
  const names = [...server.scheduler.events()].map(({ callbackName }) => callbackName);
  t.same(names, ['flushJournal', '']);
});

/** Calls a driver, and returns what came of it and the lines of the log. */
function called(call: (done: DoneWithReason) => void) {
  const lines: string[] = [];
  const ends: [result: number, reason: string | undefined][] = [];
  const logger = { log: (priority: number, line: string) => void lines.push(`${priority} ${line}`) };
  callDriver(logger, 'aio:/a', call, (result, reason) => ends.push([result, reason]));
  return { lines, ends };
}

t.test('a call of a driver ends once, with its result and reason', async (t) => {
  t.same(
    called((done) => done(-5, 'why')),
    { lines: [], ends: [[-5, 'why']] },
  );
  let complete: DoneWithReason = () => {};
  const { lines, ends } = called((done) => {
    complete = done;
  });
  t.same(ends, []);
  complete(0);
  t.throws(() => complete(0), /a driver completed a call twice/);
  t.same(ends, [[0, undefined]]);
  t.same(lines, []);
});

t.test('a driver that throws is logged, and its call ends with EIO unless it has ended', async (t) => {
  const line = `${LOG_CRIT} aio:/a: a driver threw Error: a fault`;
  let complete: DoneWithReason = () => {};
  const before = called((done) => {
    complete = done;
    throw new Error('a fault');
  });
  t.same(before.ends, [[-errno.EIO, 'the driver has a fault: see the log']]);
  t.throws(() => complete(0), /a driver completed a call twice/);
  t.equal(before.ends.length, 1);
  const after = called((done) => {
    done(0);
    throw new Error('a fault');
  });
  t.same(after.ends, [[0, undefined]]);
  for (const { lines } of [before, after]) t.match(lines, [new RegExp(`^${line}`)]);
});

t.test('an event of a driver that throws is unregistered, and others go on', async (t) => {
  await using server = new TapdiskServer({ logger: nullLogger });
  const registrar = new DriverRegistrar(server, nullLogger);
  const fired: unknown[] = [];
  const throwing = registrar.registerEvent(TIMEOUT, -1, 0, () => {
    throw new Error('a fault');
  });
  const going = registrar.registerEvent(
    TIMEOUT,
    -1,
    0,
    (id, mode, data) => {
      fired.push([id, mode, data]);
    },
    'private',
  );
  await server.iterate();
  const ids = [...server.scheduler.events()].map(({ id }) => id);
  t.notOk(ids.includes(throwing));
  t.ok(ids.includes(going));
  t.same(fired, [[going, TIMEOUT, 'private']]);
  registrar.unregisterEvent(going);
  t.notOk([...server.scheduler.events()].some(({ id }) => id === going));
});

t.test('a driver gets what the scheduler returns, also for a callback that is none', async (t) => {
  await using server = new TapdiskServer({ logger: nullLogger });
  const registrar = new DriverRegistrar(server, nullLogger);
  const nothing = undefined as unknown as () => void;
  t.equal(registrar.registerEvent(TIMEOUT, -1, 5, nothing), -errno.EINVAL);
  t.equal(registrar.setMaxTimeout(5), 0);
  t.equal(registrar.setMaxTimeout(Number.NaN), -errno.EINVAL);
});
