// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Interest, Poller, ReadyDescriptor } from '../src/posix/poller.js';

/** Descriptors that exist in memory only: a wait is answered with what was made ready before it. */
export class MemoryPoller implements Poller {
  #ready: ReadyDescriptor[] = [];

  makeReady(fd: number, conditions: number): void {
    this.#ready.push({ fd, conditions });
  }

  select(interest: Interest): Promise<readonly ReadyDescriptor[]> {
    const ready = this.#ready.filter(({ fd, conditions }) => interest.conditions(fd) & conditions);
    this.#ready = [];
    return Promise.resolve(ready);
  }

  setInterest(): void {}
  shorten(): void {}
  badDescriptors(): number[] {
    return [];
  }
  close(): void {}
}
