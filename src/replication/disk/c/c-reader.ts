// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../local-disk.js';
import { PausableInput } from '../wire/pausable-input.js';
import {
  CREQ,
  MAX_MESSAGE_BYTES,
  readWriteHeader,
  TAG_BYTES,
  WREQ,
  WRITE_HEADER_BYTES,
  type WriteHeader,
} from './c-message.js';

export interface CReaderParts {
  /** The disk's; what is not within is refused. */
  readonly sectors: number;
  /** A write; the bytes are the reader's again when it returns. */
  readonly write: (sector: number, bytes: Uint8Array) => void;
  readonly commit: () => void;
  /** Asked before each message; while it says so, what comes is kept. */
  readonly isPaused: () => boolean;
}

/** Takes a C primary's messages out of a stream. A tag that is not known is skipped, as in C. */
export class CReader {
  readonly #parts: CReaderParts;
  readonly #input: PausableInput;
  /** What has come of a message that is not complete. */
  readonly #partial = Buffer.alloc(MAX_MESSAGE_BYTES);
  #length = 0;
  #hasSpoken = false;

  constructor(parts: CReaderParts) {
    this.#parts = parts;
    this.#input = new PausableInput((bytes) => this.#next(bytes), parts.isPaused);
  }

  /** Whether a tag that is known has come: its sender speaks the C driver's protocol. */
  get hasSpoken(): boolean {
    return this.#hasSpoken;
  }
  /** Whether a message has begun and is not complete. */
  get isMidMessage(): boolean {
    return this.#length > 0;
  }
  /** Whether it is a write, and not only a part of a tag. */
  get isAfterTag(): boolean {
    return this.#length >= TAG_BYTES;
  }

  /** @throws ProtocolError */
  push(chunk: Uint8Array): void {
    this.#input.push(chunk);
  }

  /** Goes on with what was kept. @throws ProtocolError */
  resume(): void {
    this.#input.resume();
  }

  /** Takes bytes up to the end of a message at most; how many. */
  #next(bytes: Uint8Array): number {
    if (this.#length === 0) {
      const length = this.#needed(bytes);
      if (bytes.length >= length) {
        this.#message(bytes.subarray(0, length));
        return length;
      }
    }
    const partial = this.#partial;
    const taken = Math.min(this.#needed(partial.subarray(0, this.#length)) - this.#length, bytes.length);
    partial.set(bytes.subarray(0, taken), this.#length);
    this.#length += taken;
    const message = partial.subarray(0, this.#length);
    if (this.#length < this.#needed(message)) return taken;
    this.#length = 0;
    this.#message(message);
    return taken;
  }

  /** How long the message is that these bytes begin, as far as they say. */
  #needed(bytes: Uint8Array): number {
    if (bytes.length < TAG_BYTES || tagOf(bytes) !== WREQ) return TAG_BYTES;
    this.#hasSpoken = true;
    if (bytes.length < WRITE_HEADER_BYTES) return WRITE_HEADER_BYTES;
    return WRITE_HEADER_BYTES + this.#header(bytes).sectors * SECTOR_SIZE;
  }

  #header(bytes: Uint8Array): WriteHeader {
    return readWriteHeader(bytes, this.#parts.sectors);
  }

  #message(message: Uint8Array): void {
    const tag = tagOf(message);
    if (tag === CREQ) {
      this.#hasSpoken = true;
      this.#parts.commit();
    } else if (tag === WREQ) {
      const { sector, sectors } = this.#header(message);
      if (sectors > 0) this.#parts.write(sector, message.subarray(WRITE_HEADER_BYTES));
    }
  }
}

function tagOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}
