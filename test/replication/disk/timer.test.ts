// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { Timer, type TimerHost } from '../../../src/replication/disk/timer.js';
import { SimulatedWorld } from '../../../src/testing/index.js';

t.test('a closed timer does not affect the new owner of its number', async (t) => {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const host = world.host('10.0.0.1');
  const parts = { registrar: host.serve(), posix: host.posix };
  const due: string[] = [];
  const first = new Timer(parts, () => due.push('first'));
  first.set(1);
  first.close();
  const second = new Timer(parts, () => due.push('second'));
  second.set(2);
  first.set(1);
  t.notOk(first.isSet);
  first.clear();
  first.close();
  await world.run(3);
  t.same(due, ['second']);
  second.close();
});

/** A timer on a host of its own, and how often it was due. */
function timer() {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const host = world.host('10.0.0.1');
  const due: number[] = [];
  const its: Timer = new Timer({ registrar: host.serve(), posix: host.posix }, () =>
    due.push(world.nowSeconds),
  );
  return { world, host, due, its };
}

t.test('a timer is due once, at its time', async (t) => {
  const { world, due, its } = timer();
  t.notOk(its.isSet);
  its.set(0.5);
  t.ok(its.isSet);
  await world.run(0.4);
  t.same(due, []);
  await world.run(0.2);
  t.equal(due.length, 1);
  t.notOk(its.isSet);
  await world.run(5);
  t.equal(due.length, 1);
});

t.test('a deadline that was set before is forgotten', async (t) => {
  const { world, due, its } = timer();
  its.set(1);
  its.set(3);
  await world.run(2);
  t.same(due, []);
  await world.run(2);
  t.equal(due.length, 1);
});

t.test('a timer that is cleared is not due, until it is set again', async (t) => {
  const { world, due, its } = timer();
  its.clear();
  its.set(1);
  its.clear();
  t.notOk(its.isSet);
  await world.run(2);
  t.same(due, []);
  its.set(1);
  await world.run(2);
  t.equal(due.length, 1);
});

t.test('a timer may be set by its own call', async (t) => {
  const world = new SimulatedWorld({ seed: 1, traceLines: 0 });
  const host = world.host('10.0.0.1');
  let due = 0;
  const its: Timer = new Timer({ registrar: host.serve(), posix: host.posix }, () => {
    due += 1;
    its.set(1);
  });
  its.set(1);
  await world.run(3.5);
  t.equal(due, 3);
});

t.test('one that is closed leaves nothing, and one that cannot be made neither', async (t) => {
  const { host, its } = timer();
  const timers = (): string[] => host.leftovers().filter((line) => line.includes('timer'));
  t.equal(timers().length, 1);
  its.close();
  t.same(timers(), []);
  host.failCalls({ calls: ['timerfd'], nth: 1, error: errno.EMFILE });
  const parts = { registrar: host.serve(), posix: host.posix };
  t.throws(() => new Timer(parts, () => {}), {
    code: 'EMFILE',
    message: 'cannot get a timer descriptor: EMFILE',
  });
  const registrar = { registerEvent: () => -errno.ENOMEM, unregisterEvent: () => {}, setMaxTimeout: () => 0 };
  t.throws(() => new Timer({ ...parts, registrar }, () => {}), {
    code: 'ENOMEM',
    message: 'cannot get an event for a timer: ENOMEM',
  });
  t.same(timers(), []);
});

t.test('a deadline that cannot be set is an error: nobody would be called', async (t) => {
  const { host, its } = timer();
  host.failCalls({ calls: ['timerfdSettime'], nth: 1, error: errno.EINVAL });
  t.throws(() => its.set(1), { code: 'EINVAL', message: 'cannot get a deadline: EINVAL' });
  t.notOk(its.isSet);
});

t.test('its descriptor has the deadline, and it is due only if that has passed and it is set', async (t) => {
  const deadlines: [fd: number, seconds: number][] = [];
  const results = [8, -errno.EAGAIN, 8, 8];
  let due = 0;
  let fire: () => void = () => {};
  const registrar: Pick<TimerHost['registrar'], 'registerEvent' | 'unregisterEvent'> = {
    registerEvent: (_mode, _fd, _timeout, callback) => {
      fire = () => callback(1, 1, undefined as never);
      return 1;
    },
    unregisterEvent: () => {},
  };
  const posix = {
    timerfd: () => 5,
    timerfdSettime: (fd: number, seconds: number) => {
      deadlines.push([fd, seconds]);
      return 0;
    },
    read: () => results.shift() ?? 0,
    close: () => 0,
  };
  const its = new Timer({ registrar: registrar as TimerHost['registrar'], posix }, () => (due += 1));
  fire();
  t.equal(due, 0, 'no deadline is set');
  its.set(3);
  fire();
  t.same([due, its.isSet], [0, true], 'it has not passed');
  fire();
  t.same([due, its.isSet], [1, false]);
  its.set(4);
  its.clear();
  fire();
  t.equal(due, 1, 'it was cleared');
  t.same(deadlines, [
    [5, 3],
    [5, 4],
    [5, 0],
  ]);
});
