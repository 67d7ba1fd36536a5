// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  type EventCallback,
  type EventRegistrar,
  POLL_READ_FD,
  POLL_WRITE_FD,
  TIMEOUT,
} from '../../../src/scheduler/index.js';
import { Violations, WatchedRegistrar } from '../../../src/testing/index.js';
import { twoHosts } from '../fixture.js';

/** A scheduler that does what it is told, right or wrong. */
class ObedientRegistrar implements EventRegistrar {
  readonly callbacks: EventCallback[] = [];
  nextId = 1;
  registerEvent<Private>(
    _mode: number,
    _fd: number,
    _timeout: number,
    callback: EventCallback<Private>,
  ): number {
    this.callbacks.push(callback as EventCallback);
    return this.nextId++;
  }
  unregisterEvent(): void {}
  setMaxTimeout(seconds: number): number {
    return seconds;
  }
}

function watched(): ReturnType<typeof twoHosts> & {
  obedient: ObedientRegistrar;
  events: WatchedRegistrar;
  violations: Violations;
} {
  const hosts = twoHosts({ startSeconds: 100 });
  const obedient = new ObedientRegistrar();
  const violations = new Violations(hosts.world);
  return { ...hosts, obedient, violations, events: new WatchedRegistrar(obedient, hosts.near, violations) };
}

t.test('correct use of a scheduler passes through without a violation', async (t) => {
  const { world, near, violations } = watched();
  const server = near.serve();
  const events = new WatchedRegistrar(server, near, violations);
  const fd = near.posix.eventfd(1);
  const fired: unknown[] = [];
  const read = events.registerEvent(
    POLL_READ_FD,
    fd,
    0,
    (id, mode, data) => {
      fired.push([id, mode, data]);
      near.posix.read(fd, new Uint8Array(8));
    },
    'private',
  );
  const beat = events.registerEvent(TIMEOUT, -1, 1, (id, mode) => fired.push([id, mode]));
  await world.run(2.5);
  t.same(fired, [
    [read, POLL_READ_FD, 'private'],
    [beat, TIMEOUT],
    [beat, TIMEOUT],
  ]);
  t.equal(events.size, 2);
  events.unregisterEvent(read);
  events.unregisterEvent(read);
  t.equal(events.size, 1);
  t.equal(events.setMaxTimeout(5), 0);
  t.ok(events.registerEvent(0, fd, 0, () => {}) < 0);
  t.equal(events.size, 1);
  t.ok(violations.isEmpty);
});

t.test('a callback for an unregistered event', async (t) => {
  const { obedient, events, violations } = watched();
  const id = events.registerEvent(TIMEOUT, -1, 0, () => {});
  events.unregisterEvent(id);
  obedient.callbacks[0]?.(id, TIMEOUT, undefined);
  t.same(violations.list, [
    'at 0.000000 s, 10.0.0.1: callback of event 1 for TIMEOUT, which is not registered',
  ]);
});

t.test('a callback for a condition without interest', async (t) => {
  const { near, obedient, events, violations } = watched();
  const id = events.registerEvent(POLL_READ_FD, near.posix.eventfd(), 0, () => {});
  obedient.callbacks[0]?.(id, POLL_WRITE_FD, undefined);
  t.match(violations.list, [/event 1 for WRITE, registered for READ$/]);
});

t.test('a callback for a descriptor that was closed or reused', async (t) => {
  const { near, obedient, events, violations } = watched();
  const fd = near.posix.eventfd();
  const id = events.registerEvent(POLL_READ_FD, fd, 0, () => {});
  near.posix.close(fd);
  obedient.callbacks[0]?.(id, POLL_READ_FD, undefined);
  near.posix.eventfd();
  obedient.callbacks[0]?.(id, POLL_READ_FD, undefined);
  t.equal(violations.list.length, 2);
  t.match(violations.list[1], /on descriptor 3, which was closed since it was registered$/);
  const never = events.registerEvent(POLL_READ_FD, 77, 0, () => {});
  obedient.callbacks[1]?.(never, POLL_READ_FD, undefined);
  t.match(violations.list[2], /on descriptor 77, which is not open$/);
});

t.test('a timeout before its time', async (t) => {
  const { world, near, obedient, events, violations } = watched();
  const id = events.registerEvent(TIMEOUT, -1, 3, () => {});
  await world.run(2.9);
  obedient.callbacks[0]?.(id, TIMEOUT, undefined);
  t.match(violations.list, [/event 1 for TIMEOUT, 1 s before its time$/]);
  near.adjustClock(2.2);
  obedient.callbacks[0]?.(id, TIMEOUT, undefined);
  t.equal(violations.list.length, 1, 'counted by the clock, from the last firing');
  obedient.callbacks[0]?.(id, TIMEOUT, undefined);
  t.match(violations.list[1], /event 1 for TIMEOUT, 3 s before its time$/);
});

t.test('an id in use is issued again', async (t) => {
  const { obedient, events, violations } = watched();
  events.registerEvent(TIMEOUT, -1, 0, () => {});
  obedient.nextId = 1;
  events.registerEvent(TIMEOUT, -1, 0, () => {});
  t.match(violations.list, [/event id 1 was given out although it is in use$/]);
});

t.test('a callback in a process that has died', async (t) => {
  const { near, obedient, events, violations } = watched();
  const id = events.registerEvent(TIMEOUT, -1, 0, () => {});
  near.restart();
  obedient.callbacks[0]?.(id, TIMEOUT, undefined);
  t.match(violations.list, [/in a process that has died$/]);
});

t.test('violations are counted up to a bound, and are in the trace with their time', async (t) => {
  const { world, violations } = watched();
  t.ok(violations.isEmpty);
  await world.run(2);
  for (let n = 0; n < 200; n++) violations.add('somebody', `wrong ${n}`);
  t.equal(violations.list.length, 100);
  t.equal(violations.list[0], 'at 2.000000 s, somebody: wrong 0');
  t.match(world.trace.lines[0], /VIOLATION somebody: wrong 0$/);
});

t.test('a thrown error is a violation with its stack, another value with its text', async (t) => {
  const { violations } = watched();
  violations.caught('somebody', new Error('broken'));
  violations.caught('somebody', 'thrown');
  t.match(violations.list, [/somebody: Error: broken\n +at /, /somebody: thrown$/]);
});
