// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Clock } from '../posix/clock.js';
import { TIMEOUT } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import type { SchedulerObserver } from '../scheduler/observer.js';
import type { Logger } from '../server/logger.js';
import { TraceFile } from '../metrics/trace-file.js';
import { processName } from '../metrics/trace-event.js';
import { traceClock, traceObserver } from '../metrics/trace-observer.js';

/** What waits for the trace file is written at least this often. */
const FLUSH_SECONDS = 1;

/** A daemon's trace: the observer that fills it, and the file. */
export class Trace {
  readonly observer: SchedulerObserver;
  readonly #file: TraceFile;

  /** @throws node:fs's Error when the file cannot be made */
  constructor(path: string, limitBytes: number, clock: Clock, logger: Logger) {
    const now = traceClock(clock);
    this.#file = new TraceFile(path, processName('tapdisk-ts daemon'), { logger, limitBytes, now });
    this.observer = traceObserver(now, (event) => this.#file.add(event));
  }

  /** Writes what happens to the file, with an event of its own that the trace shows too. */
  follow(registrar: EventRegistrar): void {
    const writeTrace = (): void => this.#file.flush();
    registrar.registerEvent(TIMEOUT, -1, FLUSH_SECONDS, writeTrace);
  }

  /** See {@link TraceFile.close}. */
  close(): Promise<void> {
    return this.#file.close();
  }

  /** See {@link TraceFile.closeNow}. */
  closeNow(): void {
    this.#file.closeNow();
  }
}
