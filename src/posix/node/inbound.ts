// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Readable } from 'node:stream';
import { SystemError } from '../system-error.js';

/** The encodings whose text never lacks what the bytes had. */
const LOSSLESS: ReadonlySet<string> = new Set(['latin1', 'binary', 'hex', 'base64', 'base64url', 'utf16le']);
/** What stands in text of UTF-8 where bytes were none. */
const REPLACEMENT = '\uFFFD';

/** Bytes read ahead at which a flowing stream is paused, by default. */
export const DEFAULT_RECEIVE_BUFFER_BYTES = 256 * 1024;

/**
 * The receiving side of a stream: what Node has read and the descriptor's owner has not.
 *
 * Bytes wait in one of two places. While they are waited for (READ interest), the stream flows and its chunks queue
 * here, which is the fast way. While nobody does, they stay in the stream's own buffer: the stream reads ahead up to its
 * high-water mark, so that an end of file or a reset is noticed without interest, and the object can be handed to
 * ordinary Node code as it is.
 *
 *     parked --interest--> flowing --high-water mark--> parked --drained below half, interest--> flowing
 *        ^------------------------- a chunk that nobody waits for (put back)
 *     either --lend--> lent --read or interest--> parked or flowing
 *
 * At most the high-water mark, plus one chunk, plus the stream's own high-water mark is read ahead.
 */
export class Inbound {
  readonly #stream: Readable;
  readonly #reachedEnd: () => void;
  readonly #changed: () => void;
  readonly #highWaterMark: number;
  #chunks: Uint8Array[] = [];
  /** How much of the first chunk has been taken. */
  #taken = 0;
  #queued = 0;
  #wanted = false;
  #attached = false;
  #listening = false;
  #flowing = false;
  #pulling = false;
  /** Somebody else listens for `readable`, so that the stream does not flow. */
  #isHeld = false;
  #ended = false;

