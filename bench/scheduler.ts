// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What a registration, an unregistration and a wait with one ready descriptor cost, as events grow in number.

import assert from 'node:assert/strict';
import { POLL_READ_FD, POLL_WRITE_FD, Scheduler, TIMEOUT } from '../src/scheduler/index.js';
import { median } from './median.js';
import { MemoryPoller } from './memory-poller.js';

/** How many operations one round times. */
const OPERATIONS = 20_000;
/** Registrations are timed so many at once, and then undone, so that the number of events stays about the same. */
const BATCH = 10;
const ROUNDS = 15;
export const POPULATIONS = [10, 1_000, 100_000] as const;
const OPERATION_NAMES = ['register', 'unregister', 'wait'] as const;
type Operation = (typeof OPERATION_NAMES)[number];

/** A scheduler with `population` events: in turn a READ on a descriptor of its own, a WRITE, and a far TIMEOUT. */
class Subject {
  readonly #poller = new MemoryPoller();
  readonly #scheduler = new Scheduler({ poller: this.#poller, clock: { now: () => 1000 } });
  readonly #ids: number[] = [];
  #callbacks = 0;
  readonly #count = (): void => {
    this.#callbacks += 1;
  };

  constructor(readonly population: number) {
    for (let n = 0; n < population; n++) this.#registerOne(n);
    this.#scheduler.registerEvent(POLL_READ_FD, 3, 0, this.#count);
  }

  /** Nanoseconds per operation. */
  async round(): Promise<Record<Operation, number>> {
    let register = 0;
    let unregister = 0;
    for (let done = 0; done < OPERATIONS; done += BATCH) {
      this.#ids.length = 0;
      register += nanoseconds(() => {
        for (let n = 0; n < BATCH; n++) this.#ids.push(this.#registerOne(this.population + n));
      });
      unregister += nanoseconds(() => {
        for (const id of this.#ids) this.#scheduler.unregisterEvent(id);
      });
    }
    assert.equal(this.#scheduler.size, this.population + 1);

    this.#callbacks = 0;
    const start = performance.now();
    for (let n = 0; n < OPERATIONS; n++) {
      this.#poller.makeReady(3, POLL_READ_FD);
      const bits = await this.#scheduler.waitForEvents();
      if (bits !== 1) throw new Error(`a wait answered ${bits} instead of 1`);
    }
    const wait = (performance.now() - start) * 1e6;
    assert.equal(this.#callbacks, OPERATIONS);
    return { register: register / OPERATIONS, unregister: unregister / OPERATIONS, wait: wait / OPERATIONS };
  }

  #registerOne(n: number): number {
    const fd = 4 + n;
    const id =
      n % 3 === 0
        ? this.#scheduler.registerEvent(POLL_READ_FD, fd, 0, this.#count)
        : n % 3 === 1
          ? this.#scheduler.registerEvent(POLL_WRITE_FD, fd, 0, this.#count)
          : this.#scheduler.registerEvent(TIMEOUT, -1, 100 + n, this.#count);
    assert(id > 0);
    return id;
  }
}

function nanoseconds(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) * 1e6;
}

/** Medians in nanoseconds, by operation and population, and the ratio of each to the smallest population, round by round. */
export async function benchScheduler(): Promise<void> {
  const subjects = POPULATIONS.map((population) => new Subject(population));
  for (const subject of subjects) await subject.round();
  const rounds: Record<Operation, number>[][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const results = [];
    for (const subject of subjects) results.push(await subject.round());
    rounds.push(results);
  }
  console.log(
    `scheduler: ns per operation, median of ${ROUNDS} interleaved rounds of ${OPERATIONS}; ratio to ${POPULATIONS[0]} events`,
  );
  for (const operation of OPERATION_NAMES) {
    const cells = POPULATIONS.map((population, index) => {
      const ns = median(rounds.map((results) => results[index]?.[operation] ?? Number.NaN));
      const ratio = median(
        rounds.map((results) => (results[index]?.[operation] ?? 0) / (results[0]?.[operation] ?? 0)),
      );
      return `${String(population).padStart(7)}: ${ns.toFixed(0).padStart(5)} ns (${ratio.toFixed(2)}x)`;
    });
    console.log(`  ${operation.padEnd(11)}${cells.join('  ')}`);
  }
}

if (process.argv[1] === import.meta.filename) await benchScheduler();
