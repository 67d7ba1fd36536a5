// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { FileCalls } from '../../../posix/files.js';
import { type Done, SECTOR_SIZE } from '../../driver.js';
import { writeWhole } from '../../../posix/whole-transfer.js';
import { AllDone } from './all-done.js';
import { batSector, ENTRIES_PER_SECTOR } from './bat.js';
import type { BlockLayer, DirtyBlock } from './layer.js';
import type { ZeroedBlocks } from './zeroed-blocks.js';

/** What commits work with. */
export interface CommitParts {
  readonly files: FileCalls;
  readonly layer: BlockLayer;
  /** Where the BAT is, in bytes. */
  readonly tableOffset: number;
  /** Makes everything durable that was written before, or ends all writing. */
  readonly sync: (done: Done) => void;
  /** Called for blocks that have data under clear bits. */
  readonly zeroed: ZeroedBlocks;
  /** Called when a commit fails whose writes were completed already: nothing may be promised any more. */
  readonly onLoss: () => void;
}

/** An image with more blocks of which it is not sure what the file has takes no more writes. */
const MAX_UNCERTAIN = 1024;

/** What one commit brings into the file. */
interface Batch {
  /** The blocks, and the callers that wait for each. */
  readonly waiters: Map<DirtyBlock, Done[]>;
  /** The callers that wait for all of it. */
  readonly ends: Done[];
  /** Whether writes of it were answered already. */
  isAnswered: boolean;
  /** Whether there is data in it that has to be durable before its bits are written. */
  needsSync: boolean;
}

/**
 * Brings new bits and new entries of the BAT into the file, many at once (V63c):
 *
 *     the data is written   ->  sync  ->  BAT sectors and bitmaps are written  ->  answers
 *     (and the space is there)
 *
 * One commit runs at a time; what comes meanwhile goes into the next. It takes the bits as they are when it begins: one
 * that is set later has data which that sync may not cover. A flush needs one more sync, which is the caller's.
 *
 * Bits of which it makes no difference whether their data is durable need no sync, see {@link ZeroedBlocks}; nor do entries
 * for space that is: a commit that has nothing else is written at once.
 */
export class Commits {
  readonly #parts: CommitParts;
  #next = newBatch();
  #current: Batch | undefined;
  #uncertain = 0;

  constructor(parts: CommitParts) {
    this.#parts = parts;
  }

  /**
   * Writes the block's bits, whose data was written, to the file. Without `done` its write was answered already.
   *
   * @param needsSync whether the bits must not be durable before the data is
   */
  add(dirty: DirtyBlock, needsSync: boolean, done?: Done): void {
    const waiters = this.#next.waiters.get(dirty) ?? [];
    this.#next.waiters.set(dirty, waiters);
    if (done) waiters.push(done);
    else this.#next.isAnswered = true;
    if (needsSync) this.#next.needsSync = true;
    if (!this.#current) this.#begin();
  }

  /** Completes when all that was added before is in the file, or with why it is not. */
  settle(done: Done): void {
    if (this.#next.waiters.size > 0) this.#next.ends.push(done);
    else if (this.#current) this.#current.ends.push(done);
    else done(0);
  }

  #begin(): void {
    const batch = this.#next;
    this.#next = newBatch();
    this.#current = batch;
    const snapshots = new Map([...batch.waiters.keys()].map((dirty) => [dirty, dirty.bits.slice()]));
    if (!batch.needsSync) {
      this.#write(batch, snapshots);
      return;
    }
    this.#parts.sync((result) => {
      if (result < 0) {
        this.#end(batch, new Map([...batch.waiters.keys()].map((dirty) => [dirty, result])));
      } else {
        this.#write(batch, snapshots);
      }
    });
  }

