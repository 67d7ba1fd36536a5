// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import type { Posix } from '../posix/posix.js';
import { AwaitedEvent } from '../scheduler/awaited-event.js';
import { POLL_READ_FD, POLL_WRITE_FD, TIMEOUT } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';

/** How much is read before it is written: a bound on the memory of a pump. */
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
 * Nothing is read while anything waits to be written, and one callback moves one buffer at most, so that other events get
 * their turn.
 */
export class Pump {
  readonly #options: PumpOptions;
  readonly #buffer = new Uint8Array(PUMP_BUFFER_BYTES);
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
    const { posix, source, filter } = this.#options;
    const count = posix.read(source, this.#buffer);
    if (count === -errno.EAGAIN) return;
    if (count < 0) return this.#fault('source', count);
    if (count === 0) {
      this.#sourceEnded = true;
      filter.end(this.#push);
    } else if (!filter.data(this.#buffer.subarray(0, count), this.#push)) {
      return this.#fault('filter', -errno.EPROTO);
    }
    return this.#empty();
  }

  #empty(): void {
    const { posix, sink } = this.#options;
    for (let piece = this.#pieces[0]; piece !== undefined; piece = this.#pieces[0]) {
      const count = posix.write(sink, piece);
      if (count === -errno.EAGAIN) return this.#become('emptying');
      if (count < 0) return this.#fault('sink', count);
      if (count < piece.length) this.#pieces[0] = piece.subarray(count);
      else this.#pieces.shift();
    }
    if (!this.#sourceEnded) return this.#become('filling');
    this.#become('ended');
    return this.#options.onEnd();
  }

  #become(state: 'filling' | 'emptying' | 'ended'): void {
    if (this.#state === state || this.#state === 'ended') return;
    const { source, sink, idle } = this.#options;
    this.#event.clear();
    this.#state = state;
    if (state === 'ended') return;
    const [where, fd, mode] =
      state === 'filling'
        ? (['source', source, POLL_READ_FD] as const)
        : (['sink', sink, POLL_WRITE_FD] as const);
    const seconds = idle?.where === where ? idleTimeout(idle.seconds) : 0;
    const result = this.#event.set(seconds > 0 ? mode | TIMEOUT : mode, fd, seconds, (fired) => {
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
