// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AtomicWords, type Words } from './words.js';

/** How many calls one ring holds. */
export const RING_SLOTS = 256;
/** How many workers one ring can have. */
export const MAX_RING_WORKERS = 8;

export const READ = 0;
export const WRITE = 1;

/** A slot's state: free, queued, or taken by the worker whose index is added. */
export const FREE = 0;
export const QUEUED = 1;
export const TAKEN = 2;
/** The submitter's index where it takes a call back. */
export const SUBMITTER = MAX_RING_WORKERS;

/** Words in a cache line, so that what different threads write lies apart. */
const LINE = 16;

/** Submissions that workers have looked at, and that are published; both count on for ever, in 32 bits. */
export const HEAD = 0;
export const TAIL = LINE;
/** 1: the submitter waits for a message; the worker that makes it 0 sends one. */
export const SUBMITTER_WAITS = 2 * LINE;
/** 1: workers end. */
export const STOP = 3 * LINE;
/** 1: calls are slow and wait, and no worker sleeps that could be woken. */
export const WORKER_WANTED = 3 * LINE + 1;
const WORKERS = 4 * LINE;
const SUBMISSIONS = WORKERS + MAX_RING_WORKERS * LINE;
const COMPLETIONS = SUBMISSIONS + RING_SLOTS;
const SLOTS = COMPLETIONS + MAX_RING_WORKERS * RING_SLOTS;
const SLOT_WORDS = 8;
const ALL_WORDS = SLOTS + RING_SLOTS * SLOT_WORDS;

/** 1: the worker sleeps or is about to; whichever side sets it to 0 wakes it. */
export const sleepingWord = (worker: number): number => WORKERS + worker * LINE;
/** How many calls the worker has completed, in 32 bits. */
export const completedWord = (worker: number): number => WORKERS + worker * LINE + 1;
/** The slot of a submission, by its count. */
export const submissionWord = (count: number): number => SUBMISSIONS + (count & (RING_SLOTS - 1));
/** The slot of a worker's completion, by its count. */
export const completionWord = (worker: number, count: number): number =>
  COMPLETIONS + worker * RING_SLOTS + (count & (RING_SLOTS - 1));
export const stateWord = (slot: number): number => SLOTS + slot * SLOT_WORDS;

/**
 * The memory of one ring, which the submitter's thread and its workers share.
 *
 *     submit: slot free → queued ──published──▶ submissions ──claimed by one worker──▶ taken
 *     reap:   free ◀── result ◀── that worker's completions ◀──────── call made ────────┘
 *
 * - Submissions are one queue that all workers take from. What claims a call is the change of its slot from queued to taken,
 *   so that each call is made once, and after a worker's death it is known which calls it had.
 * - Completions are a queue for each worker, written by it alone. They hold as many as there are slots, so that none is full.
 * - What a call is ({@link RingMemory.set}) is written before its slot is queued, and its result before the worker's count
 *   of completions: these are atomic, and so their reader finds the rest.
 */
export class RingMemory {
  readonly shared: SharedArrayBuffer;
  readonly words: Words;
  readonly #plain: Int32Array;
  readonly #positions: Float64Array;

  /**
   * @param shared another thread's ring; a new one unless given
   * @param instrument puts something before the atomic steps
   */
  constructor(shared?: SharedArrayBuffer, instrument: (words: Words) => Words = (words) => words) {
    this.shared = shared ?? new SharedArrayBuffer(ALL_WORDS * Int32Array.BYTES_PER_ELEMENT);
    this.#plain = new Int32Array(this.shared);
    this.#positions = new Float64Array(this.shared);
    this.words = instrument(new AtomicWords(this.#plain));
  }

  set(slot: number, operation: number, fd: number, offset: number, length: number, position: number): void {
    const at = SLOTS + slot * SLOT_WORDS;
    this.#plain[at + 1] = operation;
    this.#plain[at + 2] = fd;
    this.#plain[at + 3] = offset;
    this.#plain[at + 4] = length;
    this.#positions[(at + 6) / 2] = position;
  }

  operation(slot: number): number {
    return this.#plain[SLOTS + slot * SLOT_WORDS + 1] as number;
  }
  /** The kernel's descriptor. */
  fd(slot: number): number {
    return this.#plain[SLOTS + slot * SLOT_WORDS + 2] as number;
  }
  /** In bytes, where the data lies in the shared buffers. */
  offset(slot: number): number {
    return this.#plain[SLOTS + slot * SLOT_WORDS + 3] as number;
  }
  /** In bytes. */
  length(slot: number): number {
    return this.#plain[SLOTS + slot * SLOT_WORDS + 4] as number;
  }
  /** In bytes, in the file. */
  position(slot: number): number {
    return this.#positions[(SLOTS + slot * SLOT_WORDS + 6) / 2] as number;
  }
  /** Bytes moved, or a negative errno. */
  result(slot: number): number {
    return this.#plain[SLOTS + slot * SLOT_WORDS + 5] as number;
  }
  setResult(slot: number, result: number): void {
    this.#plain[SLOTS + slot * SLOT_WORDS + 5] = result;
  }
}
