// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { byteRange, type Edge } from './byte-range.js';
import { type Done, SECTOR_SIZE } from './driver.js';
import type { EdgeOrder } from './edge-order.js';
import { several } from './several.js';

/** What ranges of bytes are read and written with. */
export interface SectorCalls {
  readonly order: EdgeOrder;
  read(sector: number, buffer: Uint8Array, done: Done): void;
  /** In the order of changes. */
  write(sector: number, buffer: Uint8Array, done: Done): void;
  /** Of a sector whose edge is under way. */
  writeBack(sector: number, buffer: Uint8Array, done: Done): void;
}

export function readBytes(calls: SectorCalls, offset: number, buffer: Uint8Array, done: Done): void {
  const { edges, whole } = byteRange(offset, buffer.length);
  const reads = edges.map((edge) => (ended: Done): void => {
    const sector = new Uint8Array(SECTOR_SIZE);
    calls.read(edge.sector, sector, (result) => {
      buffer.set(sector.subarray(edge.from, edge.from + edge.length), edge.at);
      ended(result);
    });
  });
  if (whole) {
    const { sector, sectors, at } = whole;
    reads.push((ended) => calls.read(sector, buffer.subarray(at, at + sectors * SECTOR_SIZE), ended));
  }
  several(reads, done);
}

export function writeBytes(calls: SectorCalls, offset: number, buffer: Uint8Array, done: Done): void {
  const { edges, whole } = byteRange(offset, buffer.length);
  const writes = edges.map((edge) => (ended: Done): void => {
    const part = buffer.subarray(edge.at, edge.at + edge.length);
    changeEdge(calls, edge, (sector) => sector.set(part, edge.from), ended);
  });
  if (whole) {
    const { sector, sectors, at } = whole;
    writes.push((ended) => calls.write(sector, buffer.subarray(at, at + sectors * SECTOR_SIZE), ended));
  }
  several(writes, done);
}

/** @param zeroWhole makes whole sectors read as zeroes */
export function zeroBytes(
  calls: SectorCalls,
  offset: number,
  length: number,
  zeroWhole: (sector: number, sectors: number, done: Done) => void,
  done: Done,
): void {
  const { edges, whole } = byteRange(offset, length);
  const changes = edges.map((edge) => (ended: Done): void => {
    changeEdge(calls, edge, (sector) => sector.fill(0, edge.from, edge.from + edge.length), ended);
  });
  if (whole) changes.push((ended) => zeroWhole(whole.sector, whole.sectors, ended));
  several(changes, done);
}

/** Reads a sector, changes it in part, and writes it back. */
function changeEdge(
  calls: SectorCalls,
  { sector }: Edge,
  change: (bytes: Uint8Array) => void,
  done: Done,
): void {
  const range = { sector, sectors: 1 };
  const bytes = new Uint8Array(SECTOR_SIZE);
  const ended: Done = (result) => {
    calls.order.end(range);
    done(result);
  };
  calls.order.begin(range, true, () =>
    calls.read(sector, bytes, (result) => {
      if (result < 0) {
        ended(result);
        return;
      }
      change(bytes);
      calls.writeBack(sector, bytes, ended);
    }),
  );
}
