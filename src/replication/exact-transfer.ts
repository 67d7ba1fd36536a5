// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { whenAborted } from '../posix/when-aborted.js';
import { errno, errnoCode, strerror } from '../posix/errno.js';
import type { Descriptor, Posix } from '../posix/posix.js';
import { SystemError } from '../posix/system-error.js';
import { type EventId, POLL_READ_FD, POLL_WRITE_FD } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { deferred } from './deferred.js';
import { Timer } from './disk/timer.js';

/** What a transfer lives on: a TapdiskServer is one. It must be running. */
export interface TransferHost extends EventRegistrar {
  readonly posix: Pick<Posix, 'read' | 'write' | 'close' | 'timerfd' | 'timerfdSettime'>;
}

/** How long a transfer of an exact size may take, and what stops it. */
export interface ExactTransferOptions {
  /**
   * Seconds, with a fraction if need be, in which the whole transfer has to be done: a peer cannot put them off. They are on a
   * clock that only moves forward, and never over early. No limit unless given.
   */
  readonly deadlineSeconds?: number;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/**
 * Why a transfer ended before all of its bytes were moved. The code is `END_OF_FILE` when a read met the end of file, `ETIME`
 * when the deadline is over, `ABORT_ERR` when the signal was aborted, its reason being the `cause`; else the errno of read, write
 * or the registration of an event, EIO for a write that takes nothing.
 */
export class ExactTransferError extends SystemError {
  override readonly name = 'ExactTransferError';
  /** How many bytes were moved. 0 together with END_OF_FILE: the peer ended between two messages. */
  readonly bytesMoved: number;

  constructor(code: string, message: string, bytesMoved: number, options?: ErrorOptions) {
    super(code, message, options);
    this.bytesMoved = bytesMoved;
  }
}

/**
 * Reads exactly so many bytes, or fills a buffer exactly. At most one reads from a descriptor at a time, and it stays open
 * meanwhile: a descriptor that is to be closed has its transfer aborted first.
 *
 * @returns the bytes (the buffer, if one was given)
 * @throws (rejects with) {@link ExactTransferError}: the bytes that were read are in the buffer then; RangeError for a size that is
 *   not a whole number of bytes, or a deadline out of range
 */
export function readExactly(
  host: TransferHost,
  fd: Descriptor,
  target: number | Uint8Array,
  options: ExactTransferOptions = {},
): Promise<Uint8Array> {
  return start(host, 'read', fd, target, options);
}

/**
 * Writes all of the bytes, which must not change meanwhile. At most one writes to a descriptor at a time. Written means taken
 * by the operating system, not received by the peer.
 *
 * @throws (rejects with) as {@link readExactly} does
 */
export async function writeExactly(
  host: TransferHost,
  fd: Descriptor,
  bytes: Uint8Array,
  options: ExactTransferOptions = {},
): Promise<void> {
  await start(host, 'write', fd, bytes, options);
}

type Direction = 'read' | 'write';

async function start(
  host: TransferHost,
  direction: Direction,
  fd: Descriptor,
  target: number | Uint8Array,
  options: ExactTransferOptions,
): Promise<Uint8Array> {
  const { deadlineSeconds } = options;
  if (deadlineSeconds !== undefined && !(deadlineSeconds > 0 && deadlineSeconds < Infinity)) {
    throw new RangeError(`deadlineSeconds is ${deadlineSeconds}, but must be a number above 0`);
  }
  if (typeof target === 'number' && !(Number.isSafeInteger(target) && target >= 0)) {
    throw new RangeError(`the size is ${target}, but must be a whole number of bytes`);
  }
  const bytes = typeof target === 'number' ? new Uint8Array(target) : target;
  return new ExactTransfer(host, direction, fd, bytes, options).bytes;
}

/**
 *     moving --all moved--> done
 *     moving --end of file, error, deadline, abort--> failed
 *
 * Done and failed leave no event and no listener.
 */
class ExactTransfer {
  readonly bytes: Promise<Uint8Array>;
  readonly #host: TransferHost;
  readonly #direction: Direction;
  readonly #fd: Descriptor;
  readonly #buffer: Uint8Array;
  readonly #signal: AbortSignal | undefined;
  readonly #settle = deferred<Uint8Array>();
  #moved = 0;
  #ioId: EventId = -1;
  #deadline: Timer | undefined;
  #over = false;
  #forgetSignal = (): void => {};
  readonly #abort = (): void =>
    this.#fail('the transfer was aborted', 'ABORT_ERR', { cause: this.#signal?.reason });

  constructor(
    host: TransferHost,
    direction: Direction,
    fd: Descriptor,
    buffer: Uint8Array,
    { deadlineSeconds, signal }: ExactTransferOptions,
  ) {
    this.#host = host;
    this.#direction = direction;
    this.#fd = fd;
    this.#buffer = buffer;
    this.#signal = signal;
    this.bytes = this.#settle.promise;
    if (signal?.aborted) this.#abort();
    else this.#move();
    if (!this.#over) this.#wait(deadlineSeconds);
  }

  /** Moves what can be moved without waiting. */
  #move(): void {
    while (this.#moved < this.#buffer.length) {
      const rest = this.#buffer.subarray(this.#moved);
      const result = this.#host.posix[this.#direction](this.#fd, rest);
      if (result === -errno.EAGAIN) return;
      if (result === 0) return this.#stuck();
      if (result > 0) this.#moved += result;
      else if (result !== -errno.EINTR) return this.#failWith(result);
    }
    this.#end();
    this.#settle.resolve(this.#buffer);
  }

  #wait(deadlineSeconds: number | undefined): void {
    const mode = this.#direction === 'read' ? POLL_READ_FD : POLL_WRITE_FD;
    this.#ioId = this.#host.registerEvent(mode, this.#fd, 0, () => this.#move());
    if (this.#ioId < 0) return this.#failWith(this.#ioId);
    if (deadlineSeconds !== undefined && !this.#setDeadline(deadlineSeconds)) return;
    this.#forgetSignal = whenAborted(this.#signal, this.#abort);
  }

  /** Whether there is a timer for it; the transfer has failed otherwise. */
  #setDeadline(seconds: number): boolean {
    try {
      const host = { registrar: this.#host, posix: this.#host.posix };
      this.#deadline = new Timer(host, () => this.#fail('the deadline is over', 'ETIME'));
      this.#deadline.set(seconds);
      return true;
    } catch (error) {
      const { message, code } = error as Error & { code: string };
      this.#fail(message, code, { cause: error });
      return false;
    }
  }

  /** 0 bytes were moved, of at least one. */
  #stuck(): void {
    if (this.#direction === 'read') this.#fail('end of file', 'END_OF_FILE');
    else this.#failWith(-errno.EIO);
  }

  #failWith(error: number): void {
    this.#fail(strerror(-error), errnoCode(error));
  }

  #fail(why: string, code: string, options?: ErrorOptions): void {
    this.#end();
    const progress = `${this.#moved} of ${this.#buffer.length} bytes`;
    const message = `${this.#direction} of descriptor ${this.#fd} ended after ${progress}: ${why}`;
    this.#settle.reject(new ExactTransferError(code, message, this.#moved, options));
  }

  #end(): void {
    this.#over = true;
    if (this.#ioId >= 0) this.#host.unregisterEvent(this.#ioId);
    this.#deadline?.close();
    this.#forgetSignal();
  }
}
