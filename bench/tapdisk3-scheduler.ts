// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What tapdisk3's calls and a wait with one ready descriptor cost, as events grow in number.

import assert from 'node:assert/strict';
import { POLL_READ_FD, POLL_WRITE_FD, Tapdisk3Scheduler, TIMEOUT } from '../src/scheduler/index.js';
import { benchGrowth, nanoseconds, OPERATIONS, type Subject } from './growth.js';
import { MemoryPoller } from './memory-poller.js';

/** Calls are timed so many at once, and then undone, so that the number of events stays about the same. */
const BATCH = 10;
const OPERATION_NAMES = ['register', 'mask', 'unmask', 'setTimeout', 'unregister', 'wait'] as const;
type Operation = (typeof OPERATION_NAMES)[number];

/** A scheduler with `population` events: in turn a READ on a descriptor of its own, a WRITE, and a far TIMEOUT. */
class Tapdisk3Subject implements Subject<Operation> {
  readonly #population: number;
  readonly #poller = new MemoryPoller();
  readonly #scheduler = new Tapdisk3Scheduler({
    poller: this.#poller,
    clock: { nowMicroseconds: () => 1_000_000_000 },
  });
  readonly #ids: number[] = [];
  readonly #timers: number[] = [];
  #callbacks = 0;
  readonly #count = (): void => {
    this.#callbacks += 1;
  };

  constructor(population: number) {
    this.#population = population;
    for (let n = 0; n < population; n++) this.#registerOne(n);
    this.#scheduler.registerEvent(POLL_READ_FD, 3, 0, this.#count);
  }

  async round(): Promise<Record<Operation, number>> {
    const spent: Record<Operation, number> = {
      register: 0,
      mask: 0,
      unmask: 0,
      setTimeout: 0,
      unregister: 0,
      wait: 0,
    };
    for (let done = 0; done < OPERATIONS; done += BATCH) {
      this.#batch(spent, done);
      // What is unregistered is freed by a wait only.
      await this.#scheduler.waitForEvents();
    }
    assert.equal(this.#scheduler.size, this.#population + 1);

    this.#callbacks = 0;
    const start = performance.now();
    for (let n = 0; n < OPERATIONS; n++) {
      this.#poller.makeReady(3, POLL_READ_FD);
      const answer = await this.#scheduler.waitForEvents();
      if (answer !== 0) throw new Error(`a wait answered ${answer}`);
    }
    spent.wait = (performance.now() - start) * 1e6;
    assert.equal(this.#callbacks, OPERATIONS);
    for (const operation of OPERATION_NAMES) spent[operation] /= OPERATIONS;
    return spent;
  }

  #batch(spent: Record<Operation, number>, done: number): void {
    const scheduler = this.#scheduler;
    const ids = this.#ids;
    ids.length = 0;
    spent.register += nanoseconds(() => {
      for (let n = 0; n < BATCH; n++) ids.push(this.#registerOne(this.#population + n));
    });
    spent.mask += nanoseconds(() => {
      for (const id of ids) scheduler.maskEvent(id, true);
    });
    spent.unmask += nanoseconds(() => {
      for (const id of ids) scheduler.maskEvent(id, false);
    });
    this.#timers.length = 0;
    for (let n = 0; n < BATCH; n++)
      this.#timers.push(scheduler.registerEvent(TIMEOUT, -1, this.#middle, this.#count));
    spent.setTimeout += nanoseconds(() => {
      // Nearer and farther by turns, to anywhere among the deadlines.
      for (const [n, id] of this.#timers.entries()) {
        if (scheduler.setEventTimeout(id, this.#someTimeout(done + n)) !== 0) throw new Error(`event ${id}`);
      }
    });
    for (const id of this.#timers) scheduler.unregisterEvent(id);
    spent.unregister += nanoseconds(() => {
      for (const id of ids) scheduler.unregisterEvent(id);
    });
  }

  /** Microseconds to the middle of the deadlines. */
  get #middle(): number {
    return (100 + Math.floor(this.#population / 2)) * 1_000_000;
  }

  #someTimeout(n: number): number {
    return (100 + ((n * 7919) % (this.#population + 1))) * 1_000_000;
  }

  #registerOne(n: number): number {
    const scheduler = this.#scheduler;
    const fd = 4 + n;
    const id =
      n % 3 === 0
        ? scheduler.registerEvent(POLL_READ_FD, fd, 0, this.#count)
        : n % 3 === 1
          ? scheduler.registerEvent(POLL_WRITE_FD, fd, 0, this.#count)
          : scheduler.registerEvent(TIMEOUT, -1, (100 + n) * 1_000_000, this.#count);
    assert(id > 0);
    return id;
  }
}

export async function benchTapdisk3Scheduler(): Promise<void> {
  await benchGrowth("tapdisk3's scheduler", OPERATION_NAMES, (population) => new Tapdisk3Subject(population));
}

if (process.argv[1] === import.meta.filename) await benchTapdisk3Scheduler();
