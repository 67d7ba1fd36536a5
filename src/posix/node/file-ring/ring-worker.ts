// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { joins, share } from './join.js';
import {
  completedWord,
  completionWord,
  HEAD,
  MAX_RING_WORKERS,
  QUEUED,
  type RingMemory,
  sleepingWord,
  stateWord,
  STOP,
  submissionWord,
  SUBMITTER_WAITS,
  TAIL,
  TAKEN,
  WORKER_WANTED,
} from './ring-memory.js';

/** What a worker does its calls with. */
export interface WorkerCalls {
  /** Moves the bytes of one slot, or of several that adjoin in the file, in one call. @returns bytes moved or a negative errno */
  readonly transfer: (slots: readonly number[]) => number;
  /** Milliseconds, with a fraction. */
  readonly now: () => number;
  /** Asks the submitter to reap. */
  readonly send: () => void;
}

/** A call that takes longer waits for its disk, and does not copy from the page cache, in milliseconds. */
const SLOW_CALL_MS = 0.25;
/** What each byte of it may take beyond, in milliseconds: 1 GB/s. */
const SLOW_BYTE_MS = 1e-6;
/** After so many slow calls in a row another worker is woken. */
const SLOW_CALLS_IN_A_ROW = 2;

/**
 * A worker's side of a ring: it takes submitted calls, makes them, and blocks while there are none.
 *
 * The first worker is woken by the submitter. Any other is woken while calls wait and are slow, since one worker does calls
 * that are quick in less processor time than two; it sleeps again when calls are quick and the first one makes progress.
 */
export class RingWorker {
  readonly #memory: RingMemory;
  readonly #index: number;
  readonly #calls: WorkerCalls;
  /** A call that was claimed to be joined with others, and cannot be. */
  #claimed = -1;
  #completed: number;
  #slowCalls = 0;
  #firstCompleted = 0;

  constructor(memory: RingMemory, index: number, calls: WorkerCalls) {
    this.#memory = memory;
    this.#index = index;
    this.#calls = calls;
    this.#completed = memory.words.load(completedWord(index));
  }

  /** Works until the ring is stopped. */
  run(): void {
    while (this.#memory.words.load(STOP) === 0) {
      const slot = this.#claim();
      if (slot < 0) this.#sleep(true);
      else {
        this.#perform(this.#withAdjoining(slot));
        if (this.#isToRetire()) this.#sleep(false);
      }
    }
  }

  /** Takes the next submission that nobody has. @returns its slot, or -1 when there is none */
  #claim(): number {
    if (this.#claimed >= 0) {
      const slot = this.#claimed;
      this.#claimed = -1;
      return slot;
    }
    const { words } = this.#memory;
    for (;;) {
      const head = words.load(HEAD);
      if (head === words.load(TAIL)) return -1;
      // If others have gone on meanwhile, this is a later submission's slot: then that is taken before its turn.
      const slot = words.load(submissionWord(head));
      const before = words.compareExchange(stateWord(slot), QUEUED, TAKEN + this.#index);
      words.compareExchange(HEAD, head, (head + 1) | 0);
      if (before === QUEUED) return slot;
    }
  }

  /** Also takes those that wait right after it and adjoin it in the file. */
  #withAdjoining(slot: number): number[] {
    const slots = [slot];
    while (joins.hasRoom(this.#memory, slots)) {
      const next = this.#peek();
      if (next < 0 || !joins.adjoins(this.#memory, slots, next)) break;
      const taken = this.#claim();
      if (taken < 0) break;
      // Another worker may have taken the one that was looked at.
      if (!joins.adjoins(this.#memory, slots, taken)) {
        this.#claimed = taken;
        break;
      }
      slots.push(taken);
    }
    return slots;
  }

  /** The slot that {@link #claim} would look at first. */
  #peek(): number {
    const { words } = this.#memory;
    const head = words.load(HEAD);
    return head === words.load(TAIL) ? -1 : words.load(submissionWord(head));
  }

  #perform(slots: readonly number[]): void {
    const { now, transfer } = this.#calls;
    const start = now();
    const result = transfer(slots);
    let bytes = 0;
    for (const slot of slots) bytes += this.#memory.length(slot);
    const slow = now() - start > SLOW_CALL_MS + bytes * SLOW_BYTE_MS;
    this.#slowCalls = slow ? this.#slowCalls + 1 : 0;
    if (result === bytes || slots.length === 1) {
      share(this.#memory, slots, result);
      for (const slot of slots) this.#complete(slot);
    } else {
      // What went wrong may be the fault of one of them. To write the same bytes once more does no harm.
      for (const slot of slots) {
        this.#memory.setResult(slot, transfer([slot]));
        this.#complete(slot);
      }
    }
    if (this.#slowCalls >= SLOW_CALLS_IN_A_ROW) this.#wakeAnother();
  }

  #complete(slot: number): void {
    const { words } = this.#memory;
    words.store(completionWord(this.#index, this.#completed), slot);
    this.#completed = (this.#completed + 1) | 0;
    words.store(completedWord(this.#index), this.#completed);
    if (words.exchange(SUBMITTER_WAITS, 0) === 1) this.#calls.send();
  }

  #wakeAnother(): void {
    const { words } = this.#memory;
    if (words.load(HEAD) === words.load(TAIL)) return;
    for (let worker = 0; worker < MAX_RING_WORKERS; worker++) {
      if (words.compareExchange(sleepingWord(worker), 1, 0) !== 1) continue;
      words.notify(sleepingWord(worker));
      return;
    }
    words.store(WORKER_WANTED, 1);
  }

  /** Whether this is not the first worker, and that one has got on since this one looked last, while calls are quick. */
  #isToRetire(): boolean {
    if (this.#index === 0 || this.#claimed >= 0) return false;
    const firstCompleted = this.#memory.words.load(completedWord(0));
    const firstGetsOn = firstCompleted !== this.#firstCompleted;
    this.#firstCompleted = firstCompleted;
    return firstGetsOn && this.#slowCalls === 0;
  }

  /** Blocks until it is woken. @param unlessWaiting not if there is something to take */
  #sleep(unlessWaiting: boolean): void {
    const { words } = this.#memory;
    const sleeping = sleepingWord(this.#index);
    words.store(sleeping, 1);
    const isWaiting = unlessWaiting && words.load(HEAD) !== words.load(TAIL);
    if (isWaiting || words.load(STOP) !== 0) words.store(sleeping, 0);
    else words.wait(sleeping, 1);
  }
}
