// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { ByteRing } from './byte-ring.js';
import type { SegmentKind } from './segment.js';

/** A piece of a stream to be put on the wire: bytes, or the end of file. */
export interface Piece {
  readonly kind: 'DATA' | 'FIN';
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** What comes of a stream: one of its pieces, or a segment of another kind, which has no bytes and adds nothing. */
type Arrival = Omit<Piece, 'kind'> & { readonly kind: SegmentKind };

const NO_BYTES = new Uint8Array(0);

/**
 * The sending half of an endpoint: bytes stay until they are acknowledged, so that they can be sent again.
 *
 *     start ≤ acknowledged  …  sent  …  end     (+ 1 for the end of file)
 *             may be sent again   not sent yet; up to windowEnd they may be
 */
export class SendHalf {
  readonly #ring: ByteRing;
  #acknowledged = 0;
  #sent = 0;
  #windowEnd = 0;
  #isShut = false;

  constructor(limit: number) {
    this.#ring = new ByteRing(limit);
  }

  get room(): number {
    return this.#ring.room;
  }

  /** The writer has said that nothing follows. */
  get isShut(): boolean {
    return this.#isShut;
  }

  /** Every byte that was taken has arrived. */
  get isFlushed(): boolean {
    return this.#acknowledged >= this.#ring.end;
  }

  /** The peer has the end of file. */
  get isFinished(): boolean {
    return this.#isShut && this.#acknowledged > this.#ring.end;
  }

  /** Something was sent that the peer has not acknowledged yet, or waits for the peer to have room. */
  get isWaiting(): boolean {
    return this.#sent > this.#acknowledged || this.#sent < this.#ring.end;
  }

  /** Nothing is under way, as the peer has no room for what is to be sent next. */
  get isBlocked(): boolean {
    return this.#sent === this.#acknowledged && this.#sent < this.#ring.end;
  }

  append(bytes: Uint8Array): number {
    return this.#ring.append(bytes);
  }

  shut(): void {
    this.#isShut = true;
  }

  /** Takes in what the peer has and what it has room for. True when it has more than before. */
  acknowledge(position: number, windowEnd: number): boolean {
    this.#windowEnd = Math.max(this.#windowEnd, windowEnd);
    if (position <= this.#acknowledged) return false;
    this.#acknowledged = position;
    this.#sent = Math.max(this.#sent, position);
    this.#ring.discard(position);
    return true;
  }

  /** What can be sent now, of at most `size` bytes; undefined when there is nothing, or the peer has no room. */
  next(size: number): Piece | undefined {
    const position = this.#sent;
    const count = Math.min(size, this.#ring.end - position, this.#windowEnd - position);
    if (count > 0) {
      const bytes = new Uint8Array(count);
      this.#ring.copy(position, bytes);
      this.#sent += count;
      return { kind: 'DATA', position, bytes };
    }
    if (!this.#isShut || position !== this.#ring.end) return undefined;
    this.#sent += 1;
    return { kind: 'FIN', position, bytes: NO_BYTES };
  }

  /** Sends everything again that was not acknowledged. */
  rewind(): void {
    this.#sent = this.#acknowledged;
  }

  /** A piece without bytes: its answer says what room the peer has. */
  probe(): Piece {
    return { kind: 'DATA', position: this.#acknowledged, bytes: NO_BYTES };
  }
}

/** The receiving half of an endpoint: bytes in order, waiting to be read. */
export class ReceiveHalf {
  readonly #ring: ByteRing;
  #advertised: number;
  #isEnded = false;
  #isDiscarding = false;

  constructor(limit: number) {
    this.#ring = new ByteRing(limit);
    this.#advertised = limit;
  }

  /** Bytes that can be read. */
  get length(): number {
    return this.#ring.length;
  }

  /** The end of file has come, after the bytes that can be read. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** The position up to which everything has come; the end of file counts as one. */
  get acknowledged(): number {
    return this.#ring.end + (this.#isEnded ? 1 : 0);
  }

  /** The position up to which there is room; the caller reports it to the peer. */
  advertise(): number {
    this.#advertised = this.#ring.start + this.#ring.limit;
    return this.#advertised;
  }

  /** Takes a piece in. Pieces that came before are passed over, as are those after a gap. */
  accept(piece: Arrival): void {
    if (this.#isEnded || piece.position > this.#ring.end) return;
    const fresh = piece.bytes.subarray(this.#ring.end - piece.position);
    this.#ring.append(fresh);
    if (this.#isDiscarding) this.#ring.discard(this.#ring.end);
    if (piece.kind === 'FIN') this.#isEnded = true;
  }

  /** Whether a piece has bytes that did not come before. */
  isFresh({ position, bytes }: Arrival): boolean {
    return bytes.length > Math.max(0, this.#ring.end - position);
  }

  /** Copies bytes out and forgets them. */
  read(target: Uint8Array): number {
    const count = this.#ring.copy(this.#ring.start, target);
    this.#ring.discard(this.#ring.start + count);
    return count;
  }

  /** Drops what is there and what comes. */
  discard(): void {
    this.#isDiscarding = true;
    this.#ring.discard(this.#ring.end);
  }

  /** Whether new room is to be reported to the peer: half the buffer, so that it does not send in crumbs. */
  get hasNewsOfRoom(): boolean {
    const news = this.#ring.start + this.#ring.limit - this.#advertised;
    return 2 * news >= this.#ring.limit;
  }
}
