// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import { errno } from '../../src/posix/errno.js';
import { POLL_READ_FD, TIMEOUT } from '../../src/scheduler/event.js';
import { Scheduler, Tapdisk3Scheduler } from '../../src/scheduler/index.js';
import { ObserverList } from '../../src/metrics/combined-observer.js';
import { MAX_RECORDED_SECONDS, Recording } from '../../src/metrics/recording.js';
import { traceEvent } from '../../src/metrics/trace-event.js';
import { ManualClock } from '../control/world.js';
import { MemoryPoller } from '../scheduler/memory-poller.js';
import { checkedTrace, type ReadTraceEvent } from './trace-rules.js';

/** A scheduler in memory with a recording that is off. */
function world({ maxEntries }: { maxEntries?: number } = {}) {
  const clock = new ManualClock();
  const poller = new MemoryPoller();
  const observers = new ObserverList();
  const recording = new Recording(observers, { clock, name: 'test', ...(maxEntries && { maxEntries }) });
  const tapdisk3 = () => {
    const nowMicroseconds = (): number => Math.round(clock.now() * 1e6);
    return new Tapdisk3Scheduler({ poller, clock: { nowMicroseconds }, observer: observers });
  };
  return {
    clock,
    poller,
    recording,
    scheduler: new Scheduler({ poller, clock, observer: observers }),
    tapdisk3,
  };
}

function traceOf(t: Test, recording: Recording, seconds?: number): readonly ReadTraceEvent[] {
  const pieces = recording.trace(seconds);
  if (pieces === undefined) throw new Error('the recording is off');
  return checkedTrace(t, [...pieces].join(''));
}

const names = (events: readonly ReadTraceEvent[]): string[] => events.map(({ name }) => name);

t.test('a recording has registrations, waits and callbacks in order of their start', async (t) => {
  const { clock, poller, recording, scheduler } = world();
  using _hold = recording.hold();
  clock.seconds += 1;
  poller.duringSelect = () => {
    clock.seconds += 0.5;
  };
  const id = scheduler.registerEvent(POLL_READ_FD | TIMEOUT, 5, 30, () => {
    clock.seconds += 0.25;
    scheduler.unregisterEvent(id);
    clock.seconds += 0.25;
  });
  poller.answers.push([{ fd: 5, conditions: POLL_READ_FD }], -errno.EBADF);
  clock.seconds += 1;
  await scheduler.waitForEvents();
  await scheduler.waitForEvents();
  const args = { event: id, fd: 5, timeoutSeconds: 30 };
  const common = { pid: 1, tid: 1 };
  t.strictSame(traceOf(t, recording), [
    { name: 'register READ|TIMEOUT', cat: 'event', ph: 'i', s: 't', ts: 1e6, ...common, args },
    { name: 'select', cat: 'wait', ph: 'X', ts: 2e6, dur: 0.5e6, ...common, args: { ready: 1 } },
    { name: 'READ 5', cat: 'callback', ph: 'X', ts: 2.5e6, dur: 0.5e6, ...common, args },
    { name: 'unregister READ|TIMEOUT', cat: 'event', ph: 'i', s: 't', ts: 2.75e6, ...common, args },
    { name: 'select', cat: 'wait', ph: 'X', ts: 3e6, dur: 0.5e6, ...common, args: { failed: 'EBADF' } },
  ]);
});

t.test('nothing is recorded before the first holder, nor after the last', async (t) => {
  const { recording, scheduler } = world();
  const register = (): unknown => scheduler.registerEvent(TIMEOUT, -1, 1, () => {});
  register();
  t.equal(recording.isOn, false);
  t.equal(recording.trace(), undefined);
  const one = recording.hold();
  register();
  const other = recording.hold();
  one[Symbol.dispose]();
  one[Symbol.dispose]();
  t.equal(recording.isOn, true, 'the other one still holds it, however often the one lets go');
  t.strictSame(names(traceOf(t, recording)), ['register TIMEOUT'], 'a later one has all of it');
  other[Symbol.dispose]();
  t.equal(recording.isOn, false);
  t.equal(recording.trace(), undefined);
  using _again = recording.hold();
  t.strictSame(traceOf(t, recording), []);
});

