// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createHash } from 'node:crypto';
import type { Meter } from './meter.js';
import type { PumpFilter } from './pump.js';
import { type Digest, HEADER, parseTrailer, TRAILER_BYTES } from './wire.js';

/** How a stream of a primary has ended. */
export type Ending =
  /** `checked`: the primary has said what the image comes to, and it does. */
  | ({ readonly kind: 'complete'; readonly checked: boolean } & Digest)
  /** Not a byte came: a port scan, a health check. It is no image, so that it replaces none. */
  | { readonly kind: 'nothing' }
  /** The end is missing, or is not the end of what was received. */
  | { readonly kind: 'broken'; readonly reason: string };

export interface ImageReaderOptions {
  /** Whether an image without a frame is accepted. */
  readonly acceptsRaw: boolean;
  /** A larger image is not accepted; unless given, any size is. */
  readonly maxBytes?: number;
}

/**
 * The backup's side of the stream: takes the image out of its frame, if it has one, and counts and hashes it.
 *
 *     undecided --the header--> framed
 *         \------anything else--> raw
 */
export class ImageReader implements PumpFilter {
  readonly #hash = createHash('sha256');
  readonly #meter: Meter;
  readonly #acceptsRaw: boolean;
  readonly #maxBytes: number;
  #mode: 'undecided' | 'framed' | 'raw' = 'undecided';
  /** What may be a part of the header, or of the trailer: at most as long as these. */
  #held: Buffer = Buffer.alloc(0);
  #ending: Ending | undefined;
  #refused: 'raw' | 'size' | undefined;

  constructor(meter: Meter, { acceptsRaw, maxBytes = Infinity }: ImageReaderOptions) {
    this.#meter = meter;
    this.#acceptsRaw = acceptsRaw;
    this.#maxBytes = maxBytes;
  }

  /** How the stream has ended; undefined before its end. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Why `data` has returned false. */
  get refused(): 'raw' | 'size' | undefined {
    return this.#refused;
  }

  begin(): void {}

  /** @returns false when the stream is not to be accepted */
  data(chunk: Uint8Array, push: (piece: Uint8Array) => void): boolean {
    if (this.#mode !== 'undecided') {
      this.#image(chunk, push);
      return this.#refused === undefined;
    }
    const start = Buffer.concat([this.#held, chunk]);
    const compared = Math.min(start.length, HEADER.length);
    if (start.compare(HEADER, 0, compared, 0, compared) !== 0) this.#mode = 'raw';
    else if (start.length >= HEADER.length) this.#mode = 'framed';
    if (this.#mode === 'raw' && !this.#acceptsRaw) this.#refused = 'raw';
    if (this.#mode === 'undecided') this.#held = start;
    else if (this.#refused === undefined) {
      this.#held = Buffer.alloc(0);
      this.#image(this.#mode === 'framed' ? start.subarray(HEADER.length) : start, push);
    }
    return this.#refused === undefined;
  }

  end(): void {
    const digest = { bytes: this.#meter.bytes, sha256: this.#hash.digest('hex') };
    if (this.#mode === 'raw') this.#ending = { kind: 'complete', checked: false, ...digest };
    else if (this.#mode === 'undecided' && this.#held.length === 0) this.#ending = { kind: 'nothing' };
    else this.#ending = this.#framedEnding(digest);
  }

  #image(chunk: Uint8Array, push: (piece: Uint8Array) => void): void {
    if (this.#mode === 'raw') return this.#release(chunk, push);
    // The last bytes so far may be the trailer: they wait until it is known that they are not.
    const excess = this.#held.length + chunk.length - TRAILER_BYTES;
    const fromHeld = Math.max(0, Math.min(excess, this.#held.length));
    const fromChunk = Math.max(0, excess - fromHeld);
    this.#release(this.#held.subarray(0, fromHeld), push);
    this.#release(chunk.subarray(0, fromChunk), push);
    this.#held = Buffer.concat([this.#held.subarray(fromHeld), chunk.subarray(fromChunk)]);
    return undefined;
  }

  #release(piece: Uint8Array, push: (piece: Uint8Array) => void): void {
    if (piece.length === 0 || this.#refused !== undefined) return;
    if (this.#meter.bytes + piece.length > this.#maxBytes) {
      this.#refused = 'size';
      return;
    }
    this.#hash.update(piece);
    this.#meter.add(piece.length);
    push(piece);
  }

  #framedEnding(received: Digest): Ending {
    const said = parseTrailer(this.#held);
    if (said === undefined) return { kind: 'broken', reason: 'the stream ended before the image did' };
    if (said.bytes !== received.bytes || said.sha256 !== received.sha256) {
      return { kind: 'broken', reason: 'what arrived is not what was sent' };
    }
    return { kind: 'complete', checked: true, ...received };
  }
}
