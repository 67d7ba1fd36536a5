// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import { AwaitedEvent } from '../scheduler/awaited-event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { type BlockStatusDone, type Done, type Driver, ESHUTDOWN } from './driver.js';
import type { VbdRequest } from './request.js';
import { WaitingLines } from './waiting-lines.js';
import { writeZeroesByWriting } from './zeroes.js';

/** A request that fails with EBUSY is tried again this often, and no more (C: TD_VBD_MAX_RETRIES). */
export const MAX_RETRIES = 100;
/** Seconds between two tries (C: TD_VBD_RETRY_INTERVAL). */
export const RETRY_INTERVAL_SECONDS = 1;

/**
 * What becomes of requests.
 *
 *     shut ──start──▶ open ◀──start── held
 *      ▲               │ └────hold────▲ │
 *      │             drain              │
 *      │               ▼                │
 *      └──shut── draining      ┌─shut───┘
 *      ▲                       │
 *      └───────────────────────┘
 *
 * - open: a driver gets them, each client's in order, as many at a time as there may be in flight;
 * - held: they wait, and those in flight end;
 * - draining: those that were here before go on, none is tried again, new ones are refused;
 * - shut: refused.
 */
export type Gate = 'shut' | 'open' | 'held' | 'draining';

export interface RequestQueueOptions {
  readonly registrar: EventRegistrar;
  /** How many requests a driver may have at once. */
  readonly maxInFlight: number;
  /** Called when a request has ended, before its caller is notified. */
  readonly onEnd: (request: VbdRequest, result: number) => void;
  /** Called when a request has ended and nothing is left to wait for: see {@link RequestQueue.quiet}. */
  readonly onQuiet: () => void;
  /** Runs a task in a later turn of the scheduler. */
  readonly post: (task: () => void) => void;
  /** Called when a driver has thrown instead of completing a request; that has ended with -EIO then. */
  readonly onThrown: (error: unknown) => void;
}

/**
 * The requests of one VBD, between its clients and the driver.
 *
 * Clients take turns: see {@link WaitingLines}. A request that conflicts with one that waits to be tried again waits behind
 * it, and so do all after it of its client: what a client asked for in order is done in order, however often a driver is
 * busy.
 */
export class RequestQueue {
  readonly #options: RequestQueueOptions;
  readonly #waiting = new WaitingLines();
  /** Busy ones, in the order in which they were asked for. */
  #retrying: VbdRequest[] = [];
  readonly #retryTimer: AwaitedEvent;
  #gate: Gate = 'shut';
  #driver: Driver | undefined;
  /** The next flush fails: writes that it would vouch for may be lost. */
  #mayHaveLostWrites = false;
  #inFlight = 0;
  #retries = 0;
  readonly #mayGo = (request: VbdRequest): boolean =>
    !this.#retrying.some((busy) => busy.conflictsWith(request));
  #pumping = false;

  constructor(options: RequestQueueOptions) {
    this.#options = options;
    this.#retryTimer = new AwaitedEvent(options.registrar, 'retry of requests');
  }

  get inFlight(): number {
    return this.#inFlight;
  }
  get waiting(): number {
    return this.#waiting.length + this.#retrying.length;
  }
  get retrying(): number {
    return this.#retrying.length;
  }
  get retries(): number {
    return this.#retries;
  }
  /** No request is in flight. Draining: none is left at all. */
  get quiet(): boolean {
    return this.#inFlight === 0 && (this.#gate !== 'draining' || this.#waiting.length === 0);
  }

  /** Takes a request in; -ESHUTDOWN when draining or shut. */
  submit(request: VbdRequest): void {
    if (this.#gate === 'shut' || this.#gate === 'draining') {
      this.#end(request, -ESHUTDOWN);
      return;
    }
    this.#waiting.push(request);
    this.#pump();
  }

  /**
   * Lets requests go to `driver`.
   *
   * @param mayHaveLostWrites the image was not closed well before, so that completed writes since the last flush may be lost: the
   *   next flush fails with -EIO
   */
  start(driver: Driver, mayHaveLostWrites = false): void {
    this.#driver = driver;
    this.#mayHaveLostWrites ||= mayHaveLostWrites;
    this.#gate = 'open';
    this.#pump();
  }

  hold(): void {
    this.#gate = 'held';
  }

