// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno, errnoCode } from '../posix/errno.js';
import { LOG_ERR, LOG_INFO } from '../server/logger.js';
import { BlockDevice } from './block-device.js';
import { ClientDevice } from './client-device.js';
import {
  bytesOf,
  type DiskInfo,
  type Done,
  type DoneWithReason,
  type Driver,
  type DriverContext,
  ESHUTDOWN,
  type OpenFlags,
  SECTOR_SIZE,
} from './driver.js';
import { completion } from './completion.js';
import { logThrown } from './driver-calls.js';
import { type RequestParts, VbdRequest } from './request.js';
import { RequestQueue } from './request-queue.js';
import { DriverStack, type DriverTypes } from './stack.js';
import { stateBits, type VbdPhase } from './state.js';
import { RequestCounters, type StatisticsSnapshot } from './statistics.js';

/** What a VBD works with, and its bounds. */
export interface VbdOptions {
  readonly context: DriverContext;
  readonly types: DriverTypes;
  /** How many requests a driver may have at once. */
  readonly maxInFlight: number;
  /** How many more may wait in the VBD; beyond, a request ends with -ENOMEM. Those who ask keep their own, lower bounds. */
  readonly maxWaiting: number;
  /** Called with the drivers of an image, the top one first, before they are opened. */
  readonly onOpening?: (vbd: Vbd, drivers: readonly Driver[]) => void;
}

/**
 * A virtual block device: a minor number, an image behind drivers, and the requests for it (C: td_vbd_t).
 *
 * The phases and the moves between them are drawn at {@link VbdPhase}.
 * Requests never cross a closing: each is answered, with -ESHUTDOWN if it came to nothing. A paused VBD keeps requests
 * until it is resumed.
 */
export class Vbd extends BlockDevice {
  readonly minor: number;
  readonly #options: VbdOptions;
  readonly #queue: RequestQueue;
  readonly #counters = new RequestCounters();
  #phase: VbdPhase = 'closed';
  #name = '';
  #flags: OpenFlags = { readOnly: false, shared: false };
  #stack: DriverStack | undefined;
  /** While it is being opened. */
  #opening: DriverStack | undefined;
  #info: DiskInfo = { sectors: 0, sectorSize: SECTOR_SIZE, info: 0 };
  #sequence = 0;
  #pauseWaiters: DoneWithReason[] = [];
  /** The image was closed for the pause with an error. */
  #hasClosedBadly = false;
  #closeWaiters: DoneWithReason[] = [];
  readonly #closedListeners = new Set<() => void>();

