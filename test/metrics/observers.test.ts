// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import t from 'tap';
import { NodePosix } from '../../src/posix/index.js';
import { POLL_READ_FD, TIMEOUT } from '../../src/scheduler/event.js';
import { Scheduler } from '../../src/scheduler/scheduler.js';
import type { SchedulerObserver } from '../../src/scheduler/observer.js';
import { combineObservers, ObserverList } from '../../src/metrics/combined-observer.js';
import {
  diagnosticsObserver,
  FIRE_CHANNEL,
  type FireMessage,
  REGISTER_CHANNEL,
  UNREGISTER_CHANNEL,
} from '../../src/metrics/diagnostics.js';
import { LAG_RESOLUTION_MS, LoopLag } from '../../src/metrics/loop-lag.js';
import { SchedulerMeter } from '../../src/metrics/scheduler-meter.js';
import { traceClock, traceObserver } from '../../src/metrics/trace-observer.js';
import type { TraceEvent } from '../../src/metrics/trace-event.js';
import { ManualClock } from '../control/world.js';

/** A scheduler with one descriptor that is ready once, whose callback takes a quarter of a second, and leaves. */
async function exercise(clock: ManualClock, observer: SchedulerObserver): Promise<{ fd: number }> {
  const posix = new NodePosix();
  const poller = posix.createPoller();
  const scheduler = new Scheduler({ poller, clock, observer });
  const fd = posix.eventfd(1);
  scheduler.registerEvent(TIMEOUT, -1, 60, () => {});
  const id = scheduler.registerEvent(POLL_READ_FD | TIMEOUT, fd, 30, () => {
    clock.seconds += 0.25;
    scheduler.unregisterEvent(id);
  });
  await scheduler.waitForEvents();
  poller.close();
  posix.close(fd);
  return { fd };
}

t.test('the meter counts events and callbacks and keeps the slowest', async (t) => {
  const clock = new ManualClock();
  const meter = new SchedulerMeter(clock);
  t.equal(meter.measures().slowestCallback, undefined);
  const { fd } = await exercise(clock, meter);
  t.strictSame(meter.measures(), {
    events: 1,
    registered: 2,
    unregistered: 1,
    callbacks: 1,
    callbackSeconds: 0.25,
    slowestCallback: { seconds: 0.25, eventId: 2, mode: 'READ', fd },
  });
  meter.entering();
  clock.seconds += 0.125;
  meter.left({ id: 9, mode: TIMEOUT, fd: -1, timeoutSeconds: 1, deadlineSeconds: 0 }, TIMEOUT);
  t.equal(meter.measures().slowestCallback?.eventId, 2, 'a quicker one does not replace it');
  t.equal(meter.measures().callbackSeconds, 0.375);
});

/** An event as observers see it. */
const described = (id: number) => ({ id, mode: TIMEOUT, fd: -1, timeoutSeconds: 1, deadlineSeconds: 0 });

t.test('of callbacks within others each has its own time, and the first of the slowest counts', async (t) => {
  const clock = new ManualClock();
  const meter = new SchedulerMeter(clock);
  meter.entering();
  clock.seconds += 1;
  meter.entering();
  clock.seconds += 0.5;
  meter.left(described(2), TIMEOUT);
  clock.seconds += 2;
  meter.left(described(1), TIMEOUT);
  t.match(meter.measures(), {
    callbacks: 2,
    callbackSeconds: 4,
    slowestCallback: { seconds: 3.5, eventId: 1 },
  });
  meter.entering();
  clock.seconds += 3.5;
  meter.left(described(3), TIMEOUT);
  t.equal(meter.measures().slowestCallback?.eventId, 1, 'another one as slow does not replace it');
  t.match(
    meter.slowOfLate().map(({ seconds, eventId }) => `${eventId} ${seconds}`),
    ['1 3.5', '3 3.5', '2 0.5'],
  );
  const idle = new SchedulerMeter(clock);
  idle.entering();
  idle.left(described(7), TIMEOUT);
  t.match(
    idle.measures().slowestCallback,
    { seconds: 0, eventId: 7 },
    'one that took no time is the slowest',
  );
});