  /** Those that wait to be tried again end with -EBUSY. */
  drain(): void {
    this.#gate = 'draining';
    this.#stopRetrying();
    this.#pump();
  }

  /** What still waits ends with -ESHUTDOWN. Nothing may be in flight. */
  shut(): void {
    this.#gate = 'shut';
    this.#driver = undefined;
    this.#mayHaveLostWrites = false;
    this.#stopRetrying();
    for (let request = this.#waiting.take(); request; request = this.#waiting.take()) {
      this.#end(request, -ESHUTDOWN);
    }
  }

  #pump(): void {
    // A driver may complete a request while it is queued: the loop below goes on then, instead of another inside of it.
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#gate === 'open' || this.#gate === 'draining') {
      if (this.#inFlight >= this.#options.maxInFlight) break;
      const request = this.#waiting.take(this.#mayGo);
      if (!request) break;
      this.#issue(request);
    }
    this.#pumping = false;
  }

  #issue(request: VbdRequest): void {
    // No request is let through without a driver.
    const driver = this.#driver as Driver;
    this.#inFlight++;
    const complete: Done = (result) => this.#completed(request, result);
    request.complete = complete;
    if (this.#mayHaveLostWrites && (request.flushing || request.kind === 'flush')) {
      this.#mayHaveLostWrites = false;
      complete(-errno.EIO);
      return;
    }
    try {
      if (request.flushing) driver.flush(complete);
      else dispatch(driver, request, this.#options.post);
    } catch (error) {
      this.#options.onThrown(error);
      if (request.complete === complete) complete(-errno.EIO);
    }
  }

  #completed(request: VbdRequest, result: number): void {
    request.complete = completedTwice;
    this.#inFlight--;
    if (result === -errno.EBUSY && request.retries < MAX_RETRIES && this.#gate !== 'draining') {
      this.#retryLater(request);
    } else if (result >= 0 && request.forceUnitAccess && request.changes && !request.flushing) {
      request.flushing = true;
      this.#issue(request);
      return;
    } else {
      this.#end(request, result < 0 ? result : 0);
    }
    this.#pump();
    if (this.quiet) this.#options.onQuiet();
  }

  #end(request: VbdRequest, result: number): void {
    this.#options.onEnd(request, result);
    request.done(result);
  }

  #retryLater(request: VbdRequest): void {
    request.retries++;
    const behind = this.#retrying.findIndex((other) => other.sequence > request.sequence);
    this.#retrying.splice(behind < 0 ? this.#retrying.length : behind, 0, request);
    if (this.#retryTimer.isSet) return;
    const result = this.#retryTimer.setTimer(RETRY_INTERVAL_SECONDS, () => this.#retry());
    if (result < 0) this.#stopRetrying();
  }

  #retry(): void {
    const busy = this.#retrying;
    this.#retrying = [];
    this.#retries += busy.length;
    for (const request of busy.reverse()) this.#waiting.unshift(request);
    this.#pump();
  }

  #stopRetrying(): void {
    const busy = this.#retrying;
    this.#retrying = [];
    this.#retryTimer.clear();
    for (const request of busy) this.#end(request, -errno.EBUSY);
  }
}

function dispatch(driver: Driver, request: VbdRequest, post: (task: () => void) => void): void {
  switch (request.kind) {
    case 'read':
      return driver.queueRead(request);
    case 'write':
      return driver.queueWrite(request);
    case 'flush':
      return driver.flush(request.complete);
    case 'discard':
      return driver.discard ? driver.discard(request) : request.complete(-errno.EOPNOTSUPP);
    case 'writeZeroes':
      if (request.fast) {
        if (driver.writeZeroesFast) driver.writeZeroesFast(request);
        else request.complete(-errno.EOPNOTSUPP);
        return undefined;
      }
      return driver.writeZeroes ? driver.writeZeroes(request) : writeZeroesByWriting(driver, request, post);
    case 'blockStatus':
      return blockStatus(driver, request);
  }
}

function blockStatus(driver: Driver, request: VbdRequest): void {
  const told: BlockStatusDone = (result, extents) => {
    if (extents) request.onExtents?.(extents);
    request.complete(result);
  };
  if (request.fast && driver.blockStatusFast) driver.blockStatusFast(request, told);
  else if (driver.blockStatus) driver.blockStatus(request, told);
  else told(0);
}

function completedTwice(): never {
  throw new Error('a driver completed a request twice');
}
