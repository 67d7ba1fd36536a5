// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  checkFrame,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  type FrameName,
  ProtocolError,
  readFrameHeader,
} from './frame.js';
import { PausableInput } from './pausable-input.js';

/** Takes frames out of a stream. */
export class FrameReader {
  readonly #take: (name: FrameName, body: Uint8Array, sequence: number) => void;
  readonly #input: PausableInput;
  /** What has come of a frame that is not complete. */
  #partial = Buffer.alloc(0);
  #partialLength = 0;
  #sequence = 0;

  /**
   * @param take is given each frame; the body is the reader's again when it returns
   * @param isPaused is asked before each frame; while it says so, what comes is kept
   */
  constructor(take: (name: FrameName, body: Uint8Array, sequence: number) => void, isPaused: () => boolean) {
    this.#take = take;
    this.#input = new PausableInput((bytes) => this.#next(bytes), isPaused);
  }

  /** Whether bytes of an incomplete frame, or of frames that were not taken, are kept. */
  get isMidMessage(): boolean {
    return this.#partialLength > 0 || this.#input.hasRest;
  }

  /** @throws ProtocolError */
  push(chunk: Uint8Array): void {
    this.#input.push(chunk);
  }

  /** Goes on with what was kept. @throws ProtocolError */
  resume(): void {
    this.#input.resume();
  }

  /** Takes bytes up to the end of a frame at most; how many. */
  #next(bytes: Uint8Array): number {
    if (this.#partialLength === 0 && bytes.length >= FRAME_HEADER_BYTES) {
      const header = this.#header(bytes);
      const length = FRAME_HEADER_BYTES + header.length;
      if (bytes.length >= length) {
        this.#frame(bytes, header, bytes.subarray(FRAME_HEADER_BYTES, length));
        return length;
      }
    }
    if (this.#partialLength < FRAME_HEADER_BYTES) {
      const taken = this.#keep(bytes, FRAME_HEADER_BYTES);
      if (this.#partialLength < FRAME_HEADER_BYTES || this.#header(this.#partial).length > 0) return taken;
      this.#whole(this.#header(this.#partial));
      return taken;
    }
    const header = this.#header(this.#partial);
    const taken = this.#keep(bytes, FRAME_HEADER_BYTES + header.length);
    if (this.#partialLength === FRAME_HEADER_BYTES + header.length) this.#whole(header);
    return taken;
  }

  /** Adds to what is kept, up to a length; how many bytes. */
  #keep(bytes: Uint8Array, length: number): number {
    if (this.#partial.length < length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, 4096));
      larger.set(this.#partial.subarray(0, this.#partialLength));
      this.#partial = larger;
    }
    const taken = Math.min(bytes.length, length - this.#partialLength);
    this.#partial.set(bytes.subarray(0, taken), this.#partialLength);
    this.#partialLength += taken;
    return taken;
  }

  #whole(header: FrameHeader): void {
    const frame = this.#partial.subarray(0, this.#partialLength);
    this.#partialLength = 0;
    this.#frame(frame, header, frame.subarray(FRAME_HEADER_BYTES));
  }

  #header(bytes: Uint8Array): FrameHeader {
    const header = readFrameHeader(bytes);
    if (header.sequence === this.#sequence) return header;
    throw new ProtocolError(`received frame ${header.sequence}, expected ${this.#sequence}`);
  }

  #frame(frame: Uint8Array, header: FrameHeader, body: Uint8Array): void {
    checkFrame(frame, header, body);
    this.#sequence += 1;
    this.#take(header.name, body, header.sequence);
  }
}