t.test('it goes back the seconds asked for, up to a limit', async (t) => {
  const { clock, recording, scheduler } = world();
  using _hold = recording.hold();
  const register = (fd: number): unknown => scheduler.registerEvent(POLL_READ_FD, fd, 0, () => {});
  register(1);
  clock.seconds += MAX_RECORDED_SECONDS;
  register(2);
  clock.seconds += 5;
  register(3);
  const fds = (seconds?: number): unknown[] => traceOf(t, recording, seconds).map(({ args }) => args['fd']);
  t.strictSame(fds(4), [3]);
  t.strictSame(fds(5), [2, 3], 'what is as old as that is in it');
  t.strictSame(fds(), [2, 3]);
  t.strictSame(fds(1e9), [2, 3]);
});

t.test('a callback that ended within the requested seconds is included', async (t) => {
  const { clock, poller, recording, scheduler } = world();
  using _hold = recording.hold();
  scheduler.registerEvent(POLL_READ_FD, 1, 0, () => {
    clock.seconds += 10;
  });
  poller.answers.push([{ fd: 1, conditions: POLL_READ_FD }]);
  await scheduler.waitForEvents();
  t.strictSame(names(traceOf(t, recording, 5)), ['READ 1']);
});

t.test('beyond its bound a recording has the last entries, and states it', async (t) => {
  const { clock, recording, scheduler } = world({ maxEntries: 3 });
  using _hold = recording.hold();
  for (let fd = 1; fd <= 3; fd++) scheduler.registerEvent(POLL_READ_FD, fd, 0, () => {});
  t.equal(traceOf(t, recording).length, 3, 'as many as fit say nothing');
  clock.seconds += 10;
  for (let fd = 4; fd <= 9; fd++) scheduler.registerEvent(POLL_READ_FD, fd, 0, () => {});
  const trace = traceOf(t, recording);
  t.equal(trace[0]?.name, 'only the last 3 entries were kept');
  t.strictSame(
    trace.slice(1).map(({ args }) => args['fd']),
    [7, 8, 9],
  );
  clock.seconds += 10;
  t.match(
    traceOf(t, recording, 10)[0]?.name,
    /^only the last 3/,
    'what was dropped may be as old as the rest',
  );
  t.strictSame(names(traceOf(t, recording, 5)), [], 'nothing is missing of the last 5 seconds');
});

t.test('a recording of many entries is sent in pieces of one document', async (t) => {
  const { recording, scheduler } = world();
  using _hold = recording.hold();
  for (let fd = 0; fd < 1000; fd++) scheduler.registerEvent(POLL_READ_FD, fd, 0, () => {});
  const pieces = [...(recording.trace() ?? [])];
  t.ok(pieces.length > 4);
  t.equal(checkedTrace(t, pieces.join('')).length, 1000);
});

t.test('a trace covers the time up to the request', async (t) => {
  const { recording, scheduler } = world({ maxEntries: 2 });
  using _hold = recording.hold();
  scheduler.registerEvent(POLL_READ_FD, 1, 0, () => {});
  const pieces = recording.trace() ?? [];
  for (let fd = 2; fd < 9; fd++) scheduler.registerEvent(POLL_READ_FD, fd, 0, () => {});
  t.strictSame(names(checkedTrace(t, [...pieces].join(''))), ['register READ']);
});

t.test('a recording that begins within a callback leaves that callback out', async (t) => {
  const { poller, recording, scheduler } = world();
  let hold: Disposable | undefined;
  scheduler.registerEvent(POLL_READ_FD, 1, 0, () => {
    hold = recording.hold();
  });
  scheduler.registerEvent(POLL_READ_FD, 2, 0, () => {});
  poller.answers.push([1, 2].map((fd) => ({ fd, conditions: POLL_READ_FD })));
  await scheduler.waitForEvents();
  t.strictSame(names(traceOf(t, recording)), ['READ 2']);
  hold?.[Symbol.dispose]();
});

t.test('a running callback is included up to now, and marked as unfinished', async (t) => {
  const { clock, poller, recording, scheduler } = world();
  using _hold = recording.hold();
  let trace: readonly ReadTraceEvent[] = [];
  clock.seconds += 2;
  scheduler.registerEvent(POLL_READ_FD, 1, 0, () => {
    clock.seconds += 0.5;
    trace = traceOf(t, recording);
  });
  poller.answers.push([{ fd: 1, conditions: POLL_READ_FD }]);
  await scheduler.waitForEvents();
  t.match(
    trace.find(({ cat }) => cat === 'callback'),
    { name: 'READ 1', ts: 2e6, dur: 0.5e6, args: { 'has not ended': true } },
  );
  t.strictSame(
    traceOf(t, recording).filter(({ args }) => 'has not ended' in args),
    [],
  );
});

