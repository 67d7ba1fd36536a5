// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SpareBuffers } from '../spare-buffers.js';
import { nodeTimers, type Timers } from '../timers.js';
import { IdleRelease } from './idle-release.js';

/** Spare buffers that are released to the kernel, with all that was given back before, once none was used for a while. */
export class OrdinaryBuffers extends SpareBuffers implements Disposable {
  readonly #idle: IdleRelease;

  constructor(timers: Timers = nodeTimers) {
    super();
    this.#idle = new IdleRelease(timers, () => this.clear());
  }

  override take(length: number): Buffer {
    this.#idle.used();
    return super.take(length);
  }

  override give(buffer: Buffer): void {
    this.#idle.used();
    super.give(buffer);
  }

  /** Ends its use. */
  [Symbol.dispose](): void {
    this.#idle[Symbol.dispose]();
  }
}
