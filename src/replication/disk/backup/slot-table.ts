// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { crc32 } from '../format/crc32.js';
import { Fields } from '../format/fields.js';

/** A grain that a resync has brought. */
export interface Slot {
  readonly grain: number;
  /** Where it is in the file, counted in grains; -1: it is all zeroes. */
  readonly slot: number;
  readonly crc: number;
}

const MAGIC = 'TDRSLOT1';
const HEAD_BYTES = 32;
const ENTRY_BYTES = 16;

/** How long a table of so many slots is, in bytes. */
export function tableLength(slots: number): number {
  return HEAD_BYTES + slots * ENTRY_BYTES;
}

/** A resync's table as it stands in its file, after the slots. */
export function encodeTable(id: string, slots: readonly Slot[]): Uint8Array {
  const bytes = new Uint8Array(tableLength(slots.length));
  const fields = new Fields(bytes).putText(MAGIC).putHex(id).putU64(slots.length).skip(8);
  for (const { grain, slot, crc } of slots)
    fields
      .putU64(grain)
      .putU32(slot + 1)
      .putU32(crc);
  return bytes;
}

/** How long the table in a file is, by its head; undefined: it is not this resync's. */
export function tableBytes(head: Uint8Array, id: string): number | undefined {
  const fields = new Fields(head);
  if (fields.getText(MAGIC.length) !== MAGIC || fields.getHex(8) !== id) return undefined;
  return tableLength(fields.getU64());
}

export { HEAD_BYTES as TABLE_HEAD_BYTES };

export function decodeTable(bytes: Uint8Array): Slot[] {
  const fields = new Fields(bytes, HEAD_BYTES);
  return Array.from({ length: (bytes.length - HEAD_BYTES) / ENTRY_BYTES }, () => ({
    grain: fields.getU64(),
    slot: fields.getU32() - 1,
    crc: fields.getU32(),
  }));
}

export function tableCrc(table: Uint8Array): number {
  return crc32(table);
}
