// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createHash } from 'node:crypto';
import type { Meter } from './meter.js';
import type { PumpFilter } from './pump.js';
import { type Digest, HEADER, trailer } from './wire.js';

export interface ImageWriterOptions {
  readonly raw: boolean;
  /** The image's size in bytes, where it is known before the end. */
  readonly size: number | undefined;
}

/**
 * The primary's side of the stream: counts and hashes the image, and, unless it is to go raw, frames it.
 *
 * An image that ends before its size has no end in the stream, so that nobody can take the part for the whole.
 */
export class ImageWriter implements PumpFilter {
  readonly #hash = createHash('sha256');
  readonly #meter: Meter;
  readonly #raw: boolean;
  readonly #size: number | undefined;
  #digest: Digest | undefined;

  constructor(meter: Meter, { raw, size }: ImageWriterOptions) {
    this.#meter = meter;
    this.#raw = raw;
    this.#size = size;
  }

  /** What the image came to; undefined before its end, and when that came too early. */
  get digest(): Digest | undefined {
    return this.#digest;
  }

  begin(push: (piece: Uint8Array) => void): void {
    if (!this.#raw) push(HEADER);
  }

  data(chunk: Uint8Array, push: (piece: Uint8Array) => void): true {
    this.#hash.update(chunk);
    this.#meter.add(chunk.length);
    push(chunk);
    return true;
  }

  end(push: (piece: Uint8Array) => void): void {
    if (this.#size !== undefined && this.#meter.bytes < this.#size) return;
    this.#digest = { bytes: this.#meter.bytes, sha256: this.#hash.digest('hex') };
    if (!this.#raw) push(trailer(this.#digest));
  }
}
