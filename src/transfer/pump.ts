// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import type { Posix } from '../posix/posix.js';
import { AwaitedEvent } from '../scheduler/awaited-event.js';
import { POLL_READ_FD, POLL_WRITE_FD, TIMEOUT } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';

/** How much one callback moves, so that other events get their turn. */
export const PUMP_BUFFER_BYTES = 256 * 1024;

/** What is done to the bytes on their way. A piece that is pushed is read before `data` is called again. */
export interface PumpFilter {
  begin(push: (piece: Uint8Array) => void): void;
  /** @returns false when the bytes are not to be accepted */
  data(chunk: Uint8Array, push: (piece: Uint8Array) => void): boolean;
  end(push: (piece: Uint8Array) => void): void;
}

/** Why a pump has stopped before the end; `errno` is negative. */
export interface PumpFault {
  readonly where: 'source' | 'sink' | 'filter' | 'idle';
  readonly errno: number;
}

export interface PumpOptions {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
  readonly source: number;
  readonly sink: number;
  readonly filter: PumpFilter;
  /** Which end is given up when it moves no byte for `idleSeconds` (up to 1 s more; 0: never). */
  readonly idle?: { readonly where: 'source' | 'sink'; readonly seconds: number };
  /** Called with the end that the pump waits for from now on. */
  readonly onTurn?: (end: 'source' | 'sink') => void;
  /** The source has ended, and all of it has been written. */
  readonly onEnd: () => void;
  readonly onFault: (fault: PumpFault) => void;
}

/** The timeout of an event that is to give an end up after so many idle seconds; 0 for never. */
export function idleTimeout(idleSeconds: number): number {
  // A timeout in whole seconds is due up to a second early: one more keeps the promised time whole.
  return idleSeconds > 0 ? idleSeconds + 1 : 0;
}

/**
 * Moves bytes from one descriptor to another as fast as the slower one goes.
 *
 *     filling (READ on the source) --bytes--> emptying (WRITE on the sink) --all written--> filling
 *        \--end of file--> emptying the last of it --> ended
 *     any --fault, stop--> ended
 *
 * Nothing is read while anything waits to be written, and one callback moves {@link PUMP_BUFFER_BYTES} and a piece at most.
 * Where the operating system can, bytes go through without being copied.
 */
export class Pump {
  readonly #options: PumpOptions;
  /** Only where bytes have to be copied. */
  #buffer: Uint8Array | undefined;
  readonly #pieces: Uint8Array[] = [];
  #state: 'idle' | 'filling' | 'emptying' | 'ended' = 'idle';
  #sourceEnded = false;
  readonly #event: AwaitedEvent;
  readonly #push = (piece: Uint8Array): void => {
    this.#pieces.push(piece);
  };

  constructor(options: PumpOptions) {
    this.#options = options;
    this.#event = new AwaitedEvent(options.registrar);
  }

  start(): void {
    this.#options.filter.begin(this.#push);
    if (this.#pieces.length > 0) this.#become('emptying');
    else this.#become('filling');
  }

  /** Lets go of both descriptors, which stay open. No callback is called. Idempotent. */
  stop(): void {
    this.#become('ended');
  }

  #fill(): void {
    const { filter } = this.#options;
    // What has come is handed on together. A buffer is read into again, and so is emptied each time.
    for (let room = PUMP_BUFFER_BYTES; room > 0 && !this.#sourceEnded;) {
      const bytes = this.#take();
      if (bytes === -errno.EAGAIN) break;
      if (typeof bytes !== 'number') {
        room -= this.#buffer === undefined ? bytes.length : room;
        if (!filter.data(bytes, this.#push)) return this.#fault('filter', -errno.EPROTO);
      } else if (bytes < 0) {
        return this.#fault('source', bytes);
      } else {
        this.#sourceEnded = true;
        filter.end(this.#push);
      }
    }
    return this.#empty();
  }

  /** What has come, 0 at the end, or a negative errno. */
  #take(): Uint8Array | number {
    const { posix, source } = this.#options;
    const taken = this.#buffer === undefined ? posix.take?.(source) : undefined;
    if (taken !== undefined && taken !== -errno.EOPNOTSUPP) return taken;
    this.#buffer ??= new Uint8Array(PUMP_BUFFER_BYTES);
    const count = posix.read(source, this.#buffer);
    return count > 0 ? this.#buffer.subarray(0, count) : count;
  }

  #empty(): void {
    const sent = this.#send();
    if (sent === -errno.EAGAIN) return this.#become('emptying');
    if (sent < 0) return this.#fault('sink', sent);
    if (!this.#sourceEnded) return this.#become('filling');
    this.#become('ended');
    return this.#options.onEnd();
  }

  /** Hands the sink what waits. Returns 0 or more once it has all of it, or a negative errno. */
  #send(): number {
    const { posix, sink } = this.#options;
    // A buffer that is read into again cannot be left to the sink.
    const sent = this.#buffer === undefined && this.#pieces.length > 0 ? this.#sendAll() : -errno.EOPNOTSUPP;
    if (sent !== -errno.EOPNOTSUPP) return sent;
    // A file takes few large pieces in less time than many small ones: what is left for it is collected in a buffer.
    if (this.#pieces.length > 0) this.#buffer ??= new Uint8Array(PUMP_BUFFER_BYTES);
    for (let piece = this.#pieces[0]; piece !== undefined; piece = this.#pieces[0]) {
      const count = posix.write(sink, piece);
      if (count < 0) return count;
      if (count < piece.length) this.#pieces[0] = piece.subarray(count);
      else this.#pieces.shift();
    }
    return 0;
  }

  #sendAll(): number {
    const { posix, sink } = this.#options;
    const sent = posix.send?.(sink, this.#pieces, () => {}) ?? -errno.EOPNOTSUPP;
    if (sent >= 0) this.#pieces.length = 0;
    return sent;
  }

  #become(state: 'filling' | 'emptying' | 'ended'): void {
    if (this.#state === state || this.#state === 'ended') return;
    const { source, sink, idle, onTurn } = this.#options;
    this.#event.clear();
    this.#state = state;
    if (state === 'ended') return;
    const [where, fd, mode] =
      state === 'filling'
        ? (['source', source, POLL_READ_FD] as const)
        : (['sink', sink, POLL_WRITE_FD] as const);
    onTurn?.(where);
    const seconds = idle?.where === where ? idleTimeout(idle.seconds) : 0;
    const result = this.#event.setWithin(mode, fd, seconds, (fired) => {
      if (fired === TIMEOUT) this.#fault('idle', -errno.ETIMEDOUT);
      else if (state === 'filling') this.#fill();
      else this.#empty();
    });
    if (result < 0) this.#fault(where, result);
  }

  #fault(where: PumpFault['where'], error: number): void {
    this.stop();
    this.#options.onFault({ where, errno: error });
  }
}