t.test("with tapdisk3's scheduler callbacks and waits lie within each other", async (t) => {
  const { clock, poller, recording, tapdisk3 } = world();
  using _hold = recording.hold();
  clock.seconds += 1;
  const scheduler = tapdisk3();
  poller.duringSelect = () => {
    clock.seconds += 1;
  };
  clock.seconds -= 1;
  scheduler.registerEvent(POLL_READ_FD, 3, 0, async () => {
    scheduler.unregisterEvent(1);
    clock.seconds += 1;
    await scheduler.waitForEvents();
    clock.seconds += 1;
  });
  scheduler.registerEvent(POLL_READ_FD, 4, 0, () => {
    clock.seconds += 1;
  });
  scheduler.registerEvent(TIMEOUT, -1, -1, () => {});
  clock.seconds += 1;
  poller.answers.push(
    [{ fd: 3, conditions: POLL_READ_FD }],
    -errno.EINTR,
    [{ fd: 4, conditions: POLL_READ_FD }],
    -errno.EBADF,
  );
  await scheduler.waitForEvents();
  await scheduler.waitForEvents();
  const trace = traceOf(t, recording);
  t.strictSame(trace[2]?.args, { event: 3, timeoutSeconds: 'infinite' });
  t.strictSame(
    trace.slice(3).map(({ name, ts, dur = 0, args }) => [name, ts / 1e6, dur / 1e6, args['failed']]),
    [
      ['select', 1, 1, undefined],
      ['READ 3', 2, 5, undefined],
      ['unregister READ', 2, 0, undefined],
      ['select', 3, 2, undefined],
      ['READ 4', 5, 1, undefined],
      ['select', 7, 1, 'EBADF'],
    ],
  );
});

t.test('a poller that throws leaves no sleep in progress', async (t) => {
  const { poller, recording, scheduler } = world();
  using _hold = recording.hold();
  poller.answers.push(new Error('broken'));
  await t.rejects(scheduler.waitForEvents());
  t.strictSame(names(traceOf(t, recording)), []);
  await scheduler.waitForEvents();
  t.strictSame(names(traceOf(t, recording)), ['select']);
});

t.test('an entry names the function that its event calls, if that has a name', async (t) => {
  const { recording, scheduler } = world();
  using _hold = recording.hold();
  scheduler.registerEvent(TIMEOUT, -1, 1, function heartbeat() {});
  scheduler.registerEvent(TIMEOUT, -1, 1, () => {});
  const calls = traceOf(t, recording).map(({ args }) => args['calls']);
  t.strictSame(calls, ['heartbeat', undefined]);
});

t.test('a recording has the last 65536 entries unless said otherwise, of a minute at most', async (t) => {
  t.equal(MAX_RECORDED_SECONDS, 60);
  const observers = new ObserverList();
  const recording = new Recording(observers, { clock: new ManualClock(), name: 'test' });
  using _hold = recording.hold();
  const register = (): void =>
    observers.registered({ id: 1, mode: POLL_READ_FD, fd: 1, timeoutSeconds: 5, deadlineSeconds: 0 });
  const beginning = (): string => String(recording.trace()?.[Symbol.iterator]().next().value);
  for (let count = 0; count < 65_536; count++) register();
  t.notMatch(beginning(), /only the last/);
  register();
  t.match(beginning(), /only the last 65536 entries were kept/);
});

t.test('a recording that is off is not among the observers, and no wait looks for it', async (t) => {
  const observers = new ObserverList();
  const recording = new Recording(observers, { clock: new ManualClock(), name: 'test' });
  t.equal(observers.woke, undefined);
  const hold = recording.hold();
  t.type(observers.woke, 'function');
  hold[Symbol.dispose]();
  t.equal(observers.woke, undefined);
});

t.test('only an event that may time out has a timeout in a trace', async (t) => {
  const { recording, scheduler } = world();
  using _hold = recording.hold();
  scheduler.registerEvent(POLL_READ_FD, 3, 7, () => {});
  scheduler.registerEvent(POLL_READ_FD | TIMEOUT, 4, 7, () => {});
  t.strictSame(
    traceOf(t, recording).map(({ args }) => args),
    [
      { event: 1, fd: 3 },
      { event: 2, fd: 4, timeoutSeconds: 7 },
    ],
  );
});

t.test('a wait that ends with nothing ready has not failed', async (t) => {
  t.match(traceEvent({ kind: 'sleep', at: 1, duration: 2, answer: 0 }), {
    ts: 1,
    dur: 2,
    args: { ready: 0 },
  });
  t.match(traceEvent({ kind: 'sleep', at: 1, duration: 2, answer: -errno.EBADF }), {
    args: { failed: 'EBADF' },
  });
});
