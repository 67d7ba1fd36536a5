// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import type { BufferPool } from '../posix/buffers.js';
import { sharedBuffers } from '../posix/node/shared-buffers.js';
import type { Posix } from '../posix/posix.js';
import { AwaitedEvent } from '../scheduler/awaited-event.js';
import { POLL_WRITE_FD } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';

/** Pieces below this size are put together, so that small messages cost few calls. */
const GATHER_BYTES = 64 << 10;
const nothing = Buffer.alloc(0);

/** Larger ones are not copied for that, where the operating system can send them as they are. */
const DIRECT_BYTES = 16 << 10;

interface Piece {
  readonly bytes: Uint8Array;
  readonly sent: (() => void) | undefined;
  readonly dropped: (() => void) | undefined;
}

/**
 * Sends to a descriptor what is queued, in order, as fast as the peer takes it. It never waits: what the descriptor does not
 * take goes out through WRITE events. Its queue has no bound of its own; callers look at {@link pendingBytes}, or at
 * `sent`.
 */
export class Sender {
  readonly #posix: Posix;
  readonly #fd: number;
  readonly #onError: (error: number) => void;
  #pool: BufferPool<Buffer> = sharedBuffers;
  /** Taken from the pool while it is sent from. */
  #gathered: Buffer | undefined;
  #pieces: Piece[] = [];
  #first = 0;
  /** Bytes of the first piece that are sent. */
  #offset = 0;
  #pendingBytes = 0;
  readonly #event: AwaitedEvent;
  #closed = false;

  /** `onError` gets the negative errno once; nothing is sent after it. */
  constructor(registrar: EventRegistrar, posix: Posix, fd: number, onError: (error: number) => void) {
    this.#event = new AwaitedEvent(registrar, 'NBD, replies');
    this.#posix = posix;
    this.#fd = fd;
    this.#onError = onError;
  }

  /** Bytes queued that the descriptor has not taken. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Whether the descriptor took all that it was handed. */
  get isClear(): boolean {
    return !this.#event.isSet;
  }

  /** Whether nothing that is queued will be sent any more. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Most of what is sent is of this pool from now on. */
  usePool(pool: BufferPool<Buffer>): void {
    this.#pool = pool;
  }

  /**
   * Queues `bytes`, which must not change until one of these is called: `sent`, when the descriptor has taken them, or
   * `dropped`, when the sender was closed before.
   */
  queue(bytes: Uint8Array, sent?: () => void, dropped?: () => void): void {
    if (this.#closed) {
      dropped?.();
      return;
    }
    this.#pieces.push({ bytes, sent, dropped });
    this.#pendingBytes += bytes.length;
  }

  /** Hands the descriptor what it takes. */
  flush(): void {
    this.#flush();
    if (this.#gathered) this.#pool.give(this.#gathered);
    this.#gathered = undefined;
  }

  #flush(): void {
    while (!this.#closed && this.#first < this.#pieces.length) {
      const direct = this.#sendDirectly();
      const taken = direct === -errno.EOPNOTSUPP ? this.#posix.write(this.#fd, this.#next()) : direct;
      if (taken === -errno.EAGAIN) {
        this.#awaitRoom();
        return;
      }
      if (taken < 0) {
        this.close();
        this.#onError(taken);
        return;
      }
      if (taken !== direct) this.#advance(taken);
    }
    this.#event.clear();
  }

  /** Drops what is queued. The descriptor stays as it is. */
  close(): void {
    this.#closed = true;
    const dropped = this.#pieces.slice(this.#first);
    this.#pieces = [];
    this.#pendingBytes = 0;
    this.#event.clear();
    for (const piece of dropped) piece.dropped?.();
  }

  /** Hands over a large piece as it is, with a small one before it. Returns as posix.send does; none of it is queued any more. */
  #sendDirectly(): number {
    const first = this.#pieces[this.#first];
    if (this.#posix.send === undefined || first === undefined || this.#offset > 0) return -errno.EOPNOTSUPP;
    const second = this.#pieces[this.#first + 1];
    const large = first.bytes.length >= DIRECT_BYTES ? first : second;
    // The small one's completion would come too early.
    const isMeant = large && large.bytes.length >= DIRECT_BYTES && (large === first || !first.sent);
    if (!isMeant) return -errno.EOPNOTSUPP;
    const parts = large === first ? [large.bytes] : [first.bytes, large.bytes];
    const taken = this.#posix.send(this.#fd, parts, () => large.sent?.());
    if (taken >= 0) {
      this.#pendingBytes -= taken;
      this.#first += parts.length;
      this.#forgetSent();
    }
    return taken;
  }

  /** The next bytes to send: the rest of a large piece, or as much of small ones as goes together. */
  #next(): Uint8Array {
    const first = this.#rest(this.#first);
    if (first.length >= GATHER_BYTES || this.#first + 1 === this.#pieces.length) return first;
    this.#gathered ??= this.#pool.take(GATHER_BYTES);
    const gathered = this.#gathered;
    let length = 0;
    for (let index = this.#first; index < this.#pieces.length && length < GATHER_BYTES; index++) {
      const rest = this.#rest(index);
      const part = rest.length > GATHER_BYTES - length ? rest.subarray(0, GATHER_BYTES - length) : rest;
      this.#pool.copy(gathered, part, length);
      length += part.length;
    }
    return gathered.subarray(0, length);
  }

  #rest(index: number): Uint8Array {
    const bytes = this.#pieces[index]?.bytes ?? nothing;
    return index === this.#first && this.#offset > 0 ? bytes.subarray(this.#offset) : bytes;
  }

  #advance(taken: number): void {
    this.#pendingBytes -= taken;
    let left = this.#offset + taken;
    for (
      let piece = this.#pieces[this.#first];
      piece && left >= piece.bytes.length;
      piece = this.#pieces[this.#first]
    ) {
      left -= piece.bytes.length;
      this.#first++;
      this.#offset = 0;
      piece.sent?.();
      // A completion may have closed this.
      if (this.#closed) return;
    }
    this.#offset = left;
    this.#forgetSent();
  }

  #forgetSent(): void {
    if (this.#first === this.#pieces.length) {
      this.#pieces = [];
      this.#first = 0;
    } else if (this.#first > 1024) {
      this.#pieces = this.#pieces.slice(this.#first);
      this.#first = 0;
    }
  }

  #awaitRoom(): void {
    if (this.#event.isSet) return;
    const result = this.#event.set(POLL_WRITE_FD, this.#fd, 0, () => this.flush());
    if (result === 0) return;
    this.close();
    this.#onError(result);
  }
}
