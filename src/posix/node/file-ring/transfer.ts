// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readSync, readvSync, writeSync, writevSync } from 'node:fs';
import { errno } from '../../errno.js';
import { type RingMemory, WRITE } from './ring-memory.js';

/** Makes the calls of a ring's slots on the kernel; for one thread, which they block. */
export function fileTransfer(
  memory: RingMemory,
  buffers: SharedArrayBuffer,
): (slots: readonly number[]) => number {
  const all = new Uint8Array(buffers);
  const partOf = (slot: number): Uint8Array => {
    const offset = memory.offset(slot);
    return all.subarray(offset, offset + memory.length(slot));
  };
  const single = (slot: number): number => {
    const fd = memory.fd(slot);
    const offset = memory.offset(slot);
    const length = memory.length(slot);
    const position = memory.position(slot);
    return memory.operation(slot) === WRITE
      ? writeSync(fd, all, offset, length, position)
      : readSync(fd, all, offset, length, position);
  };
  return (slots) => {
    const first = slots[0] as number;
    try {
      if (slots.length === 1) return single(first);
      const call = memory.operation(first) === WRITE ? writevSync : readvSync;
      return call(memory.fd(first), slots.map(partOf), memory.position(first));
    } catch (error) {
      const { errno: number } = error as NodeJS.ErrnoException;
      // One that is not from the system call is our bug; the disk's user gets an error nevertheless.
      return number !== undefined && number < 0 ? number : -errno.EIO;
    }
  };
}
