// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BufferPool } from '../../src/posix/buffers.js';

/** A pool of which is known what is taken. */
export class CountedPool implements BufferPool<Buffer> {
  readonly taken = new Set<Buffer>();

  take(length: number): Buffer {
    const buffer = Buffer.alloc(length);
    this.taken.add(buffer);
    return buffer;
  }
  give(buffer: Buffer): void {
    if (!this.taken.delete(buffer)) throw new Error('given back, and not taken');
  }
  copy(target: Uint8Array, source: Uint8Array, at: number): void {
    target.set(source, at);
  }
}
