// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Interest, Poller, ReadyDescriptor, SelectAnswer } from '../../src/posix/poller.js';

type Answer = readonly ReadyDescriptor[] | number | Error;

/** Answers select from what a test laid out for it, and keeps what it was asked. */
export class MemoryPoller implements Poller {
  /** The next answers, in order; past their end nothing is ready. */
  readonly answers: Answer[] = [];
  /** The timeouts that select was given. */
  readonly timeouts: number[] = [];
  /** What shorten was given. */
  readonly shortened: number[] = [];
  readonly told = new Map<number, number>();
  bad: number[] = [];
  /** Called as select begins, so that something can happen while it sleeps. */
  duringSelect: () => void = () => {};

  async select(_interest: Interest, timeoutSeconds: number): Promise<readonly ReadyDescriptor[] | number> {
    this.timeouts.push(timeoutSeconds);
    await Promise.resolve();
    this.duringSelect();
    const answer = this.answers.shift() ?? [];
    if (answer instanceof Error) throw answer;
    return answer;
  }

  setInterest(fd: number, conditions: number): void {
    this.told.set(fd, conditions);
  }

  shorten(timeoutSeconds: number): void {
    this.shortened.push(timeoutSeconds);
  }

  badDescriptors(): number[] {
    return this.bad;
  }

  close(): void {}
}

/** One that answers by a call, and throws its errors at once. */
export class DirectPoller extends MemoryPoller {
  selectThen(_interest: Interest, timeoutSeconds: number, answer: SelectAnswer): void {
    this.timeouts.push(timeoutSeconds);
    const next = this.answers.shift() ?? [];
    if (next instanceof Error) throw next;
    queueMicrotask(() => answer(next));
  }
}
