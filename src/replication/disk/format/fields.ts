// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { crc32 } from './crc32.js';

/** Reads and writes the numbers of a record one after the other, little-endian. */
export class Fields {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  getU32(): number {
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }
  putU32(value: number): this {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
    return this;
  }
  /** A number above 2^53 comes out as one too large for any check, which is all that is done with it. */
  getU64(): number {
    this.#at += 8;
    const low = this.#view.getUint32(this.#at - 8, true);
    return this.#view.getUint32(this.#at - 4, true) * 2 ** 32 + low;
  }
  /** A whole number from 0 to 2^53 - 1. */
  putU64(value: number): this {
    // Of a number that is too large for it, setUint32 takes the lowest 32 bits; of a fraction, the whole part.
    this.#view.setUint32(this.#at, value, true);
    this.#view.setUint32(this.#at + 4, value / 2 ** 32, true);
    this.#at += 8;
    return this;
  }
  /** As hexadecimal digits, two for each byte in the order of the bytes. */
  getHex(length: number): string {
    this.#at += length;
    return Buffer.from(this.#bytes.subarray(this.#at - length, this.#at)).toString('hex');
  }
  putHex(digits: string): this {
    this.#bytes.set(Buffer.from(digits, 'hex'), this.#at);
    this.#at += digits.length / 2;
    return this;
  }
  getText(length: number): string {
    this.#at += length;
    return Buffer.from(this.#bytes.subarray(this.#at - length, this.#at)).toString('latin1');
  }
  putText(text: string): this {
    this.#bytes.set(Buffer.from(text, 'latin1'), this.#at);
    this.#at += text.length;
    return this;
  }
  skip(length: number): this {
    this.#at += length;
    return this;
  }
}

/** Where a sealed sector has its crc: after 8 bytes of magic. */
const CRC_AT = 8;

/** Puts the crc32 of the bytes, with the field 0, into the field. */
export function seal(bytes: Uint8Array): void {
  const fields = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  fields.setUint32(CRC_AT, 0);
  fields.setUint32(CRC_AT, crc32(bytes), true);
}

/** Whether bytes begin with the magic and have the crc that {@link seal} gave them. They are left as they are. */
export function isSealed(bytes: Uint8Array, magic: string): boolean {
  const copy = Buffer.from(bytes);
  const fields = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
  const crc = fields.getUint32(CRC_AT, true);
  fields.setUint32(CRC_AT, 0);
  return new Fields(copy).getText(magic.length) === magic && crc32(copy) === crc;
}

/** Random bytes as hexadecimal digits. */
export function randomHex(random: (bytes: Uint8Array) => void, length: number): string {
  const bytes = new Uint8Array(length);
  random(bytes);
  return Buffer.from(bytes).toString('hex');
}
