// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** The ones' complement of the sum of all bytes, as footer, header and batmap have it (V7). */
export function checksumOf(bytes: Uint8Array, checksumAt?: number): number {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  if (checksumAt !== undefined) for (let at = 0; at < 4; at++) sum -= bytes[checksumAt + at] as number;
  return ~sum >>> 0;
}

/** Whether all bytes from `from` up to `to` are zero. */
export function areZero(bytes: Uint8Array, from = 0, to = bytes.length): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** Big-endian fields of a structure on disk. */
export class Fields {
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u16(at: number): number {
    return this.#view.getUint16(at);
  }
  u32(at: number): number {
    return this.#view.getUint32(at);
  }
  /** Rounded above 2^53: no file or disk is that large, so that what is rounded is refused for its size in any case. */
  u64(at: number): number {
    return Number(this.#view.getBigUint64(at));
  }
  setU16(at: number, value: number): void {
    this.#view.setUint16(at, value);
  }
  setU32(at: number, value: number): void {
    this.#view.setUint32(at, value);
  }
  setU64(at: number, value: number): void {
    this.#view.setBigUint64(at, BigInt(value));
  }
  setAllOnes(at: number): void {
    this.#view.setBigUint64(at, 0xffff_ffff_ffff_ffffn);
  }
}

export function latin1(bytes: Uint8Array, from: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(from, from + length));
}

export function setLatin1(bytes: Uint8Array, at: number, text: string): void {
  for (let index = 0; index < text.length; index++) bytes[at + index] = text.charCodeAt(index);
}

/** A uuid as people write it. */
export function uuidText(uuid: Uint8Array): string {
  const hex = Buffer.from(uuid).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Rounds up to a multiple of `unit`, with numbers above 2^31 too. */
export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
