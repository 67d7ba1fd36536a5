// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { DEFAULT_REPLICATION_OPTIONS, type ReplicationOptions } from './options.js';
import type { PrimaryRole } from './primary/primary-role.js';
import { Timer, type TimerHost } from './timer.js';

/** A checkpoint has to fit into half of the journal, together with what comes until it is on the image. */
const EARLY_PART = 8;

/**
 * Commits what was written, again and again after a time, and earlier when much was written: what the backup's journal has no
 * room for would be lost to it, though nobody has asked for such a large checkpoint.
 *
 * A C backup is sent such commits only when the interval was asked for: the driver of a C primary commits together with the
 * guest's memory, and a commit in between would tear the two apart.
 */
export class CheckpointInterval {
  readonly #timer: Timer;
  readonly #seconds: number;
  readonly #isForC: boolean;
  readonly #earlyBytes: number;
  readonly #primary: () => PrimaryRole | undefined;

  constructor(
    host: TimerHost,
    { checkpointIntervalSeconds, journalBytes }: Partial<ReplicationOptions>,
    primary: () => PrimaryRole | undefined,
  ) {
    this.#isForC = checkpointIntervalSeconds !== undefined;
    this.#seconds = checkpointIntervalSeconds ?? DEFAULT_REPLICATION_OPTIONS.checkpointIntervalSeconds;
    this.#earlyBytes = (journalBytes ?? DEFAULT_REPLICATION_OPTIONS.journalBytes) / EARLY_PART;
    this.#primary = primary;
    this.#timer = new Timer(host, () => this.#over());
    this.#again();
  }

  /** The open checkpoint has more than before. */
  wrote(): void {
    if (this.#seconds > 0) this.#commitFrom(this.#earlyBytes);
  }

  close(): void {
    this.#timer.close();
  }

  #again(): void {
    if (this.#seconds > 0) this.#timer.set(this.#seconds);
  }

  #over(): void {
    this.#commitFrom(1);
    this.#again();
  }

  /** Commits what is open, if that is so much. */
  #commitFrom(bytes: number): void {
    const primary = this.#primary();
    const mayCommit = primary?.phase === 'protected' && (this.#isForC || primary.peer?.kind !== 'c');
    if (mayCommit && primary.checkpoints.openBytes >= bytes && !primary.checkpoints.isRequested) {
      primary.checkpoint(() => {});
    }
  }
}
