// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Poller, ReadyDescriptor, SelectDone } from '../../src/posix/poller.js';

type Answer = readonly ReadyDescriptor[] | number | Error;

/** Returns select from what a test laid out for it, and keeps what it was asked. */
export class MemoryPoller implements Poller {
  /** The next answers, in order; past their end nothing is ready. */
  readonly answers: Answer[] = [];
  /** The timeouts that select was given. */
  readonly timeouts: number[] = [];
  /** What shorten was given while select was under way; otherwise it does nothing. */
  readonly shortened: number[] = [];
  readonly told = new Map<number, number>();
  bad: number[] = [];
  /** Called as select begins, so that something can happen while it sleeps. */
  duringSelect: () => void = () => {};

  #isSelecting = false;
  readonly #later: (task: () => void) => void;

  /** @param later when select answers: in this turn of the event loop, or, with setImmediate, in another */
  constructor(later: (task: () => void) => void = queueMicrotask) {
    this.#later = later;
  }

  select(timeoutSeconds: number, done: SelectDone): void {
    this.timeouts.push(timeoutSeconds);
    const answer = this.answers.shift() ?? [];
    if (answer instanceof Error) throw answer;
    this.#isSelecting = true;
    this.#later(() => {
      this.duringSelect();
      this.#isSelecting = false;
      done(answer);
    });
  }

  setInterest(fd: number, conditions: number): void {
    this.told.set(fd, conditions);
  }

  shorten(timeoutSeconds: number): void {
    if (this.#isSelecting) this.shortened.push(timeoutSeconds);
  }

  badDescriptors(): number[] {
    return this.bad;
  }

  close(): void {}
}
