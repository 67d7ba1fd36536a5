// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  completedWord,
  completionWord,
  FREE,
  HEAD,
  MAX_RING_WORKERS,
  QUEUED,
  RING_SLOTS,
  type RingMemory,
  sleepingWord,
  stateWord,
  STOP,
  submissionWord,
  SUBMITTER,
  SUBMITTER_WAITS,
  TAIL,
  TAKEN,
  WORKER_WANTED,
} from './ring-memory.js';

type Done = (result: number) => void;

/**
 * The side of a ring that requests calls and receives their results. None of its functions blocks.
 *
 * What is submitted is seen by workers once it is published: once a turn, for all that the turn has submitted. A call is
 * completed by {@link reap} and nowhere else, once.
 */
export class Submitter {
  readonly #memory: RingMemory;
  readonly #free: number[] = [];
  readonly #dones: (Done | undefined)[] = Array.from({ length: RING_SLOTS });
  /** Completions of each worker that are reaped. */
  readonly #reaped = new Int32Array(MAX_RING_WORKERS);
  /** Slots whose calls ended here, with their results set. */
  #ended: number[] = [];
  #tail = 0;
  #published = 0;
  #firstToReap = 0;

  constructor(memory: RingMemory) {
    this.#memory = memory;
    for (let slot = RING_SLOTS - 1; slot >= 0; slot--) this.#free.push(slot);
  }

  /** Calls that are submitted and not reaped. */
  get outstanding(): number {
    return RING_SLOTS - this.#free.length;
  }
  /** Whether something is submitted that is not published. */
  get hasUnpublished(): boolean {
    return this.#tail !== this.#published;
  }
  /** Submissions that no worker has looked at. */
  get waiting(): number {
    return (this.#published - this.#memory.words.load(HEAD)) | 0;
  }
  /** Calls that workers have completed since the beginning, in 32 bits: a measure of their progress. */
  get completed(): number {
    let sum = 0;
    for (let worker = 0; worker < MAX_RING_WORKERS; worker++) {
      sum = (sum + this.#memory.words.load(completedWord(worker))) | 0;
    }
    return sum;
  }

  /** @returns whether there was room; `done` gets the bytes moved or a negative errno */
  submit(
    operation: number,
    fd: number,
    offset: number,
    length: number,
    position: number,
    done: Done,
  ): boolean {
    const { words } = this.#memory;
    // A slot may be claimed before its turn comes: then there can be a free one while the queue is full.
    if (((this.#tail - words.load(HEAD)) | 0) >= RING_SLOTS) return false;
    const slot = this.#free.pop();
    if (slot === undefined) return false;
    this.#memory.set(slot, operation, fd, offset, length, position);
    this.#dones[slot] = done;
    words.store(submissionWord(this.#tail), slot);
    words.store(stateWord(slot), QUEUED);
    this.#tail = (this.#tail + 1) | 0;
    return true;
  }

  /** Lets workers see what was submitted, and wakes the first if it sleeps. */
  publish(): void {
    if (!this.hasUnpublished) return;
    this.#published = this.#tail;
    this.#memory.words.store(TAIL, this.#published);
    this.wake(0);
  }

  /** Whether a worker has asked for another one since this was asked last. */
  takeWish(): boolean {
    return this.#memory.words.exchange(WORKER_WANTED, 0) === 1;
  }

  /** @returns whether the worker slept */
  wake(worker: number): boolean {
    const { words } = this.#memory;
    if (words.compareExchange(sleepingWord(worker), 1, 0) !== 1) return false;
    words.notify(sleepingWord(worker));
    return true;
  }

  /** Completes up to `limit` calls that have ended. @returns how many */
  reap(limit: number): number {
    let count = 0;
    for (; count < limit && this.#ended.length > 0; count++) this.#end(this.#ended.shift() as number);
    // The next time begins with the next worker, so that none is reaped last every time.
    const first = this.#firstToReap;
    this.#firstToReap = (first + 1) % MAX_RING_WORKERS;
    for (let index = 0; index < MAX_RING_WORKERS && count < limit; index++) {
      count += this.#reapWorker((first + index) % MAX_RING_WORKERS, limit - count);
    }
    return count;
  }

  /** Whether a call has ended that is not reaped. */
  get hasEnded(): boolean {
    if (this.#ended.length > 0) return true;
    for (let worker = 0; worker < MAX_RING_WORKERS; worker++) {
      if (this.#memory.words.load(completedWord(worker)) !== this.#reaped[worker]) return true;
    }
    return false;
  }

  /** From now on a worker that completes a call sends a message. @returns false when a call has ended meanwhile */
  awaitMessage(): boolean {
    const { words } = this.#memory;
    words.store(SUBMITTER_WAITS, 1);
    if (!this.hasEnded) return true;
    words.store(SUBMITTER_WAITS, 0);
    return false;
  }

  /** Ends workers; a call that is under way is made first. */
  stop(): void {
    const { words } = this.#memory;
    words.store(STOP, 1);
    for (let worker = 0; worker < MAX_RING_WORKERS; worker++) this.wake(worker);
  }

  /** The worker's thread has ended: what it had taken and not completed is ended with `result`. */
  endTaken(worker: number, result: number): number {
    const { words } = this.#memory;
    const completed = new Set<number>();
    const tail = words.load(completedWord(worker));
    for (let count = this.#reaped[worker] as number; count !== tail; count = (count + 1) | 0) {
      completed.add(words.load(completionWord(worker, count)));
    }
    let ended = 0;
    for (let slot = 0; slot < RING_SLOTS; slot++) {
      if (words.load(stateWord(slot)) !== TAKEN + worker || completed.has(slot)) continue;
      this.endHere(slot, result);
      ended++;
    }
    // The one that takes its place starts awake.
    words.store(sleepingWord(worker), 0);
    // It may have been about to wake another, which then sleeps with its word at 0: nobody would ever wake that again.
    for (let other = 0; other < MAX_RING_WORKERS; other++) words.notify(sleepingWord(other));
    return ended;
  }

  /** Slots whose calls no worker has taken; no worker can take them any more. */
  takeBack(): number[] {
    const { words } = this.#memory;
    const slots: number[] = [];
    for (let slot = 0; slot < RING_SLOTS; slot++) {
      const before = words.compareExchange(stateWord(slot), QUEUED, TAKEN + SUBMITTER);
      if (before === QUEUED) slots.push(slot);
    }
    return slots;
  }

  /** A call that was taken back, or whose worker is gone, has ended; {@link reap} completes it. */
  endHere(slot: number, result: number): void {
    this.#memory.words.store(stateWord(slot), TAKEN + SUBMITTER);
    this.#memory.setResult(slot, result);
    this.#ended.push(slot);
  }

  #reapWorker(worker: number, limit: number): number {
    const { words } = this.#memory;
    const tail = words.load(completedWord(worker));
    let count = 0;
    while (count < limit && this.#reaped[worker] !== tail) {
      const slot = words.load(completionWord(worker, this.#reaped[worker] as number));
      this.#reaped[worker] = ((this.#reaped[worker] as number) + 1) | 0;
      this.#end(slot);
      count++;
    }
    return count;
  }

  #end(slot: number): void {
    const done = this.#dones[slot];
    const result = this.#memory.result(slot);
    this.#dones[slot] = undefined;
    this.#memory.words.store(stateWord(slot), FREE);
    this.#free.push(slot);
    done?.(result);
  }
}