  constructor(minor: number, options: VbdOptions) {
    super();
    this.minor = minor;
    this.#options = options;
    this.#queue = new RequestQueue({
      registrar: options.context.registrar,
      maxInFlight: options.maxInFlight,
      onEnd: (request, result) => this.#counters.count(request, result, options.context.posix.clock.now()),
      onQuiet: () => this.#becameQuiet(),
      post: (task) => options.context.completions.post(task),
      onThrown: (error) => logThrown(options.context.logger, `vbd ${minor}`, error),
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
  override get isOpen(): boolean {
    return openPhases.has(this.#phase);
  }
  override get readOnly(): boolean {
    return this.#flags.readOnly;
  }
  override get info(): DiskInfo {
    return this.#info;
  }
  /** The drivers of its image, the top one first; none while it is closed. */
  get drivers(): readonly Driver[] {
    return this.#stack?.drivers ?? [];
  }
  override get canDiscard(): boolean {
    return this.#stack?.top.discard !== undefined;
  }

  /**
   * Opens an image.
   *
   * @throws (rejects with) SystemError: EALREADY unless closed, EINVAL for a name that is wrong, else the driver's
   */
  open(name: string, flags: OpenFlags): Promise<void> {
    return completion((done) => this.#open(name, flags, done));
  }

  /**
   * Fulfilled once no request is in flight and the image is closed; at once if it is paused already.
   *
   * @throws (rejects with) SystemError: EINVAL if not open, EAGAIN while resuming, else the driver's, and it is paused all the
   *   same; what was written since the last flush may be lost then, and the first flush after {@link resume} fails with EIO
   */
  pause(): Promise<void> {
    return completion((done) => this.#pause(done));
  }

  /**
   * Opens the image again, under another name if one is given.
   *
   * @throws (rejects with) SystemError: EINVAL unless paused, or for an image that is smaller than the disk was, else the
   *   driver's; it is still paused then, under the old name
   */
  resume(name?: string): Promise<void> {
    return completion((done) => this.#resume(name, done));
  }

  /**
   * Takes the size that the image has by now, without a pause.
   *
   * @returns the disk's measures
   * @throws (rejects with) SystemError: EINVAL unless running, or when the image has become smaller; EOPNOTSUPP when its driver
   *   cannot; else the driver's; the size is as before then
   */
  async resize(): Promise<DiskInfo> {
    await completion((done) => this.#resize(done));
    return this.#info;
  }

  /**
   * Closes the image; at once if it is closed already.
   *
   * @throws (rejects with) SystemError: EAGAIN while requests are pending or it opens, pauses or resumes: to be repeated;
   *   those that are pending go on, new ones are refused from then on, and it closes by itself after the last one. EINVAL
   *   when it was detached; else the driver's, and it is closed all the same
   */
  close(): Promise<void> {
    return completion((done) => this.#close(done));
  }

  /** Ends an opening that is under way soon, with ECANCELED unless it was done; see {@link Driver.abortOpen}. */
  abortOpen(): void {
    this.#opening?.abortOpen();
  }

  #open(name: string, flags: OpenFlags, done: DoneWithReason): void {
    if (this.#phase !== 'closed') {
      if (this.#phase === 'dead') done(-errno.EINVAL, this.#is('detached'));
      else done(-errno.EALREADY, this.#is(`${this.#phase} already, with ${this.#name}`));
      return;
    }
    this.#phase = 'opening';
    this.#name = name;
    this.#flags = flags;
    this.#openImage(name, undefined, 0, (result, reason) => {
      if (result < 0) {
        this.#phase = 'closed';
        this.#name = '';
      }
      done(result, reason);
    });
  }

  #pause(done: DoneWithReason): void {
    switch (this.#phase) {
      case 'paused':
        return done(0);
      case 'resuming':
        return done(-errno.EAGAIN, this.#is('resuming: try again'));
      case 'running':
        this.#phase = 'pausing';
        this.#pauseWaiters.push(done);
        this.#queue.hold();
        this.#stack?.preClose();
        if (this.#queue.quiet) this.#becameQuiet();
        return undefined;
      case 'pausing':
        this.#pauseWaiters.push(done);
        return undefined;
      case 'closed':
      case 'opening':
      case 'draining':
      case 'closing':
      case 'dead':
        return done(-errno.EINVAL, this.#is(`${this.#phase}: only an open one can be paused`));
    }
  }

  #resume(name: string | undefined, done: DoneWithReason): void {
    if (this.#phase !== 'paused') {
      done(-errno.EINVAL, this.#is(`${this.#phase}: only a paused one can be resumed`));
      return;
    }
    this.#phase = 'resuming';
    const newName = name ? name : this.#name;
    // The same name finds the drivers as they were, so that a disk in memory keeps its content over a pause.
    const kept = newName === this.#name ? this.#stack : undefined;
    this.#openImage(newName, kept, this.sizeBytes, (result, reason) => {
      if (result < 0) this.#phase = 'paused';
      done(result, reason);
    });
  }

  #resize(done: DoneWithReason): void {
    const stack = this.#stack;
    if (this.#phase !== 'running' || !stack) {
      done(-errno.EINVAL, this.#is(`${this.#phase}: only a running one can be resized`));
      return;
    }
    stack.resize((result, reason) => {
      if (result < 0) return done(result, reason);
      // If it has been closed or paused meanwhile, the next opening finds the size.
      if (this.#phase !== 'running' || this.#stack !== stack) return done(-ESHUTDOWN);
      this.#info = stack.info;
      this.#options.context.logger.log(LOG_INFO, `vbd ${this.minor}: has ${this.#info.sectors} sectors now`);
      return done(0);
    });
  }

  #close(done: DoneWithReason): void {
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
        return done(-errno.EINVAL, this.#is('detached'));
      case 'opening':
      case 'pausing':
      case 'resuming':
        return done(-errno.EAGAIN, this.#is(`${this.#phase}: try again`));
    }
  }

  /** Ends a closed VBD for good: 0, or -EBUSY when it is not closed. */
  kill(): number {
    if (this.#phase !== 'closed') return -errno.EBUSY;
    this.#phase = 'dead';
    return 0;
  }

  /** Calls `listener` each time the VBD has closed; returns how to stop that. */
  onClosed(listener: () => void): () => void {
    this.#closedListeners.add(listener);
    return () => this.#closedListeners.delete(listener);
  }

  statistics(): StatisticsSnapshot {
    const { inFlight, waiting, retrying, retries } = this.#queue;
    return { kinds: this.#counters.snapshot(), inFlight, waiting, retrying, retries };
  }

  /** How long reads and writes took: the counts of their histogram, for `latencyQuantiles`. */
  latencyCounts(): Float64Array {
    return this.#counters.latencies.counts();
  }

  /** One line for dumps. */
  describe(): string {
    const { inFlight, waiting } = this.#queue;
    const image = this.#stack ? ` [${this.#stack.describe()}]` : '';
    return `vbd ${this.minor} ${this.#phase} '${this.#name}' ${inFlight} in flight, ${waiting} waiting${image}`;
  }

  override forClient(): BlockDevice {
    return new ClientDevice(this, this.order, (parts, done, client) => this.#enqueue(parts, done, client));
  }

  protected override enqueue(parts: RequestParts, done: Done): void {
    this.#enqueue(parts, done);
  }

  #enqueue(parts: RequestParts, done: Done, client?: object): void {
    if (this.#queue.waiting >= this.#options.maxWaiting) {
      done(-errno.ENOMEM);
      return;
    }
    const now = this.#options.context.posix.clock.now();
    this.#queue.submit(new VbdRequest(parts, this.#sequence++, now, done, client));
  }

  #is(what: string): string {
    return `minor ${this.minor} is ${what}`;
  }

  /**
   * Opens the stack that was kept, or else a new one by the name, and lets requests go.
   *
   * @param leastBytes -EINVAL for a smaller image: its users have this size, and may have requests waiting
   */
  #openImage(name: string, kept: DriverStack | undefined, leastBytes: number, done: DoneWithReason): void {
    const { types, context } = this.#options;
    const stack = kept ?? DriverStack.create(name, types, context);
    if (typeof stack === 'string') {
      done(-errno.EINVAL, stack);
      return;
    }
    this.#options.onOpening?.(this, stack.drivers);
    this.#opening = stack;
    stack.open(this.#flags, (result, reason) => {
      this.#opening = undefined;
      if (result < 0) {
        done(result, reason);
        return;
      }
      const bytes = bytesOf(stack.info);
      if (bytes < leastBytes) {
        const why = `it has ${bytes} bytes, fewer than the ${leastBytes} of the disk: a disk in use cannot shrink`;
        stack.close((...closed) => {
          this.#logUnclosed(name, ...closed);
          done(-errno.EINVAL, why);
        });
        return;
      }
      this.#stack = stack;
      this.#name = name;
      this.#info = stack.info;
      this.#phase = 'running';
      context.logger.log(LOG_INFO, `vbd ${this.minor}: opened ${name}, ${this.#info.sectors} sectors`);
      this.#queue.start(stack.top, this.#hasClosedBadly);
      done(result);
    });
  }

  /** The moves that wait for quiet: pausing, and draining. Both begin where there is an image. */
  #becameQuiet(): void {
    if (this.#phase === 'pausing') {
      this.#stack?.close((result, reason) => {
        this.#phase = 'paused';
        this.#hasClosedBadly = result < 0;
        const waiters = this.#pauseWaiters;
        this.#pauseWaiters = [];
        for (const done of waiters) done(result, reason);
      });
    } else if (this.#phase === 'draining') {
      this.#phase = 'closing';
      this.#stack?.close((result, reason) => this.#closed(result, reason));
    }
  }

  #closeWhenQuiet(done: DoneWithReason): void {
    if (!this.#queue.quiet) return done(-errno.EAGAIN, this.#is('busy with its last requests: try again'));
    this.#closeWaiters.push(done);
    return this.#becameQuiet();
  }

  #closed(result: number, reason?: string): void {
    const name = this.#name;
    this.#queue.shut();
    this.#phase = 'closed';
    this.#hasClosedBadly = false;
    this.#name = '';
    this.#stack = undefined;
    const waiters = this.#closeWaiters;
    this.#closeWaiters = [];
    if (waiters.length === 0) this.#logUnclosed(name, result, reason);
    for (const done of waiters) done(result, reason);
    for (const listener of this.#closedListeners) listener();
  }

  /** Logs an error of a close that is nobody's result. */
  #logUnclosed(name: string, result: number, reason = errnoCode(result)): void {
    if (result >= 0) return;
    this.#options.context.logger.log(LOG_ERR, `vbd ${this.minor}: closing ${name} failed: ${reason}`);
  }
}

const openPhases: ReadonlySet<VbdPhase> = new Set<VbdPhase>(['running', 'pausing', 'paused', 'resuming']);
