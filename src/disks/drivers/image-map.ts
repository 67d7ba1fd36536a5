// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BlockStatusDone, BlockStatusExtent, SectorRange } from '../index.js';
import type { FileStatus } from '../../posix/files.js';
import type { FileRange, HolesDone } from '../../posix/file-holes.js';
import { HoleRanges } from './hole-ranges.js';

/** So many changes during the reading of a map are remembered; after more of them the map is not taken. */
const MAX_CHANGES = 65_536;
/** A file that was changed less than so long before its map was read may change again without a later time of change. */
const UNSETTLED_SECONDS = 2;

export interface ImageMapParts {
  /** Reads where the file has holes: see `ReadHoles`. */
  readonly readHoles: (done: HolesDone) => void;
  /** The changes that have started and not ended. */
  readonly underWay: () => Iterable<SectorRange>;
  /** What the file is like now; undefined if nobody else may write to it, so that it need not be asked. */
  readonly status: ((done: (status: FileStatus | undefined) => void) => void) | undefined;
  readonly wallSeconds: () => number;
  /** Called once, with the reason, if there is no map. */
  readonly onUnknown: (reason: string) => void;
}

interface Waiting {
  readonly range: SectorRange;
  readonly done: BlockStatusDone;
}

/**
 * Where an open image has holes. What is shown as a hole is one; where that is not certain, it is data.
 *
 * - Where nobody else writes, the map is read once, when it is first asked for, and kept: whatever was being written when
 *   the reading began, or was afterwards, is data, until a hole is made there.
 * - Where others may write, a map is good as long as the file's time of change is what it was before the map was read, and
 *   was then for {@link UNSETTLED_SECONDS}; otherwise it is good for those who asked before it was read.
 */
export class ImageMap {
  readonly #parts: ImageMapParts;
  #holes: HoleRanges | undefined;
  /** The time of change that {@link #holes} goes with, where others may write. */
  #changedSeconds: number | undefined;
  #isUnknown = false;
  #isReading = false;
  /** Changes since the reading began. */
  #changes: SectorRange[] = [];
  #waiting: Waiting[] = [];

  constructor(parts: ImageMapParts) {
    this.#parts = parts;
  }

  /** A change of a range starts that may leave data there. */
  filled(range: SectorRange): void {
    this.#holes?.remove(range);
    if (this.#isReading && this.#changes.length <= MAX_CHANGES) this.#changes.push(range);
  }

  /** A range has been made a hole, and no later change of it has started. */
  emptied(range: SectorRange): void {
    this.#holes?.add(range);
  }

  /** See {@link Driver.blockStatus}. */
  blockStatus(range: SectorRange, done: BlockStatusDone): void {
    const { status } = this.#parts;
    if (this.#isUnknown) {
      done(0, allData(range));
    } else if (status === undefined) {
      if (this.#holes) done(0, this.#holes.extents(range));
      else this.#wait({ range, done });
    } else {
      status((now) => {
        const holes = this.#holesAt(now);
        if (holes) done(0, holes.extents(range));
        else this.#wait({ range, done });
      });
    }
  }

  /**
   * See {@link Driver.blockStatusFast}: does not wait for the reading of a map. One is read for later calls; where others may
   * write, only when the file has settled, since a map of a file that keeps changing would be read in vain.
   */
  knownStatus(range: SectorRange, done: BlockStatusDone): void {
    const { status } = this.#parts;
    if (this.#isUnknown) {
      done(0, allData(range));
    } else if (status === undefined) {
      if (!this.#holes && !this.#isReading) this.#read();
      done(0, this.#holes?.extents(range) ?? allData(range));
    } else {
      status((now) => {
        const holes = this.#holesAt(now);
        if (!holes && !this.#isReading && this.#isSettled(now)) this.#read();
        done(0, holes?.extents(range) ?? allData(range));
      });
    }
  }

  /** The map, if it is good for what the file is like now, where others may write. */
  #holesAt(now: FileStatus | undefined): HoleRanges | undefined {
    return now?.changedSeconds === this.#changedSeconds ? this.#holes : undefined;
  }

  /** Whether no change can follow without a later time of change. */
  #isSettled(now: FileStatus | undefined): boolean {
    return now !== undefined && now.changedSeconds < this.#parts.wallSeconds() - UNSETTLED_SECONDS;
  }

  #wait(waiting: Waiting): void {
    if (this.#isUnknown) {
      waiting.done(0, allData(waiting.range));
      return;
    }
    this.#waiting.push(waiting);
    if (!this.#isReading) this.#read();
  }

  #read(): void {
    const { status, readHoles, underWay } = this.#parts;
    this.#isReading = true;
    if (status === undefined) {
      this.#changes = [...underWay()];
      readHoles((holes) => {
        this.#isReading = false;
        const map = this.#taken(holes);
        this.#holes = map;
        this.#answer(this.#waiting.splice(0), map);
      });
      return;
    }
    status((before) => {
      // Later callers may know of changes that the map does not show.
      const waiting = this.#waiting.splice(0);
      const isSettled = this.#isSettled(before);
      this.#changes = [...underWay()];
      readHoles((holes) => {
        this.#isReading = false;
        const map = this.#taken(holes);
        this.#holes = isSettled ? map : undefined;
        this.#changedSeconds = before?.changedSeconds;
        this.#answer(waiting, map);
        const next = this.#waiting.splice(0);
        for (const each of next) this.#wait(each);
      });
    });
  }

  #answer(waiting: readonly Waiting[], map: HoleRanges | undefined): void {
    for (const { range, done } of waiting) done(0, map?.extents(range) ?? allData(range));
  }

  /** The map that was read, without what was changed meanwhile; undefined when there is none, now or later. */
  #taken(holes: readonly FileRange[] | string): HoleRanges | undefined {
    const changes = this.#changes;
    this.#changes = [];
    if (typeof holes === 'string' || changes.length > MAX_CHANGES) {
      this.#isUnknown = true;
      this.#parts.onUnknown(typeof holes === 'string' ? holes : 'too much was written meanwhile');
      return undefined;
    }
    const map = HoleRanges.ofFile(holes);
    for (const change of changes) map.remove(change);
    return map;
  }
}

function allData({ sectors }: SectorRange): BlockStatusExtent[] {
  return [{ sectors, allocated: true, zero: false }];
}
