// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { runProgram } from '../posix/node/program.js';
import { nodeTimers, type Timers } from '../posix/timers.js';
import type { ReplicationEvent } from '../replication/disk/events.js';
import { LOG_WARNING, type Logger } from '../server/logger.js';

/** How long a program may take that is run at a change of state, in seconds; then it is killed with its group. */
export const STATE_HOOK_SECONDS = 30;
/** How many changes may wait for their program, unless given; beyond, the oldest is dropped with a warning. */
const MAX_WAITING = 100;

/**
 * Runs a program at each change of a replicated disk's state, one after another, in their order. It gets MINOR, FROM, TO,
 * ROLE and REASON in its environment, as TAPDISK_TS_MINOR and so on, and no input.
 */
export class StateHook {
  readonly #program: string;
  readonly #logger: Logger;
  readonly #timers: Timers;
  readonly #maxWaiting: number;
  readonly #waiting: NodeJS.ProcessEnv[] = [];
  #isRunning = false;

  constructor(program: string, logger: Logger, timers: Timers = nodeTimers, maxWaiting = MAX_WAITING) {
    this.#program = program;
    this.#logger = logger;
    this.#timers = timers;
    this.#maxWaiting = maxWaiting;
  }

  readonly onEvent = (minor: number, event: ReplicationEvent): void => {
    if (event.kind !== 'state') return;
    this.#waiting.push({
      TAPDISK_TS_MINOR: String(minor),
      TAPDISK_TS_FROM: event.from,
      TAPDISK_TS_TO: event.to,
      TAPDISK_TS_ROLE: event.role,
      TAPDISK_TS_REASON: event.reason,
    });
    if (this.#waiting.length > this.#maxWaiting) {
      this.#waiting.shift();
      this.#warn(`the oldest change of state is dropped: ${this.#maxWaiting} are waiting`);
    }
    this.#next();
  };

  #next(): void {
    const env = this.#isRunning ? undefined : this.#waiting.shift();
    if (!env) return;
    this.#isRunning = true;
    const options = {
      env: { ...process.env, ...env },
      stdio: 'ignore' as const,
      seconds: STATE_HOOK_SECONDS,
    };
    const onEnded = (status: number | undefined, how: string): void => {
      this.#isRunning = false;
      if (status !== 0) this.#warn(how);
      this.#next();
    };
    runProgram([this.#program], options, onEnded, this.#timers);
  }

  #warn(what: string): void {
    this.#logger.log(LOG_WARNING, `--on-state: ${what}`);
  }
}