t.test('of callbacks within others each is published with its own time', async (t) => {
  const clock = new ManualClock();
  const observer = diagnosticsObserver(clock);
  const seen: string[] = [];
  const listener = (message: unknown): void => {
    const { id, enteredAtSeconds, durationSeconds } = message as FireMessage;
    seen.push(`${id} at ${enteredAtSeconds - start} for ${durationSeconds}`);
  };
  const start = clock.seconds;
  subscribe(FIRE_CHANNEL, listener);
  observer.entering?.(described(1), TIMEOUT);
  clock.seconds += 1;
  observer.entering?.(described(2), TIMEOUT);
  clock.seconds += 0.5;
  observer.left?.(described(2), TIMEOUT);
  observer.left?.(described(1), TIMEOUT);
  unsubscribe(FIRE_CHANNEL, listener);
  t.same(seen, ['2 at 1 for 0.5', '1 at 0 for 1.5']);
});

t.test('without a subscriber nothing is published, not even to one that comes later', async (t) => {
  const observer = diagnosticsObserver(new ManualClock());
  const seen: unknown[] = [];
  const listener = (message: unknown): void => void seen.push(message);
  observer.registered?.(described(1));
  observer.entering?.(described(1), TIMEOUT);
  observer.left?.(described(1), TIMEOUT);
  observer.unregistered?.(described(1));
  for (const name of [REGISTER_CHANNEL, UNREGISTER_CHANNEL, FIRE_CHANNEL]) {
    subscribe(name, listener);
    unsubscribe(name, listener);
  }
  t.same(seen, []);
});

t.test('a callback that throws is counted too', async (t) => {
  const posix = new NodePosix();
  const poller = posix.createPoller();
  const meter = new SchedulerMeter(posix.clock);
  const scheduler = new Scheduler({ poller, clock: posix.clock, observer: meter });
  scheduler.registerEvent(TIMEOUT, -1, 0, () => {
    throw new Error('boom');
  });
  await t.rejects(scheduler.waitForEvents(), { message: 'boom' });
  t.equal(meter.measures().callbacks, 1);
  poller.close();
});

t.test('the diagnostics channels publish register, fire and unregister', async (t) => {
  const clock = new ManualClock();
  const start = clock.seconds;
  const seen: [string | symbol, unknown][] = [];
  const listener = (message: unknown, name: string | symbol): void => {
    seen.push([name, message]);
  };
  const channels = [REGISTER_CHANNEL, UNREGISTER_CHANNEL, FIRE_CHANNEL];
  for (const name of channels) subscribe(name, listener);
  const { fd } = await exercise(clock, diagnosticsObserver(clock));
  for (const name of channels) unsubscribe(name, listener);
  const event = { id: 2, mode: 'READ|TIMEOUT', fd, timeoutSeconds: 30 };
  t.strictSame(seen, [
    ['tapdisk-ts:register', { id: 1, mode: 'TIMEOUT', fd: -1, timeoutSeconds: 60 }],
    ['tapdisk-ts:register', event],
    ['tapdisk-ts:unregister', event],
    ['tapdisk-ts:fire', { ...event, fired: 'READ', enteredAtSeconds: start, durationSeconds: 0.25 }],
  ]);
});

t.test('subscribing during a callback takes effect with the next one', async (t) => {
  const clock = new ManualClock();
  const observer = diagnosticsObserver(clock);
  const event = { id: 1, mode: TIMEOUT, fd: -1, timeoutSeconds: 1, deadlineSeconds: 0 };
  let count = 0;
  const listener = (): void => {
    count += 1;
  };
  observer.entering?.(event, TIMEOUT);
  subscribe(FIRE_CHANNEL, listener);
  observer.left?.(event, TIMEOUT);
  t.equal(count, 0);
  observer.entering?.(event, TIMEOUT);
  observer.left?.(event, TIMEOUT);
  unsubscribe(FIRE_CHANNEL, listener);
  t.equal(count, 1);
});

