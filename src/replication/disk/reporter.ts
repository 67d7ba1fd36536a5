// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { LOG_NOTICE, LOG_WARNING, type Logger } from '../../server/logger.js';
import type { ReplicationEvent, ReplicationListener } from './events.js';
import type { DiskState, Role } from './status.js';

type WithoutTime<Event> = Event extends ReplicationEvent ? Omit<Event, 'atSeconds'> : never;

/** States that an operator should hear of at once. */
const LOUD: ReadonlySet<DiskState> = new Set([
  'unprotected',
  'stale',
  'split-brain',
  'inconsistent',
  'failed',
]);

/** Reports events to listeners and the log, each change of state once. */
export class Reporter {
  readonly #nowSeconds: () => number;
  readonly #logger: Logger;
  readonly #listeners = new Set<ReplicationListener>();
  #state: DiskState | undefined;
  #reason = 'not open';
  #sinceSeconds: number;
  #lastError: string | null = null;

  constructor(nowSeconds: () => number, logger: Logger) {
    this.#nowSeconds = nowSeconds;
    this.#logger = logger;
    this.#sinceSeconds = nowSeconds();
  }

  get reason(): string {
    return this.#reason;
  }
  get sinceSeconds(): number {
    return this.#sinceSeconds;
  }
  get lastError(): string | null {
    return this.#lastError;
  }

  onEvent(listener: ReplicationListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The state is this one now, because of that; the same state again is no news. */
  state(to: DiskState, role: Role, reason: string): void {
    const from = this.#state;
    if (from === to) return;
    this.#state = to;
    this.#reason = reason;
    this.#sinceSeconds = this.#nowSeconds();
    const priority = LOUD.has(to) ? LOG_WARNING : LOG_NOTICE;
    this.#logger.log(priority, `replication: ${to} (was ${from ?? 'closed'}): ${reason}`);
    if (from !== undefined) this.tell({ kind: 'state', from, to, role, reason });
  }

  /** An error. It is logged, unless it is why the state has changed: then that was. */
  notice(message: string): void {
    if (message !== this.#reason) this.#logger.log(LOG_WARNING, `replication: ${message}`);
    this.error(message);
  }

  /** An error that somebody else logs. */
  error(message: string): void {
    this.#lastError = message;
    this.tell({ kind: 'error', message });
  }

  tell(event: WithoutTime<ReplicationEvent>): void {
    const stamped = { ...event, atSeconds: this.#nowSeconds() } as ReplicationEvent;
    for (const listener of [...this.#listeners]) listener(stamped);
  }
}
