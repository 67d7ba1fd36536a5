// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Clock } from '../../posix/clock.js';
import { LOG_DEBUG, LOG_WARNING, type Logger, type Priority } from '../../server/logger.js';
import type { TransferEvent, TransferObserver } from '../../transfer/transfer-event.js';
import type { TransferStatus } from '../../transfer/transfer-status.js';

/** Where reports go: standard error, which is never where the image goes. */
export interface ReportStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Of a terminal. */
  readonly columns?: number;
}

export interface ReporterOptions {
  readonly stream: ReportStream;
  readonly clock: Clock;
  /** Also report what the connect module logs. */
  readonly verbose: boolean;
  /** Begin plain lines with the time, from the wall clock. */
  readonly times?: Clock | undefined;
  readonly role: TransferStatus['role'];
  /** What is going on at the moment; undefined before anything is. */
  readonly status: () => TransferStatus | undefined;
}

/** An event, and how many earlier ones with its cause were suppressed. */
export type ReportedEvent = TransferEvent & { readonly leftOut?: number };

/** A role's reports: events as they happen, progress now and then. */
export interface Reporter extends TransferObserver, Logger {
  onEvent(event: ReportedEvent): void;
  /** Time has passed. */
  tick(): void;
  /** Something that was asked for, in several lines perhaps. */
  dump(text: string): void;
  /** No progress will follow. */
  end(): void;
}

/** Reports progress at most once per interval, and not before the first one is over. */
export class Interval {
  readonly #clock: Clock;
  readonly #seconds: number;
  #last: number;

  constructor(clock: Clock, seconds: number) {
    this.#clock = clock;
    this.#seconds = seconds;
    this.#last = clock.now();
  }

  isOver(): boolean {
    const now = this.#clock.now();
    if (now - this.#last < this.#seconds) return false;
    this.#last = now;
    return true;
  }
}

/** A backup may wait for a primary for days: that is no progress. */
export function isWorth(status: TransferStatus | undefined): status is TransferStatus {
  return status !== undefined && (status.role === 'primary' || status.peer !== null);
}

export function shouldReport(priority: Priority, { verbose }: ReporterOptions): boolean {
  return priority <= (verbose ? LOG_DEBUG : LOG_WARNING);
}