  #write(batch: Batch, snapshots: ReadonlyMap<DirtyBlock, Uint8Array>): void {
    const { files, layer } = this.#parts;
    const results = new Map<DirtyBlock, number>();
    const note = (dirty: DirtyBlock, result: number): void => {
      if (result < 0 && !results.has(dirty)) results.set(dirty, result);
    };
    const all = new AllDone(() => {
      for (const [dirty, bits] of snapshots) {
        if (results.has(dirty)) continue;
        dirty.written = bits;
        if (dirty.needsEntry) layer.bat[dirty.block] = dirty.place;
        dirty.needsEntry = false;
        if (dirty.isUncertain) this.#uncertain--;
        dirty.isUncertain = false;
      }
      this.#end(batch, results);
    });
    const started = all.expect();
    for (const [dirty, bits] of snapshots) {
      const written = all.expect();
      writeWhole(files, layer.file.fd, bits, dirty.place * SECTOR_SIZE, (result) => {
        note(dirty, result);
        written(0);
      });
    }
    for (const [sector, blocks] of this.#entriesOf(batch)) {
      const written = all.expect();
      const places = new Map(blocks.map(({ block, place }) => [block, place]));
      const entryOf = (index: number): number => places.get(index) ?? (layer.bat[index] as number);
      const bytes = batSector(entryOf, layer.bat.length, sector);
      const position = this.#parts.tableOffset + sector * SECTOR_SIZE;
      writeWhole(files, layer.file.fd, bytes, position, (result) => {
        for (const dirty of blocks) note(dirty, result);
        written(0);
      });
    }
    started(0);
  }

  /** The blocks that need an entry, by sector of the BAT. Others that share a sector are not in it: their space may not be durable (V56). */
  #entriesOf(batch: Batch): Map<number, DirtyBlock[]> {
    const sectors = new Map<number, DirtyBlock[]>();
    for (const dirty of batch.waiters.keys()) {
      if (!dirty.needsEntry) continue;
      const sector = Math.floor(dirty.block / ENTRIES_PER_SECTOR);
      const blocks = sectors.get(sector) ?? [];
      sectors.set(sector, blocks);
      blocks.push(dirty);
    }
    return sectors;
  }

  #end(batch: Batch, results: ReadonlyMap<DirtyBlock, number>): void {
    const failure = [...results.values()][0] ?? 0;
    if (failure < 0 && (batch.isAnswered || this.#next.isAnswered)) this.#parts.onLoss();
    for (const [dirty, result] of results) this.#takeBack(dirty, result);
    for (const dirty of batch.waiters.keys()) this.#release(dirty);
    // Nothing is left of the next one: it ends with this one, for the same reason.
    if (this.#next.waiters.size === 0) batch.ends.push(...this.#next.ends.splice(0));
    this.#current = undefined;
    for (const [dirty, waiters] of batch.waiters) {
      for (const done of waiters) done(results.get(dirty) ?? 0);
    }
    for (const done of batch.ends) done(failure);
    if (!this.#current && this.#next.waiters.size > 0) this.#begin();
  }

  /** Makes memory what the file is: bits that could not be written are not set (V59). That they are not is not sure. */
  #takeBack(dirty: DirtyBlock, result: number): void {
    if (!dirty.isUncertain) this.#uncertain++;
    dirty.isUncertain = true;
    this.#parts.zeroed.spoil(dirty.block);
    if (this.#uncertain > MAX_UNCERTAIN) this.#parts.onLoss();
    const later = this.#next.waiters.get(dirty);
    this.#next.waiters.delete(dirty);
    dirty.bits = dirty.written.slice();
    for (const done of later ?? []) done(result);
  }

  /** Lets go of a block that is not ahead of the file any more. */
  #release(dirty: DirtyBlock): void {
    if (dirty.isUncertain || dirty.users > 0 || this.#next.waiters.has(dirty)) return;
    const { layer } = this.#parts;
    layer.dirty.delete(dirty.block);
    if (!dirty.needsEntry) layer.bitmaps.set(dirty.block, dirty.bits);
  }

  /** Lets go of a block whose write failed before anything of it was ready. */
  abandon(dirty: DirtyBlock): void {
    if (this.#current?.waiters.has(dirty) !== true) this.#release(dirty);
  }
}

function newBatch(): Batch {
  return { waiters: new Map(), ends: [], isAnswered: false, needsSync: false };
}
