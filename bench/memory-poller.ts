// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Poller, ReadyDescriptor, SelectDone } from '../src/posix/poller.js';

/** Descriptors that exist in memory only: a wait is answered with what was made ready before it. */
export class MemoryPoller implements Poller {
  #ready: ReadyDescriptor[] = [];
  readonly #interest = new Map<number, number>();

  makeReady(fd: number, conditions: number): void {
    this.#ready.push({ fd, conditions });
  }

  select(_timeoutSeconds: number, done: SelectDone): void {
    const ready = this.#ready.filter(({ fd, conditions }) => (this.#interest.get(fd) ?? 0) & conditions);
    this.#ready = [];
    queueMicrotask(() => done(ready));
  }

  setInterest(fd: number, conditions: number): void {
    this.#interest.set(fd, conditions);
  }
  shorten(): void {}
  badDescriptors(): number[] {
    return [];
  }
  close(): void {}
}
