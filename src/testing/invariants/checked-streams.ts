// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Violations } from './violations.js';

/** A stream begins with its number, four bytes, little-endian. */
const HEADER_BYTES = 4;

/** The byte at a position of a stream: its number, then bytes that no other stream or position repeats regularly. */
function byteAt(stream: number, position: number): number {
  if (position < HEADER_BYTES) return (stream >>> (8 * position)) & 0xff;
  let word = Math.imul(position ^ Math.imul(stream, 0x9e3779b1), 0x85ebca6b);
  word ^= word >>> 13;
  return (Math.imul(word, 0xc2b2ae35) >>> 24) & 0xff;
}

/** What one side of a connection sends. */
export class OutgoingStream {
  #taken = 0;

  readonly number: number;
  /** The sender, for example a host's name. */
  readonly sender: string;

  constructor(number: number, sender: string) {
    this.number = number;
    this.sender = sender;
  }

  /** How many bytes write has taken. */
  get taken(): number {
    return this.#taken;
  }

  /** The next bytes to be written. */
  next(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let index = 0; index < count; index++) bytes[index] = byteAt(this.number, this.#taken + index);
    return bytes;
  }

  /** Write has taken so many of them. */
  took(count: number): void {
    this.#taken += count;
  }
}

/** What one side of a connection receives: whose stream it is turns out with its first bytes. */
export class IncomingStream {
  readonly #streams: CheckedStreams;
  readonly #receiver: string;
  readonly #header: number[] = [];
  #source: OutgoingStream | undefined;
  #received = 0;
  #isBroken = false;

  constructor(streams: CheckedStreams, receiver: string) {
    this.#streams = streams;
    this.#receiver = receiver;
  }

  /** The stream it turned out to be; undefined before its number has come. */
  get source(): OutgoingStream | undefined {
    return this.#source;
  }

  /** How many bytes have come. */
  get received(): number {
    return this.#received;
  }

  /** Checks that these bytes are the ones that were sent, at their places. */
  receive(bytes: Uint8Array): void {
    let index = 0;
    while (index < bytes.length && this.#received < HEADER_BYTES) {
      this.#header.push(bytes[index++] as number);
      this.#received += 1;
      if (this.#header.length === HEADER_BYTES) this.#identify();
    }
    if (this.#source !== undefined && !this.#isBroken) this.#check(this.#source, bytes.subarray(index));
  }

  /** Checks that nothing is missing at the end of file; it cannot be known for a stream that ends within its number. */
  end(): void {
    if (this.#isBroken || this.#source === undefined) return;
    const { taken } = this.#source;
    if (this.#received !== taken) this.#break(`ends after ${this.#received} bytes; ${taken} were written`);
  }

  #identify(): void {
    const number = this.#header.reduceRight((sum, byte) => sum * 256 + byte, 0);
    this.#source = this.#streams.claim(number);
    if (this.#source === undefined)
      this.#break(`has the number ${number}, which no stream has, or one that came before`);
  }

  #check(source: OutgoingStream, bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.#received >= source.taken)
        return this.#break(`has more than the ${source.taken} bytes that were written`);
      if (byte !== byteAt(source.number, this.#received))
        return this.#break(`has a wrong byte at ${this.#received}`);
      this.#received += 1;
    }
  }

  #break(what: string): void {
    this.#isBroken = true;
    this.#streams.violations.add(this.#receiver, `the stream it reads ${what}`);
  }
}

/** The streams of one world: every byte that arrives is the byte that was sent, in order, on one connection. */
export class CheckedStreams {
  readonly violations: Violations;
  readonly #unclaimed = new Map<number, OutgoingStream>();
  #numbers = 0;

  constructor(violations: Violations) {
    this.violations = violations;
  }

  outgoing(sender: string): OutgoingStream {
    const stream = new OutgoingStream(++this.#numbers, sender);
    this.#unclaimed.set(stream.number, stream);
    return stream;
  }

  incoming(receiver: string): IncomingStream {
    return new IncomingStream(this, receiver);
  }

  /** The stream with a number, once: it arrives at one place only. */
  claim(number: number): OutgoingStream | undefined {
    const stream = this.#unclaimed.get(number);
    this.#unclaimed.delete(number);
    return stream;
  }
}
