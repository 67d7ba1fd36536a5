// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Bit i of a bitmap is byte i>>3, mask 0x80>>(i&7) (V3). Bits after its end are clear. */
export function isSet(bits: Uint8Array, index: number): boolean {
  return ((bits[index >> 3] as number) & (0x80 >> (index & 7))) !== 0;
}

/** Where the run of bits of the same value that begins at `from` ends, `to` at most. */
export function endOfRun(bits: Uint8Array, from: number, to: number): number {
  const whole = isSet(bits, from) ? 0xff : 0;
  let at = from + 1;
  while (at < to) {
    if ((at & 7) === 0 && bits[at >> 3] === whole) {
      at += 8;
    } else {
      if (isSet(bits, at) !== (whole === 0xff)) return at;
      at++;
    }
  }
  return to;
}

/** Sets the bits from `from` up to `to`. */
export function setRange(bits: Uint8Array, from: number, to: number): void {
  let at = from;
  while (at < to) {
    if ((at & 7) === 0 && at + 8 <= to) {
      bits[at >> 3] = 0xff;
      at += 8;
    } else {
      bits[at >> 3] = (bits[at >> 3] as number) | (0x80 >> (at & 7));
      at++;
    }
  }
}

/** Whether all bits from `from` up to `to` are set. */
export function areSet(bits: Uint8Array, from: number, to: number): boolean {
  return isSet(bits, from) && endOfRun(bits, from, to) === to;
}