  readonly #onData = (chunk: Uint8Array | string): void => {
    // A read() of ours emits `data` too; it has its bytes already.
    if (!this.#pulling) this.#arrived(chunk);
  };
  readonly #onReadable = (): void => {
    // Node emits `end` once everything before it has been read.
    if (this.#stream.readableLength === 0) this.#stream.read(0);
    this.#changed();
  };
  readonly #onListener = (event: string | symbol): void => {
    // Node stops the flow for it; our own comes when this is done.
    if (event === 'readable' && this.#flowing) this.#hold();
  };
  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#reachedEnd();
    this.#changed();
  };

  /**
   * @param reachedEnd called when the stream's end of file is noticed
   * @param changed called when there may be something to read that was not there before
   */
  constructor(stream: Readable, highWaterMark: number, reachedEnd: () => void, changed: () => void) {
    this.#stream = stream;
    this.#highWaterMark = highWaterMark;
    this.#reachedEnd = reachedEnd;
    this.#changed = changed;
  }

  /** Bytes wait, or the end of file was reached: a read would not have to wait. */
  get ready(): boolean {
    if (this.#queued > 0 || this.#ended || this.isElsewhere) return true;
    return this.#attached && this.#stream.readableLength > 0;
  }

  /** The bytes go to another reader, which took the stream first (a pipe, a `data` listener), and a read would miss some. */
  get isElsewhere(): boolean {
    const stream = this.#stream;
    if (this.#listening || this.#ended || stream.readableFlowing !== true) return false;
    return stream.listenerCount('data') > 0;
  }

  /** Whether the end of file was reached; bytes before it may still wait. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Somebody waits for bytes, or nobody does any more. */
  want(wanted: boolean): void {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    if (!wanted || this.isElsewhere) return;
    this.#attach();
    this.#flow();
  }

  /** Copies what waits into `buffer`; 0 when nothing does. */
  read(buffer: Uint8Array): number {
    this.#attach();
    let count = this.#take(buffer, 0);
    if (count < buffer.length && this.#isToPull) {
      this.#pull(buffer.length - count);
      count = this.#take(buffer, count);
    }
    this.#flowOn();
    return count;
  }

  /** Takes what came at once, or the rest of it; undefined when nothing waits. */
  take(): Uint8Array | undefined {
    this.#attach();
    if (this.#queued === 0 && this.#isToPull) this.#pull(this.#highWaterMark);
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return undefined;
    const bytes = chunk.subarray(this.#taken);
    this.#taken = 0;
    this.#queued -= bytes.length;
    this.#flowOn();
    return bytes;
  }

  /** Nothing more will come: the stream is closed. */
  finish(): void {
    this.#ended = true;
  }

  /** Forgets what was read ahead and listens no more: the descriptor is closed. */
  discard(): void {
    this.#chunks = [];
    this.#queued = 0;
    this.#removeListeners();
  }

  /**
   * Takes the listeners off and puts what was read ahead back into the stream. Returns the bytes that the stream no
   * longer takes, because it had its end of file already.
   */
  detach(): Uint8Array[] {
    const stream = this.#stream;
    const flowed = this.#listening;
    this.#removeListeners();
    if (flowed) stream.pause();
    const chunks = this.#chunks;
    const first = chunks[0];
    if (first !== undefined) chunks[0] = first.subarray(this.#taken);
    this.#chunks = [];
    this.#taken = 0;
    this.#queued = 0;
    if (stream.readableEnded || stream.destroyed || stream.errored !== null) return chunks;
    for (const chunk of chunks.toReversed()) stream.unshift(chunk);
    if (flowed) forgetPause(stream);
    return [];
  }

  /** The stream has bytes of its own, or has to be asked for some, as it does not flow. */
  get #isToPull(): boolean {
    return this.#stream.readableLength > 0 || !(this.#flowing || this.#ended);
  }

  #attach(): void {
    if (this.#attached) return;
    this.#attached = true;
    this.#stream.on('end', this.#onEnd);
    this.#stream.on('newListener', this.#onListener);
    if (this.#ended || !(this.#stream.readableEnded || this.#stream.destroyed)) return;
    this.#ended = true;
    if (this.#stream.readableEnded) this.#reachedEnd();
  }

  #removeListeners(): void {
    this.#wanted = false;
    this.#attached = false;
    this.#listening = false;
    this.#flowing = false;
    this.#isHeld = false;
    this.#stream.off('readable', this.#onReadable);
    this.#stream.off('data', this.#onData);
    this.#stream.off('end', this.#onEnd);
    this.#stream.off('newListener', this.#onListener);
  }

  #flow(): void {
    if (this.#flowing || this.#ended || this.#queued >= this.#highWaterMark || this.#isHeld) return;
    if (this.#stream.listenerCount('readable') > 0) {
      this.#hold();
      return;
    }
    this.#flowing = true;
    if (!this.#listening) {
      this.#listening = true;
      this.#stream.on('data', this.#onData);
    }
    this.#stream.resume();
  }

  #hold(): void {
    this.#flowing = false;
    this.#listening = false;
    this.#isHeld = true;
    this.#stream.off('data', this.#onData);
    this.#stream.on('readable', this.#onReadable);
  }

  /** Flows again once half of what may be read ahead is gone. */
  #flowOn(): void {
    if (this.#wanted && this.#queued <= this.#highWaterMark / 2) this.#flow();
  }

  #park(): void {
    this.#flowing = false;
    this.#stream.pause();
  }

  #arrived(chunk: Uint8Array | string): void {
    if (this.#wanted) {
      this.#push(chunk);
      if (this.#queued >= this.#highWaterMark) this.#park();
    } else {
      this.#park();
      this.#stream.unshift(chunk);
    }
    this.#changed();
  }

  #push(chunk: Uint8Array | string): void {
    const bytes = typeof chunk === 'string' ? this.#bytesOf(chunk) : chunk;
    if (bytes === undefined) return;
    this.#chunks.push(bytes);
    this.#queued += bytes.length;
  }

  /** A caller that had the object may have set an encoding. If that may have lost bytes: undefined, and the stream breaks. */
  #bytesOf(text: string): Uint8Array | undefined {
    const encoding = this.#stream.readableEncoding as BufferEncoding;
    const isWhole = encoding === 'utf8' ? !text.includes(REPLACEMENT) : LOSSLESS.has(encoding);
    if (isWhole) return Buffer.from(text, encoding);
    const message = `the stream's encoding, ${encoding}, has lost bytes`;
    this.#stream.destroy(new SystemError('EINVAL', message));
    return undefined;
  }

  /** Moves up to `room` bytes from the stream's own buffer into the queue, and lets the stream go on reading. */
  #pull(room: number): void {
    const stream = this.#stream;
    this.#pulling = true;
    const chunk = stream.read(Math.min(room, stream.readableLength)) as Uint8Array | string | null;
    this.#pulling = false;
    if (chunk !== null) this.#push(chunk);
    // A stream that does not flow emits `end` only if it is read once more.
    if (this.#isHeld && stream.readableLength === 0) stream.read(0);
  }

  #take(buffer: Uint8Array, start: number): number {
    let count = start;
    while (this.#queued > 0 && count < buffer.length) {
      const chunk = this.#chunks[0] as Uint8Array;
      const part = chunk.subarray(this.#taken, this.#taken + buffer.length - count);
      buffer.set(part, count);
      count += part.length;
      this.#queued -= part.length;
      this.#taken += part.length;
      if (this.#taken < chunk.length) break;
      this.#taken = 0;
      this.#chunks.shift();
    }
    return count;
  }
}

/**
 * A stream that was paused explicitly does not start to flow when a `data` listener is added, which ordinary Node code
 * relies on. Adding and removing a `readable` listener makes Node decide again.
 */
function forgetPause(stream: Readable): void {
  const listener = (): void => {};
  stream.on('readable', listener);
  stream.off('readable', listener);
}
