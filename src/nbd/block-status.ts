// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type BlockDevice, type BlockStatusExtent, SECTOR_SIZE, type SectorRange } from '../disks/index.js';
import { STATE_HOLE, STATE_ZERO } from './protocol.js';

/** How many extents a reply has at most. */
export const MAX_REPLY_EXTENTS = 1024;
/** How often a disk is asked for one reply. */
const MAX_QUESTIONS = 64;

/** A part of a disk, in bytes, with the flags of base:allocation. */
export interface StatusExtent {
  length: number;
  readonly flags: number;
}

export interface StatusQuestion {
  readonly device: BlockDevice;
  /** In bytes. */
  readonly offset: number;
  /** In bytes, at least 1. */
  readonly length: number;
  /** One extent is enough. */
  readonly one: boolean;
  /** Runs a task in a later turn. */
  readonly post: (task: () => void) => void;
}

/**
 * Asks a disk what a range is made of, in one question a turn, until enough is known. Completes with 0 and at least one
 * extent, or the disk's error if it has one at once.
 */
export function allocationOf(
  { device, offset, length, one, post }: StatusQuestion,
  done: (result: number, extents: readonly StatusExtent[]) => void,
): void {
  const extents: StatusExtent[] = [];
  const { sector: first, sectors } = sectorsAround(offset, length);
  const end = first + sectors;
  let questions = 0;
  const ask = (sector: number): void => {
    device.blockStatus(sector, end - sector, (result, found = []) => {
      const next = sector + add(extents, found);
      questions++;
      const isEnough = next >= end || extents.length > (one ? 1 : MAX_REPLY_EXTENTS);
      if (result >= 0 && next > sector && !isEnough && questions < MAX_QUESTIONS) post(() => ask(next));
      else
        done(
          extents.length > 0 ? 0 : result,
          cut(extents.slice(0, one ? 1 : MAX_REPLY_EXTENTS), offset % SECTOR_SIZE, length),
        );
    });
  };
  ask(first);
}

/** The sectors that a range of bytes has, or has a part of. */
export function sectorsAround(offset: number, length: number): SectorRange {
  const sector = Math.floor(offset / SECTOR_SIZE);
  return { sector, sectors: Math.ceil((offset + length) / SECTOR_SIZE) - sector };
}

/** Cuts extents of whole sectors to a range of bytes: `before` bytes off the first one, and `length` in all. */
function cut(extents: readonly StatusExtent[], before: number, length: number): StatusExtent[] {
  let left = length;
  return extents.map((extent, index) => {
    const bytes = Math.min(index === 0 ? extent.length - before : extent.length, left);
    left -= bytes;
    return { length: bytes, flags: extent.flags };
  });
}

/** Adds what a disk has reported, joined where it is alike. @returns how many sectors it is */
function add(extents: StatusExtent[], found: readonly BlockStatusExtent[]): number {
  let sectors = 0;
  for (const extent of found) {
    sectors += extent.sectors;
    const flags = (extent.allocated ? 0 : STATE_HOLE) | (extent.zero ? STATE_ZERO : 0);
    const length = extent.sectors * SECTOR_SIZE;
    const last = extents.at(-1);
    if (last?.flags === flags) last.length += length;
    else extents.push({ length, flags });
  }
  return sectors;
}
