// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { FileCalls } from '../../posix/files.js';
import { type Done, SECTOR_SIZE, type SectorRange } from '../index.js';

/** Smaller holes are not worth the process that makes them. */
export const MIN_HOLE_BYTES = 1 << 20;

/** Gives a range of an open file back to the file system; it reads as zeroes then. */
export function punchRange(
  files: Pick<FileCalls, 'punchHole'>,
  fd: number,
  { sector, sectors }: SectorRange,
  done: Done,
): void {
  files.punchHole(fd, sector * SECTOR_SIZE, sectors * SECTOR_SIZE, done);
}

/** With so many waiting, no more are made for discards: each would keep its place among the requests for long. */
export const MAX_WAITING_HOLES = 32;

interface Waiting {
  readonly range: SectorRange;
  readonly done: Done;
}

/** Ranges that adjoin: one hole. */
interface Hole {
  readonly start: number;
  end: number;
  readonly dones: Done[];
}

/**
 * Makes the holes that are asked for, one after the other, since each takes a process: those that wait are joined where
 * they adjoin. When one cannot be made no more are tried, and all complete with its errno.
 */
export class HoleQueue {
  readonly #punch: (range: SectorRange, done: Done) => void;
  #waiting: Waiting[] = [];
  #holes: Hole[] = [];
  #isUnderWay = false;
  #failure = 0;

  constructor(punch: (range: SectorRange, done: Done) => void) {
    this.#punch = punch;
  }

  /** With this many waiting, a hint is ignored. */
  get isFull(): boolean {
    return this.#holes.length + this.#waiting.length >= MAX_WAITING_HOLES;
  }

  /** Nobody may write to the range before it is done. */
  punch(range: SectorRange, done: Done): void {
    if (this.#failure < 0) {
      done(this.#failure);
      return;
    }
    this.#waiting.push({ range, done });
    if (!this.#isUnderWay) this.#next();
  }

  #next(): void {
    if (this.#holes.length === 0) {
      this.#holes = joined(this.#waiting);
      this.#waiting = [];
    }
    const hole = this.#holes.shift();
    if (!hole) return;
    this.#isUnderWay = true;
    this.#punch({ sector: hole.start, sectors: hole.end - hole.start }, (result) => {
      this.#isUnderWay = false;
      const dones = result < 0 ? [...hole.dones, ...this.#giveUp(result)] : hole.dones;
      for (const done of dones) done(result);
      if (!this.#isUnderWay) this.#next();
    });
  }

  /** Returns all that wait. */
  #giveUp(failure: number): Done[] {
    this.#failure = failure;
    const dones = [...this.#holes.flatMap((hole) => hole.dones), ...this.#waiting.map(({ done }) => done)];
    this.#holes = [];
    this.#waiting = [];
    return dones;
  }
}

function joined(waiting: readonly Waiting[]): Hole[] {
  const holes: Hole[] = [];
  for (const { range, done } of waiting.toSorted((a, b) => a.range.sector - b.range.sector)) {
    const last = holes.at(-1);
    const end = range.sector + range.sectors;
    if (last && range.sector <= last.end) {
      last.end = Math.max(last.end, end);
      last.dones.push(done);
    } else {
      holes.push({ start: range.sector, end, dones: [done] });
    }
  }
  return holes;
}
