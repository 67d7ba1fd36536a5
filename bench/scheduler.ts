// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What a registration, an unregistration and a wait with one ready descriptor cost, as events grow in number.

import assert from 'node:assert/strict';
import { POLL_READ_FD, POLL_WRITE_FD, Scheduler, TIMEOUT } from '../src/scheduler/index.js';
import { benchGrowth, nanoseconds, OPERATIONS, type Subject } from './growth.js';
import { MemoryPoller } from './memory-poller.js';

/** Registrations are timed so many at once, and then undone, so that the number of events stays about the same. */
const BATCH = 10;
const OPERATION_NAMES = ['register', 'unregister', 'wait'] as const;
type Operation = (typeof OPERATION_NAMES)[number];

/** A scheduler with `population` events: in turn a READ on a descriptor of its own, a WRITE, and a far TIMEOUT. */
class Tapdisk2Subject implements Subject<Operation> {
  readonly #poller = new MemoryPoller();
  readonly #scheduler = new Scheduler({ poller: this.#poller, clock: { now: () => 1000 } });
  readonly #ids: number[] = [];
  #callbacks = 0;
  readonly #count = (): void => {
    this.#callbacks += 1;
  };

  readonly population: number;

  constructor(population: number) {
    this.population = population;
    for (let n = 0; n < population; n++) this.#registerOne(n);
    this.#scheduler.registerEvent(POLL_READ_FD, 3, 0, this.#count);
  }

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

export async function benchScheduler(): Promise<void> {
  await benchGrowth('scheduler', OPERATION_NAMES, (population) => new Tapdisk2Subject(population));
}

if (process.argv[1] === import.meta.filename) await benchScheduler();
