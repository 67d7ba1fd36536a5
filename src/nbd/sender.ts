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

/** Larger ones are not copied for that, where the operating system can send them as they are. */
const DIRECT_BYTES = 16 << 10;

interface Piece {
  /** What is not sent of it. */
  bytes: Uint8Array;
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
    for (let [first] = this.#pieces; first; [first] = this.#pieces) {
      const direct = this.#sendDirectly(first);
      const taken = direct === -errno.EOPNOTSUPP ? this.#posix.write(this.#fd, this.#next(first)) : direct;
      if (taken === -errno.EAGAIN) {
        this.#awaitRoom();
        return;
      }
      if (taken < 0) {
        this.#fail(taken);
        return;
      }
      if (taken !== direct) this.#advance(taken);
    }
    this.#event.clear();
  }

  /** Drops what is queued. The descriptor stays as it is. */
  close(): void {
    this.#closed = true;
    const dropped = this.#pieces;
    this.#pieces = [];
    this.#pendingBytes = 0;
    this.#event.clear();
    for (const piece of dropped) piece.dropped?.();
  }

  /** Hands over a large piece as it is, with a small one before it. Returns as posix.send does; none of it is queued any more. */
  #sendDirectly(first: Piece): number {
    const large = first.bytes.length >= DIRECT_BYTES ? first : this.#pieces[1];
    // The small one's completion would come too early.
    const isMeant = large && large.bytes.length >= DIRECT_BYTES && (large === first || !first.sent);
    if (!isMeant || this.#posix.send === undefined) return -errno.EOPNOTSUPP;
    const parts = large === first ? [large.bytes] : [first.bytes, large.bytes];
    const taken = this.#posix.send(this.#fd, parts, (isLost) => {
      if (isLost && !this.#closed) this.#fail(-errno.EPIPE);
      if (isLost) large.dropped?.();
      else large.sent?.();
    });
    if (taken >= 0) {
      this.#pendingBytes -= taken;
      this.#pieces.splice(0, parts.length);
    }
    return taken;
  }

  /** The next bytes to send: the rest of a large piece, or as much of small ones as goes together. */
  #next(first: Piece): Uint8Array {
    if (first.bytes.length >= GATHER_BYTES || this.#pieces.length === 1) return first.bytes;
    this.#gathered ??= this.#pool.take(GATHER_BYTES);
    const gathered = this.#gathered;
    let length = 0;
    for (const { bytes } of this.#pieces) {
      if (length === GATHER_BYTES) break;
      const part = bytes.subarray(0, GATHER_BYTES - length);
      this.#pool.copy(gathered, part, length);
      length += part.length;
    }
    return gathered.subarray(0, length);
  }

  #advance(taken: number): void {
    this.#pendingBytes -= taken;
    let left = taken;
    let count = 0;
    for (const piece of this.#pieces) {
      if (left < piece.bytes.length) {
        piece.bytes = piece.bytes.subarray(left);
        break;
      }
      left -= piece.bytes.length;
      count++;
    }
    // A completion may queue more and flush: by then what was taken is forgotten.
    for (const piece of this.#pieces.splice(0, count)) piece.sent?.();
  }

  #awaitRoom(): void {
    if (this.#event.isSet) return;
    const result = this.#event.set(POLL_WRITE_FD, this.#fd, 0, () => this.flush());
    if (result === 0) return;
    this.#fail(result);
  }

  /** The owner knows before callers know that pieces are dropped: what these would go on with is not begun then. */
  #fail(error: number): void {
    this.#closed = true;
    this.#onError(error);
    this.close();
  }
}
