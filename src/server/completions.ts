// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errnoCode } from '../posix/errno.js';
import type { BatchQueue } from '../posix/node/task-queue.js';
import type { Posix } from '../posix/posix.js';
import { SystemError } from '../posix/system-error.js';
import { type EventId, POLL_READ_FD } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { LOG_ERR, type Logger } from './logger.js';
import { thrownText } from './thrown-text.js';

const one = new Uint8Array(new BigUint64Array([1n]).buffer);

/** How many tasks one turn runs at most, so that a disk under full load keeps nobody else waiting for long. */
export const MAX_TASKS_PER_TURN = 8;

/** What ends in batches. */
interface Source {
  readonly reap: (limit: number) => number;
  isAwake: boolean;
}

/**
 * Brings what ends elsewhere (a file call in Node's thread pool) back onto the scheduler: what is posted runs in a callback
 * of an event on a counter descriptor, in the order of posting.
 *
 * What is posted while such a callback runs is run by it too, after all that was posted before, up to
 * `MAX_TASKS_PER_TURN`; the rest waits for the next select, in which every other descriptor has its turn. The same
 * bound holds for what the sources of batches complete in a turn, all together, before the tasks.
 */
export class Completions implements BatchQueue, Disposable {
  readonly #registrar: EventRegistrar;
  readonly #posix: Posix;
  readonly #logger: Logger;
  readonly #fd: number;
  readonly #event: EventId;
  readonly #counter = new Uint8Array(8);
  #tasks: (() => void)[] = [];
  #awake: Source[] = [];
  #running = false;
  #disposed = false;

  /** Throws an Error with an errno's name as `code` when the descriptor table or the scheduler is full. */
  constructor(registrar: EventRegistrar, posix: Posix, logger: Logger) {
    this.#registrar = registrar;
    this.#posix = posix;
    this.#logger = logger;
    this.#fd = posix.eventfd();
    if (this.#fd < 0) throw refused('a counter descriptor', this.#fd);
    const completions = (): void => this.#run();
    this.#event = registrar.registerEvent(POLL_READ_FD, this.#fd, 0, completions);
    if (this.#event < 0) {
      posix.close(this.#fd);
      throw refused('an event for completions', this.#event);
    }
  }

  /** Runs `task` on the scheduler. After dispose it is not run. */
  post(task: () => void): void {
    if (this.#disposed) return;
    this.#tasks.push(task);
    if (this.#tasks.length === 1) this.#signal();
  }

  addSource(reap: (limit: number) => number): () => void {
    const source = { reap, isAwake: false };
    return () => this.#wake(source);
  }

  #run(): void {
    this.#posix.read(this.#fd, this.#counter);
    this.#running = true;
    this.#reap();
    // The array grows while it is walked: what a task posts is run in this same turn, if the turn has room for it.
    let next = 0;
    for (; next < this.#tasks.length && next < MAX_TASKS_PER_TURN; next++) {
      try {
        this.#tasks[next]?.();
      } catch (error) {
        // A task that throws is our bug. The others belong to other requests and must still end.
        this.#logger.log(LOG_ERR, `a completion failed: ${thrownText(error)}`);
      }
    }
    this.#tasks = this.#tasks.slice(next);
    this.#running = false;
    if (this.#tasks.length > 0 || this.#awake.length > 0) this.#signal();
  }

  #reap(): void {
    let room = MAX_TASKS_PER_TURN;
    while (room > 0) {
      // Asked again, a source comes after those that have not been asked.
      const source = this.#awake.shift();
      if (!source) return;
      source.isAwake = false;
      try {
        const count = source.reap(room);
        if (count === room) this.#wake(source);
        room -= count;
      } catch (error) {
        this.#logger.log(LOG_ERR, `a completion failed: ${thrownText(error)}`);
        this.#wake(source);
        return;
      }
    }
  }

  #wake(source: Source): void {
    if (this.#disposed || source.isAwake) return;
    source.isAwake = true;
    this.#awake.push(source);
    this.#signal();
  }

  #signal(): void {
    if (!this.#running) this.#posix.write(this.#fd, one);
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#tasks = [];
    this.#awake = [];
    this.#registrar.unregisterEvent(this.#event);
    this.#posix.close(this.#fd);
  }
}

function refused(what: string, result: number): Error {
  return new SystemError(result, `cannot get ${what}: ${errnoCode(result)}`);
}
