// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Memory for the data of requests, used again: to allocate and clear a large buffer costs more than to fill it. */
export interface BufferPool<Bytes extends Uint8Array = Uint8Array> {
  /**
   * A buffer of `length` bytes. What it holds is left from an earlier use: its user fills it before it goes anywhere.
   */
  take(length: number): Bytes;
  /** Gives back what {@link take} returned, that same object. Nobody may use it any more. */
  give(buffer: Bytes): void;
  /** Copies `source` to `at` of `target`, as TypedArray's set does; quick where both are from here. They do not overlap. */
  copy(target: Uint8Array, source: Uint8Array, at: number): void;
}