t.test('a trace has callbacks with durations, and instants for the rest', async (t) => {
  const clock = new ManualClock();
  const events: TraceEvent[] = [];
  const { fd } = await exercise(
    clock,
    traceObserver(traceClock(clock), (event) => events.push(event)),
  );
  const common = { pid: 1, tid: 1 };
  const args = { event: 2, fd, timeoutSeconds: 30 };
  t.strictSame(events, [
    {
      name: 'register TIMEOUT',
      cat: 'event',
      ph: 'i',
      s: 't',
      ts: 0,
      ...common,
      args: { event: 1, timeoutSeconds: 60 },
    },
    { name: 'register READ|TIMEOUT', cat: 'event', ph: 'i', s: 't', ts: 0, ...common, args },
    { name: 'select', cat: 'wait', ph: 'X', ts: 0, dur: 0, ...common, args: { ready: 1 } },
    { name: 'unregister READ|TIMEOUT', cat: 'event', ph: 'i', s: 't', ts: 250_000, ...common, args },
    { name: `READ ${fd}`, cat: 'callback', ph: 'X', ts: 0, dur: 250_000, ...common, args },
  ]);
});

t.test(
  'combined observers are called one after the other; what they leave out does not matter',
  async (t) => {
    const calls: string[] = [];
    const all: SchedulerObserver = {
      registered: () => calls.push('registered'),
      unregistered: () => calls.push('unregistered'),
      entering: () => calls.push('entering'),
      left: () => calls.push('left'),
      sleeping: () => calls.push('sleeping'),
      woke: (answer) => calls.push(`woke ${answer}`),
    };
    await exercise(new ManualClock(), combineObservers([all, {}, { left: () => calls.push('left, too') }]));
    const entered = ['registered', 'registered', 'sleeping', 'woke 1', 'entering'];
    t.strictSame(calls, [...entered, 'unregistered', 'left', 'left, too']);
  },
);

t.test('an observer that is added is notified from then on, until it is removed', async (t) => {
  const calls: string[] = [];
  const observers = new ObserverList([{ registered: ({ id }) => calls.push(`first ${id}`) }]);
  const event = { mode: TIMEOUT, fd: -1, timeoutSeconds: 1, deadlineSeconds: 0 };
  observers.registered({ ...event, id: 1 });
  const added = observers.add({
    registered: ({ id }) => calls.push(`second ${id}`),
    woke: (answer) => calls.push(`woke ${answer}`),
  });
  observers.registered({ ...event, id: 2 });
  observers.sleeping?.();
  observers.woke?.(3);
  added[Symbol.dispose]();
  added[Symbol.dispose]();
  observers.registered({ ...event, id: 3 });
  t.equal(observers.woke, undefined, 'no wait has to look for one who wants to hear of it');
  t.equal(observers.sleeping, undefined);
  t.strictSame(calls, ['first 1', 'first 2', 'second 2', 'woke 3', 'first 3']);
});

t.test('a busy loop shows as lag', async (t) => {
  using lag = new LoopLag();
  t.match(lag.measures(), { maxSeconds: 0, p99Seconds: 0 });
  const busy = (): void => {
    for (const end = performance.now() + 120; performance.now() < end;);
  };
  while (lag.measures().maxSeconds === 0) {
    busy();
    await new Promise(setImmediate);
  }
  const { meanSeconds, p50Seconds, p99Seconds, maxSeconds } = lag.measures();
  t.ok(p50Seconds <= p99Seconds && p99Seconds <= maxSeconds && meanSeconds <= maxSeconds);
});

t.test('lag is what a look came later than the time between two, and never below 0', async (t) => {
  const calls: string[] = [];
  const onTime = LAG_RESOLUTION_MS * 1e6;
  const histogram = {
    mean: onTime + 1e6,
    max: onTime + 70e6,
    percentile: (percent: number) => onTime + (percent - 60) * 1e6,
    enable: () => calls.push('enable') > 0,
    disable: () => calls.push('disable') > 0,
  };
  const lag = new LoopLag(histogram);
  const measures = lag.measures();
  const expected = { meanSeconds: 0.001, p50Seconds: 0, p99Seconds: 0.039, maxSeconds: 0.07 };
  t.same(
    Object.entries(measures).map(([name, seconds]) => [name, Number(seconds.toFixed(6))]),
    Object.entries(expected),
  );
  t.equal(new LoopLag({ ...histogram, mean: NaN }).measures().meanSeconds, 0, 'before the second look');
  calls.length = 0;
  lag[Symbol.dispose]();
  t.same(calls, ['disable']);
});
