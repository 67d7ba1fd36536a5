// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** An extent in the tables of frames and of the journal's records. */
export interface ExtentEntry {
  /** Below 2^48. */
  readonly sector: number;
  readonly sectors: number;
  readonly isZero: boolean;
  /** Of its data; 0 for zeroes. */
  readonly crc: number;
}

export const EXTENT_BYTES = 16;
const ZEROES = 1;

/** Writes an entry: the sector in 48 bits, 1 for zeroes in 16, the sectors and the data's crc32 in 32 each. */
export function putExtentEntry(view: DataView, at: number, entry: ExtentEntry): void {
  // Each takes the lowest bits of the whole part.
  view.setUint32(at, entry.sector, true);
  view.setUint16(at + 4, entry.sector / 2 ** 32, true);
  view.setUint16(at + 6, entry.isZero ? ZEROES : 0, true);
  view.setUint32(at + 8, entry.sectors, true);
  view.setUint32(at + 12, entry.crc, true);
}

export function getExtentEntry(view: DataView, at: number): ExtentEntry {
  return {
    sector: view.getUint32(at, true) + view.getUint16(at + 4, true) * 2 ** 32,
    sectors: view.getUint32(at + 8, true),
    isZero: (view.getUint16(at + 6, true) & ZEROES) !== 0,
    crc: view.getUint32(at + 12, true),
  };
}
