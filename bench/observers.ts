// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What observers add to a registration with its unregistration, and to a wait with one callback, in time of the processor: what
// else the host does adds less to it than to the time that passes.

import { spawnSync } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { monotonicClock } from '../src/posix/index.js';
import { POLL_READ_FD, Scheduler, type SchedulerObserver } from '../src/scheduler/index.js';
import { ObserverList } from '../src/metrics/combined-observer.js';
import {
  diagnosticsObserver,
  FIRE_CHANNEL,
  REGISTER_CHANNEL,
  UNREGISTER_CHANNEL,
} from '../src/metrics/diagnostics.js';
import { Recording } from '../src/metrics/recording.js';
import { SchedulerMeter } from '../src/metrics/scheduler-meter.js';
import { traceClock, traceObserver } from '../src/metrics/trace-observer.js';
import { median } from './median.js';
import { MemoryPoller } from './memory-poller.js';

const OPERATIONS = 20_000;
const ROUNDS = 9;
const PROCESSES = 5;

interface Cost {
  readonly register: number;
  readonly wait: number;
}

/** A registration with its unregistration, and a wait with one callback, in nanoseconds. */
async function round(observer: SchedulerObserver | undefined): Promise<Cost> {
  const poller = new MemoryPoller();
  const scheduler = new Scheduler({ poller, clock: monotonicClock, observer });
  const callback = (): void => {};
  const start = processorMicroseconds();
  for (let n = 0; n < OPERATIONS; n++) {
    scheduler.unregisterEvent(scheduler.registerEvent(POLL_READ_FD, 3, 0, callback));
  }
  const registered = processorMicroseconds();
  scheduler.registerEvent(POLL_READ_FD, 3, 0, callback);
  const waiting = processorMicroseconds();
  for (let n = 0; n < OPERATIONS; n++) {
    poller.makeReady(3, POLL_READ_FD);
    await scheduler.waitForEvents();
  }
  const end = processorMicroseconds();
  const each = (microseconds: number): number => (microseconds * 1e3) / OPERATIONS;
  return { register: each(registered - start), wait: each(end - waiting) };
}

function processorMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

const diagnostics = diagnosticsObserver(monotonicClock);
const trace = traceObserver(traceClock(monotonicClock), (event) => JSON.stringify(event));
const ofDaemon = [new SchedulerMeter(monotonicClock), diagnostics];
const daemon = new ObserverList(ofDaemon);
const recorded = new ObserverList(ofDaemon);
const recording = new Recording(recorded, { clock: monotonicClock, name: 'bench' });
/** A subject that is to be recorded holds its recording on. */
const subjects: Readonly<
  Record<string, { observer: SchedulerObserver | undefined; subscribed?: true; records?: true }>
> = {
  none: { observer: undefined },
  'diagnostics channels, nobody subscribed': { observer: diagnostics },
  'the daemon: those, and counting': { observer: daemon },
  'the daemon while it records': { observer: recorded, records: true },
  'diagnostics channels, one subscriber each': { observer: diagnostics, subscribed: true },
  'a trace (without its file)': { observer: trace },
};

/** One subject alone: the compiler has seen no other observer then, as in a program that uses one. */
async function measure(name: string): Promise<Cost> {
  const { observer, subscribed = false, records = false } = subjects[name] ?? {};
  if (records) recording.hold();
  const channels = subscribed ? [REGISTER_CHANNEL, UNREGISTER_CHANNEL, FIRE_CHANNEL] : [];
  for (const channel of channels) subscribe(channel, () => {});
  const rounds: Cost[] = [];
  for (let count = 0; count < ROUNDS; count++) rounds.push(await round(observer));
  const middle = (operation: keyof Cost): number => median(rounds.map((cost) => cost[operation]));
  return { register: middle('register'), wait: middle('wait') };
}

/** Prints the best of several processes that each measure one subject: other work of the host only adds to it. */
export function benchObservers(): void {
  const costs = new Map<string, Cost[]>();
  // In turn, so that what else the host does meets all of them.
  for (let count = 0; count < PROCESSES; count++) {
    for (const name of Object.keys(subjects)) {
      const child = spawnSync(process.execPath, [...process.execArgv, import.meta.filename, name], {
        encoding: 'utf8',
      });
      costs.set(name, [...(costs.get(name) ?? []), JSON.parse(child.stdout) as Cost]);
    }
  }
  console.log(
    `observers: ns of the processor per operation, median of ${PROCESSES} processes, each the median of ${ROUNDS} rounds of ${OPERATIONS}`,
  );
  for (const [name, measured] of costs) {
    const cell = (operation: keyof Cost): string =>
      `${operation} ${median(measured.map((cost) => cost[operation]))
        .toFixed(0)
        .padStart(6)} ns`;
    console.log(`  ${name.padEnd(44)}${cell('register')}  ${cell('wait')}`);
  }
}

const subject = process.argv[2];
if (process.argv[1] === import.meta.filename) {
  if (subject === undefined) benchObservers();
  else console.log(JSON.stringify(await measure(subject)));
}
