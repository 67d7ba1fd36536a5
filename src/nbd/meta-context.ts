// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseName } from './options.js';
import { ALLOCATION_CONTEXT, ALLOCATION_CONTEXT_ID } from './protocol.js';

/** What LIST_META_CONTEXT and SET_META_CONTEXT ask. */
export interface ContextRequest {
  readonly name: string;
  readonly queries: readonly string[];
}

/** Takes apart their data: u32 length and name, u32 count, u32 length and string each. Returns what is wrong with it if it is. */
export function parseContextRequest(data: Buffer): ContextRequest | string {
  let at = 0;
  const number = (): number => {
    at += 4;
    return at <= data.length ? data.readUInt32BE(at - 4) : Number.NaN;
  };
  const text = (): { readonly name: string } | string => {
    const length = number();
    at += length;
    return at <= data.length
      ? parseName(data.subarray(at - length, at))
      : 'a string that is longer than the data';
  };
  const name = text();
  if (typeof name === 'string') return name;
  const count = number();
  if (Number.isNaN(count)) return 'no count of queries';
  const queries: string[] = [];
  for (let index = 0; index < count; index++) {
    const query = text();
    if (typeof query === 'string') return query;
    queries.push(query.name);
  }
  if (at !== data.length) return `${data.length - at} bytes after the last query`;
  return { name: name.name, queries };
}

/** Whether a query of LIST_META_CONTEXT means the one context that there is. */
export function listsAllocation(queries: readonly string[]): boolean {
  return queries.length === 0 || queries.some((query) => query === 'base:' || query === ALLOCATION_CONTEXT);
}

/** Whether SET_META_CONTEXT chooses it. */
export function choosesAllocation(queries: readonly string[]): boolean {
  return queries.includes(ALLOCATION_CONTEXT);
}

/** REP_META_CONTEXT's data. */
export function encodeAllocationContext(id = ALLOCATION_CONTEXT_ID): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(id);
  return Buffer.concat([head, Buffer.from(ALLOCATION_CONTEXT)]);
}

/** Bytes of a BLOCK_STATUS's payload that names the one context that there is: u64 length of the range, u32 context. */
export const STATUS_FILTER_BYTES = 12;

/** Takes apart such a payload. */
export function parseStatusFilter(payload: Buffer): { readonly length: number; readonly context: number } {
  return { length: Number(payload.readBigUInt64BE(0)), context: payload.readUInt32BE(8) };
}
