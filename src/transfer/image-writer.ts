// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createHash } from 'node:crypto';
import type { Meter } from './meter.js';
import type { PumpFilter } from './pump.js';
import { type Digest, HEADER, trailer } from './wire.js';

/** The primary's side of the stream: counts and hashes the image, and, unless it is to go raw, frames it. */
export class ImageWriter implements PumpFilter {
  readonly #hash = createHash('sha256');
  readonly #meter: Meter;
  readonly #raw: boolean;
  #digest: Digest | undefined;

  constructor(meter: Meter, { raw }: { raw: boolean }) {
    this.#meter = meter;
    this.#raw = raw;
  }

  /** What the image came to; undefined before its end. */
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
    this.#digest = { bytes: this.#meter.bytes, sha256: this.#hash.digest('hex') };
    if (!this.#raw) push(trailer(this.#digest));
  }
}
