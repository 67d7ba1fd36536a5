// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno, errnoName } from '../../posix/errno.js';
import { LOG_ERR, LOG_INFO } from '../logger.js';
import { ESHUTDOWN, SECTOR_SIZE } from './driver.js';
import type { DiskInfo, Done, DriverContext, OpenFlags } from './driver.js';
import { VbdRequest } from './request.js';
import type { RequestParts } from './request.js';
import { RequestQueue } from './request-queue.js';
import { DriverStack } from './stack.js';
import type { DriverTypes } from './stack.js';
import { stateBits } from './state.js';
import type { VbdPhase } from './state.js';
import { RequestCounters } from './statistics.js';
import type { StatisticsSnapshot } from './statistics.js';

export interface VbdOptions {
  readonly context: DriverContext;
  readonly types: DriverTypes;
  /** How many requests a driver may have at once. */
  readonly maxInFlight: number;
  /** How many more may wait in the VBD; beyond, a request ends with -ENOMEM. Those who ask keep their own, lower bounds. */
  readonly maxWaiting: number;
}

/** What only some requests have. */
export interface ChangeOptions {
  /** It completes when the change, and what it needs, is on stable storage. */
  readonly forceUnitAccess?: boolean;
}

/**
 * A virtual block device: a minor number, an image behind drivers, and the requests for it (C: td_vbd_t).
 *
 * The phases and the moves between them are drawn at {@link VbdPhase}. All calls may complete before they return.
 * Requests never cross a closing: each is answered, with -ESHUTDOWN if it came to nothing. A paused VBD keeps requests
 * until it is resumed.
 *
 * A flush covers every change that was answered before it was asked for, whoever asked for that change.
 */
export class Vbd {
  readonly minor: number;
  readonly #options: VbdOptions;
  readonly #queue: RequestQueue;
  readonly #counters = new RequestCounters();
  #phase: VbdPhase = 'closed';
  #name = '';
  #flags: OpenFlags = { readOnly: false, shared: false };
  #stack: DriverStack | undefined;
  #info: DiskInfo = { sectors: 0, sectorSize: SECTOR_SIZE, info: 0 };
  #sequence = 0;
  #pauseWaiters: Done[] = [];
  #closeWaiters: Done[] = [];
  readonly #closedListeners = new Set<() => void>();

