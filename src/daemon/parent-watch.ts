// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SystemError } from '../posix/system-error.js';
import { AwaitedEvent } from '../scheduler/awaited-event.js';
import { TIMEOUT } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';

/** The polling interval, in seconds: no event reports a parent's end. */
const LOOK_SECONDS = 1;

/** Looks whether the process that started this one still runs. */
export class ParentWatch implements Disposable {
  readonly #timer: AwaitedEvent;

  /**
   * @param parentPid the parent's number now: another process takes over the children of one that has ended
   * @param onGone called once
   * @throws SystemError when there is no event for it
   */
  constructor(registrar: EventRegistrar, parentPid: () => number, onGone: () => void) {
    const first = parentPid();
    this.#timer = new AwaitedEvent(registrar, 'end of the parent');
    const result = this.#timer.set(TIMEOUT, -1, LOOK_SECONDS, () => {
      if (parentPid() === first) return;
      this.#timer.clear();
      onGone();
    });
    if (result < 0) throw new SystemError(result, 'the parent process cannot be watched');
  }

  [Symbol.dispose](): void {
    this.#timer.clear();
  }
}
