// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { DEFAULT_REPLICATION_OPTIONS, type ReplicationOptions } from './options.js';
import type { PrimaryRole } from './primary/primary-role.js';
import { Timer, type TimerHost } from './timer.js';

/**
 * Commits what was written, again and again after a time.
 *
 * A C backup is sent such commits only when the interval was asked for: the driver of a C primary commits together with the
 * guest's memory, and a commit in between would tear the two apart.
 */
export class CheckpointInterval {
  readonly #timer: Timer;
  readonly #seconds: number;
  readonly #isForC: boolean;
  readonly #primary: () => PrimaryRole | undefined;

  constructor(
    host: TimerHost,
    { checkpointIntervalSeconds }: Partial<ReplicationOptions>,
    primary: () => PrimaryRole | undefined,
  ) {
    this.#isForC = checkpointIntervalSeconds !== undefined;
    this.#seconds = checkpointIntervalSeconds ?? DEFAULT_REPLICATION_OPTIONS.checkpointIntervalSeconds;
    this.#primary = primary;
    this.#timer = new Timer(host, () => this.#over());
    this.#again();
  }

  close(): void {
    this.#timer.close();
  }

  #again(): void {
    if (this.#seconds > 0) this.#timer.set(this.#seconds);
  }

  #over(): void {
    const primary = this.#primary();
    const mayCommit = primary?.phase === 'protected' && (this.#isForC || primary.peer?.kind !== 'c');
    if (mayCommit && primary.checkpoints.openBytes > 0 && !primary.checkpoints.isRequested) {
      primary.checkpoint(() => {});
    }
    this.#again();
  }
}