  constructor(minor: number, options: VbdOptions) {
    this.minor = minor;
    this.#options = options;
    this.#queue = new RequestQueue({
      registrar: options.context.registrar,
      maxInFlight: options.maxInFlight,
      onEnd: (request, result) => this.#counters.count(request, result, options.context.posix.clock.now()),
      onQuiet: () => this.#becameQuiet(),
    });
  }

  get phase(): VbdPhase {
    return this.#phase;
  }
  /** The bits that LIST shows. */
  get state(): number {
    return stateBits(this.#phase, this.#queue.retrying > 0);
  }
  /** What it was opened or last resumed with, `aio:/path`; empty while closed. */
  get name(): string {
    return this.#name;
  }
  /** Whether it has an image that requests can be queued for: running, pausing, paused or resuming. */
  get isOpen(): boolean {
    return openPhases.has(this.#phase);
  }
  get readOnly(): boolean {
    return this.#flags.readOnly;
  }
  /** The image's measures, as of the last opening or resuming. */
  get info(): DiskInfo {
    return this.#info;
  }
  /** Whether {@link discard} does anything. */
  get canDiscard(): boolean {
    return this.#stack?.top.discard !== undefined;
  }

  /** Opens an image. -EALREADY unless closed, -EINVAL for a name that is wrong, else the driver's error. */
  open(name: string, flags: OpenFlags, done: Done): void {
    if (this.#phase !== 'closed') {
      done(this.#phase === 'dead' ? -errno.EINVAL : -errno.EALREADY);
      return;
    }
    this.#phase = 'opening';
    this.#name = name;
    this.#flags = flags;
    this.#openImage(name, (result) => {
      if (result < 0) {
        this.#phase = 'closed';
        this.#name = '';
      }
      done(result);
    });
  }

  /** Completes once no request is in flight and the image is closed. 0 if paused already, -EINVAL if not open, -EAGAIN while resuming. */
  pause(done: Done): void {
    switch (this.#phase) {
      case 'paused':
        return done(0);
      case 'resuming':
        return done(-errno.EAGAIN);
      case 'running':
        this.#phase = 'pausing';
        this.#pauseWaiters.push(done);
        this.#queue.hold();
        this.#stack?.preClose();
        return this.#becameQuiet();
      case 'pausing':
        this.#pauseWaiters.push(done);
        return undefined;
      case 'closed':
      case 'opening':
      case 'draining':
      case 'closing':
      case 'dead':
        return done(-errno.EINVAL);
    }
  }

  /** Opens the image again, under another name if one is given. -EINVAL unless paused; after a driver's error it is still paused, under the old name. */
  resume(name: string | undefined, done: Done): void {
    if (this.#phase !== 'paused') {
      done(-errno.EINVAL);
      return;
    }
    this.#phase = 'resuming';
    const newName = name ? name : this.#name;
    this.#openImage(newName, (result) => {
      if (result < 0) this.#phase = 'paused';
      else this.#name = newName;
      done(result);
    });
  }

  /**
   * Closes the image. -EAGAIN while requests are pending or it opens, pauses or resumes: to be repeated; those that are
   * pending go on, new ones are refused from then on, and it closes by itself after the last one. 0 if it is closed.
   */
  close(done: Done): void {
    switch (this.#phase) {
      case 'closed':
        return done(0);
      case 'running':
        this.#phase = 'draining';
        this.#stack?.preClose();
        this.#queue.drain();
        return this.#closeWhenQuiet(done);
      case 'draining':
        return this.#closeWhenQuiet(done);
      case 'paused':
        this.#phase = 'closing';
        this.#closeWaiters.push(done);
        return this.#closed(0);
      case 'closing':
        this.#closeWaiters.push(done);
        return undefined;
      case 'dead':
        return done(-errno.EINVAL);
      case 'opening':
      case 'pausing':
      case 'resuming':
        return done(-errno.EAGAIN);
    }
  }

  /** Ends a closed VBD for good: 0, or -EBUSY when it is not closed. */
  kill(): number {
    if (this.#phase !== 'closed') return -errno.EBUSY;
    this.#phase = 'dead';
    return 0;
  }

  /** Has `listener` called each time the VBD has closed; answers how to stop that. */
  onClosed(listener: () => void): () => void {
    this.#closedListeners.add(listener);
    return () => this.#closedListeners.delete(listener);
  }

  /** Reads buffer.length bytes, whole sectors. -EINVAL outside of the disk, -ESHUTDOWN unless open, else the driver's error. */
  queueRead(sector: number, buffer: Uint8Array, done: Done): void {
    this.#queueRequest({ kind: 'read', sector, sectors: buffer.length / SECTOR_SIZE, buffer }, done);
  }

  /** Writes whole sectors; the buffer is the VBD's until it is done. As {@link queueRead}, and -EROFS on a read-only opening. */
  queueWrite(sector: number, buffer: Uint8Array, done: Done, options?: ChangeOptions): void {
    this.#queueRequest(
      { kind: 'write', sector, sectors: buffer.length / SECTOR_SIZE, buffer, ...options },
      done,
    );
  }

  /** Brings all that was answered before to stable storage. */
  flush(done: Done): void {
    this.#enqueue({ kind: 'flush', sector: 0, sectors: 0 }, done);
  }

  /** Gives a range up: it may read as anything afterwards. -EOPNOTSUPP where the driver cannot. */
  discard(sector: number, sectors: number, done: Done, options?: ChangeOptions): void {
    this.#queueRequest({ kind: 'discard', sector, sectors, ...options }, done);
  }

  /** Makes a range read as zeroes. */
  writeZeroes(
    sector: number,
    sectors: number,
    done: Done,
    options?: ChangeOptions & { readonly noHole?: boolean },
  ): void {
    this.#queueRequest({ kind: 'writeZeroes', sector, sectors, ...options }, done);
  }

  statistics(): StatisticsSnapshot {
    const { inFlight, waiting, retrying, retries } = this.#queue;
    return { kinds: this.#counters.snapshot(), inFlight, waiting, retrying, retries };
  }

  /** One line for dumps. */
  describe(): string {
    const { inFlight, waiting } = this.#queue;
    const image = this.#stack ? ` [${this.#stack.describe()}]` : '';
    return `vbd ${this.minor} ${this.#phase} '${this.#name}' ${inFlight} in flight, ${waiting} waiting${image}`;
  }

  #queueRequest(parts: RequestParts, done: Done): void {
    const { sector, sectors } = parts;
    const inside =
      Number.isSafeInteger(sector) &&
      Number.isSafeInteger(sectors) &&
      sector >= 0 &&
      sectors > 0 &&
      sector + sectors <= this.#info.sectors;
    if (!this.isOpen) done(-ESHUTDOWN);
    else if (!inside) done(-errno.EINVAL);
    else if (parts.kind !== 'read' && this.#flags.readOnly) done(-errno.EROFS);
    else this.#enqueue(parts, done);
  }

  #enqueue(parts: RequestParts, done: Done): void {
    if (this.#queue.waiting >= this.#options.maxWaiting) {
      done(-errno.ENOMEM);
      return;
    }
    const now = this.#options.context.posix.clock.now();
    this.#queue.submit(new VbdRequest(parts, this.#sequence++, now, done));
  }

  #openImage(name: string, done: Done): void {
    const { types, context } = this.#options;
    const stack = DriverStack.create(name, types, context);
    if (typeof stack === 'number') {
      done(stack);
      return;
    }
    stack.open(this.#flags, (result) => {
      if (result < 0) {
        context.logger.log(LOG_ERR, `vbd ${this.minor}: cannot open ${name}: ${errnoName(result) ?? result}`);
        done(result);
        return;
      }
      this.#stack = stack;
      this.#info = stack.top.info();
      this.#phase = 'running';
      context.logger.log(LOG_INFO, `vbd ${this.minor}: opened ${name}, ${this.#info.sectors} sectors`);
      this.#queue.start(stack.top);
      done(0);
    });
  }

  /** The moves that wait for quiet: pausing, and draining. */
  #becameQuiet(): void {
    if (!this.#queue.quiet) return;
    if (this.#phase === 'pausing') {
      this.#closeImage((result) => {
        this.#phase = 'paused';
        const waiters = this.#pauseWaiters;
        this.#pauseWaiters = [];
        for (const done of waiters) done(result);
      });
    } else if (this.#phase === 'draining') {
      this.#phase = 'closing';
      this.#closeImage((result) => this.#closed(result));
    }
  }

  #closeWhenQuiet(done: Done): void {
    if (!this.#queue.quiet) return done(-errno.EAGAIN);
    this.#closeWaiters.push(done);
    return this.#becameQuiet();
  }

  #closeImage(done: Done): void {
    const stack = this.#stack;
    this.#stack = undefined;
    if (stack) stack.close(done);
    else done(0);
  }

  #closed(result: number): void {
    this.#queue.shut();
    this.#phase = 'closed';
    this.#name = '';
    const waiters = this.#closeWaiters;
    this.#closeWaiters = [];
    for (const done of waiters) done(result);
    for (const listener of this.#closedListeners) listener();
  }
}

const openPhases: ReadonlySet<VbdPhase> = new Set<VbdPhase>(['running', 'pausing', 'paused', 'resuming']);
