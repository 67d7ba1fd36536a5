// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../errno.js';
import type { TimerHandle, Timers } from '../../timers.js';
import { MAX_RING_WORKERS, RingMemory } from './ring-memory.js';
import { Submitter } from './submitter.js';
import type { StartThread } from './thread-handle.js';

/** A ring without a call for this long is given up with its threads, in milliseconds. */
export const RING_IDLE_MS = 30_000;
/** How often the progress of outstanding calls is checked, in milliseconds. */
const WATCH_MS = 5;
/** After so many ends of threads, none of which made a call, no further one is started. */
const MAX_VAIN_STARTS = 3;

/** idle: there was no call for a while; closed: on demand; vain: threads do not stay. */
export type GiveUpReason = 'idle' | 'closed' | 'vain';

export interface FileRingParts {
  /** Where the data of all calls lies. */
  readonly buffers: SharedArrayBuffer;
  readonly timers: Timers;
  readonly startThread: StartThread;
  /** Calls have ended: {@link FileRing.reap} is to be called, some time after this returns. */
  readonly onEnded: () => void;
  /** Gets warnings. */
  readonly warn: (message: string) => void;
  /**
   * The ring takes no further call, for lack of work or of threads. It still completes those that it has.
   *
   * `left`: the slots whose calls nobody has begun; for each, {@link FileRing.memory} has the call, and
   * {@link FileRing.endLeft} ends it.
   */
  readonly onGivenUp: (left: readonly number[], why: GiveUpReason) => void;
}

/**
 * File calls of one disk in threads of its own (tapdisk's lio with its event descriptor, in threads): reads and writes are
 * submitted in batches, made by blocking calls elsewhere, and completed in batches.
 *
 *     starting ──a thread runs──▶ running ──idle, or threads end in vain──▶ given up
 *
 * It has one thread, and more, up to {@link MAX_RING_WORKERS}, only while calls are slow. A thread that ends fails with
 * -EIO the calls that it had taken, is reported and replaced; calls that it had not taken wait for the next one.
 */
export class FileRing {
  readonly memory = new RingMemory();
  readonly #parts: FileRingParts;
  readonly #submitter = new Submitter(this.memory);
  /** By index: whether there is a thread. */
  readonly #threads: ('none' | 'starting' | 'running')[] = Array.from(
    { length: MAX_RING_WORKERS },
    () => 'none',
  );
  #state: 'starting' | 'running' | 'givenUp' = 'starting';
  #vainStarts = 0;
  #completedAtStart = 0;
  #watch: TimerHandle | undefined;
  #watchedProgress = 0;
  #idle: TimerHandle;
  #isUsed = false;

  /** @throws Error where threads are not allowed */
  constructor(parts: FileRingParts) {
    this.#parts = parts;
    this.#start(0);
    this.#idle = this.#watchIdleness();
  }

  get buffers(): SharedArrayBuffer {
    return this.#parts.buffers;
  }
  get isRunning(): boolean {
    return this.#state === 'running';
  }
  get outstanding(): number {
    return this.#submitter.outstanding;
  }

  /**
   * Queues a call; it begins after {@link publish}.
   *
   * @param offset in bytes, where the data lies in the buffers
   * @returns false when the ring does not take it: it is full, or not running
   */
  submit(
    operation: number,
    fd: number,
    offset: number,
    length: number,
    position: number,
    done: (result: number) => void,
  ): boolean {
    return this.#state === 'running' && this.#submitter.submit(operation, fd, offset, length, position, done);
  }

  publish(): void {
    this.#isUsed = true;
    this.#submitter.publish();
    if (this.#watch === undefined) this.#watch = this.#watchProgress();
    this.#awaitEnds();
  }

  /** Completes up to `limit` calls. @returns how many */
  reap(limit: number): number {
    const count = this.#submitter.reap(limit);
    if (this.outstanding > 0) this.#awaitEnds();
    return count;
  }

  /** A call of those that were left over has ended. */
  endLeft(slot: number, result: number): void {
    this.#submitter.endHere(slot, result);
    this.#parts.onEnded();
  }

  /** Gives the ring up, at once. Idempotent. */
  giveUp(why: GiveUpReason = 'closed'): void {
    if (this.#state === 'givenUp') return;
    this.#state = 'givenUp';
    this.#parts.timers.clearTimeout(this.#idle);
    this.#submitter.stop();
    this.#parts.onGivenUp(this.#submitter.takeBack(), why);
  }

  #start(index: number): void {
    this.#completedAtStart = this.#submitter.completed;
    const { buffers, startThread, onEnded } = this.#parts;
    startThread(
      { ring: this.memory.shared, buffers, index },
      {
        onStart: () => {
          this.#threads[index] = 'running';
          if (this.#state === 'starting') this.#state = 'running';
        },
        onMessage: onEnded,
        onEnd: (reason) => this.#threadEnded(index, reason),
      },
    );
    this.#threads[index] = 'starting';
  }

  #threadEnded(index: number, reason: string): void {
    const failed = this.#submitter.endTaken(index, -errno.EIO);
    if (failed > 0) this.#parts.onEnded();
    if (this.#state === 'givenUp') return;
    this.#parts.warn(`a thread for file calls ended (${reason}); ${failed} calls failed with EIO`);
    this.#vainStarts = this.#submitter.completed === this.#completedAtStart ? this.#vainStarts + 1 : 0;
    if (this.#vainStarts >= MAX_VAIN_STARTS || !this.#startAnother(index)) this.giveUp('vain');
  }

  /** @returns false when that is not allowed */
  #startAnother(index: number): boolean {
    try {
      this.#start(index);
      return true;
    } catch (error) {
      this.#parts.warn(`cannot start a thread for file calls: ${(error as Error).message}`);
      return false;
    }
  }

  /** A thread that completes a call sends a message from now on; what has ended already is reported here. */
  #awaitEnds(): void {
    if (!this.#submitter.awaitMessage()) this.#parts.onEnded();
  }

  /**
   * Wakes or starts another thread whenever calls wait and none has ended since the last look, or a thread asks for it. Its
   * timer holds the process alive, which threads do not, until all calls have ended.
   */
  #watchProgress(): TimerHandle {
    const { timers } = this.#parts;
    this.#watchedProgress = this.#submitter.completed;
    return timers.setTimeout(() => {
      this.#watch = undefined;
      if (this.outstanding === 0) return;
      const { completed, waiting } = this.#submitter;
      const wished = this.#submitter.takeWish();
      if (waiting > 0 && (wished || completed === this.#watchedProgress)) this.#addThread();
      this.#watch = this.#watchProgress();
    }, WATCH_MS);
  }

  #addThread(): void {
    if (this.#state !== 'running') return;
    for (let index = 0; index < MAX_RING_WORKERS; index++) {
      if (this.#threads[index] === 'running' && this.#submitter.wake(index)) return;
    }
    const index = this.#threads.indexOf('none');
    if (index >= 0 && !this.#threads.includes('starting')) this.#startAnother(index);
  }

  #watchIdleness(): TimerHandle {
    const handle = this.#parts.timers.setTimeout(() => {
      if (!this.#isUsed && this.outstanding === 0) {
        this.giveUp('idle');
        return;
      }
      this.#isUsed = false;
      this.#idle = this.#watchIdleness();
    }, RING_IDLE_MS);
    handle.unref();
    return handle;
  }
}
