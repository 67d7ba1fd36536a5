// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { isUtf8 } from 'node:buffer';

/** A message's size in bytes, both ways, always (C: sizeof(tapdisk_message_t) on x86-64). */
export const MESSAGE_BYTES = 280;
/** The room for a path or a message's text, its NUL included (C: TAPDISK_MESSAGE_MAX_PATH_LENGTH). */
export const TEXT_BYTES = 256;
/** How many minors one reply to LIST_MINORS has room for (C: TAPDISK_MESSAGE_MAX_MINORS). */
export const MAX_LISTED_MINORS = 63;
/** How many bytes of a report one reply to a request for statistics carries. */
export const REPORT_BYTES = 264;
/** The cookie of a request that means no VBD. */
export const NO_COOKIE = 0xffff;

const BODY = 8;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Body of a reply to OPEN. */
export interface ImageBody {
  readonly sectors: number;
  /** In bytes. */
  readonly sectorSize: number;
  readonly info: number;
}

/** Body of OPEN and RESUME. */
export interface ParametersBody {
  /** FLAG_… bits, 0 to 255. */
  readonly flags: number;
  /** Undefined when the bytes are no path: they have no NUL, or are not UTF-8. */
  readonly path: string | undefined;
}

/** Body of most replies. */
export interface ResponseBody {
  /** A positive errno, or 0. */
  readonly error: number;
  /** What was wrong, for a person; may be empty. */
  readonly text: string;
}

/** Body of a reply to LIST. */
export interface ListBody {
  /** How many messages with a VBD are left, this one included; 0 in the last, which has none. */
  readonly count: number;
  /** -1 in the last. */
  readonly minor: number;
  readonly state: number;
  readonly path: string;
}

/** Body of a reply to a request for statistics: a piece of a JSON text. */
export interface ReportBody {
  /** How many bytes of the text are still to come after this message. */
  readonly remaining: number;
  readonly bytes: Uint8Array;
}

/**
 * One message of the control socket (C: tapdisk_message_t): 280 bytes in the layout that the x86-64 compiler gives the C
 * struct, little-endian. Bytes that were not set are zero.
 */
export class ControlMessage {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  /**
   * @param bytes exactly {@link MESSAGE_BYTES}; they are not copied
   * @throws RangeError for another number of bytes
   */
  constructor(bytes: Uint8Array) {
    if (bytes.length !== MESSAGE_BYTES) {
      throw new RangeError(`a control message has ${MESSAGE_BYTES} bytes, not ${bytes.length}`);
    }
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  static create(type: number, cookie: number): ControlMessage {
    const message = new ControlMessage(new Uint8Array(MESSAGE_BYTES));
    message.#view.setUint16(0, type, true);
    message.#view.setUint16(2, cookie, true);
    return message;
  }

  get type(): number {
    return this.#view.getUint16(0, true);
  }
  /** The minor number of the VBD meant; `NO_COOKIE` where none is. */
  get cookie(): number {
    return this.#view.getUint16(2, true);
  }

  get pid(): number {
    return this.#view.getInt32(BODY, true);
  }
  setPid(pid: number): this {
    this.#view.setInt32(BODY, pid, true);
    return this;
  }

  get image(): ImageBody {
    return {
      sectors: Number(this.#view.getBigUint64(BODY, true)),
      sectorSize: this.#view.getUint32(16, true),
      info: this.#view.getUint32(20, true),
    };
  }
  setImage({ sectors, sectorSize, info }: ImageBody): this {
    this.#view.setBigUint64(BODY, BigInt(sectors), true);
    this.#view.setUint32(16, sectorSize, true);
    this.#view.setUint32(20, info, true);
    return this;
  }

  get parameters(): ParametersBody {
    const text = this.#textBytes(22);
    const path = text !== undefined && isUtf8(text) ? decoder.decode(text) : undefined;
    return { flags: this.#view.getUint8(BODY), path };
  }
  /** The path must have room: see `textFits`. */
  setParameters(flags: number, path: string): this {
    this.#view.setUint8(BODY, flags);
    this.#view.setUint16(20, this.#setText(22, path), true);
    return this;
  }

  get response(): ResponseBody {
    return { error: this.#view.getInt32(BODY, true), text: this.#text(12) };
  }
  /** A text that is too long is cut. */
  setResponse(error: number, text = ''): this {
    this.#view.setInt32(BODY, error, true);
    this.#setText(12, text);
    return this;
  }

  get minors(): readonly number[] {
    const count = Math.max(0, Math.min(this.#view.getInt32(BODY, true), MAX_LISTED_MINORS));
    return Array.from({ length: count }, (_, index) => this.#view.getInt32(12 + 4 * index, true));
  }
  /** At most `MAX_LISTED_MINORS`. */
  setMinors(minors: readonly number[]): this {
    this.#view.setInt32(BODY, minors.length, true);
    for (const [index, minor] of minors.entries()) this.#view.setInt32(12 + 4 * index, minor, true);
    return this;
  }

  get list(): ListBody {
    return {
      count: this.#view.getInt32(BODY, true),
      minor: this.#view.getInt32(12, true),
      state: this.#view.getInt32(16, true),
      path: this.#text(20),
    };
  }
  setList({ count, minor, state, path }: ListBody): this {
    this.#view.setInt32(BODY, count, true);
    this.#view.setInt32(12, minor, true);
    this.#view.setInt32(16, state, true);
    this.#setText(20, path);
    return this;
  }

  get report(): ReportBody {
    const length = Math.max(0, Math.min(this.#view.getInt32(12, true), REPORT_BYTES));
    return { remaining: this.#view.getInt32(BODY, true), bytes: this.bytes.subarray(16, 16 + length) };
  }
  /** At most `REPORT_BYTES` bytes. */
  setReport({ remaining, bytes }: ReportBody): this {
    this.#view.setInt32(BODY, remaining, true);
    this.#view.setInt32(12, bytes.length, true);
    this.bytes.set(bytes, 16);
    return this;
  }

  /** The bytes before the NUL, or undefined without one. */
  #textBytes(offset: number): Uint8Array | undefined {
    const room = this.bytes.subarray(offset, offset + TEXT_BYTES);
    const length = room.indexOf(0);
    return length < 0 ? undefined : room.subarray(0, length);
  }

  /** For a person to read: what is not UTF-8 is replaced. */
  #text(offset: number): string {
    return decoder.decode(this.#textBytes(offset) ?? this.bytes.subarray(offset, offset + TEXT_BYTES));
  }

  /** Returns how many bytes it took; always leaves a NUL. */
  #setText(offset: number, text: string): number {
    // encodeInto stops before a character that does not fit whole.
    return encoder.encodeInto(text, this.bytes.subarray(offset, offset + TEXT_BYTES - 1)).written;
  }
}

/** Whether a path has room in a message: at most 255 bytes of UTF-8, and no NUL among them. */
export function textFits(text: string): boolean {
  return encoder.encode(text).length < TEXT_BYTES && !text.includes('\0');
}
