// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/**
 * The bytes of a stream from one position on, up to a limit: a socket's send or receive buffer.
 * Positions count from the stream's first byte, 0. Memory is taken as it is needed.
 */
export class ByteRing {
  #bytes = new Uint8Array(0);
  #start = 0;
  #end = 0;

  readonly limit: number;

  /** @param limit how many bytes it holds at most, >= 1 */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** The position of the oldest byte it holds. */
  get start(): number {
    return this.#start;
  }

  /** The position of the next byte to come. */
  get end(): number {
    return this.#end;
  }

  get length(): number {
    return this.#end - this.#start;
  }

  get room(): number {
    return this.limit - this.length;
  }

  /** Copies as many bytes in as there is room for, and returns how many. */
  append(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.room);
    this.#reserve(this.length + count);
    const capacity = this.#bytes.length;
    const at = this.#end % capacity;
    const first = Math.min(count, capacity - at);
    this.#bytes.set(bytes.subarray(0, first), at);
    this.#bytes.set(bytes.subarray(first, count), 0);
    this.#end += count;
    return count;
  }

  /** Copies bytes out from `position` on, until `target` is full or they end, and returns how many. They stay. */
  copy(position: number, target: Uint8Array): number {
    const count = Math.min(target.length, this.#end - position);
    if (count <= 0) return 0;
    const capacity = this.#bytes.length;
    const at = position % capacity;
    const first = Math.min(count, capacity - at);
    target.set(this.#bytes.subarray(at, at + first), 0);
    target.set(this.#bytes.subarray(0, count - first), first);
    return count;
  }

  /** Forgets the bytes before `position`, which it has or has had. */
  discard(position: number): void {
    this.#start = Math.max(this.#start, Math.min(position, this.#end));
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    const kept = new Uint8Array(this.length);
    this.copy(this.#start, kept);
    this.#bytes = new Uint8Array(2 * length);
    this.#end = this.#start;
    this.append(kept);
  }
}
