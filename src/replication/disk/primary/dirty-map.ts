// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { FileCalls } from '../../../posix/files.js';
import { BitSet } from '../bit-set.js';
import { decodeMapSector, encodeMapSector, GRAINS_A_SECTOR, mapBytes } from '../format/map-sector.js';
import { type Done, SECTOR_SIZE } from '../local-disk.js';
import { closedOnFailure, completed, StateFile } from '../state-file.js';

/** Sectors of the map's file that follow each other. */
interface MapRun {
  /** In bytes. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/**
 * The map of grains that may differ from what the other side has, in memory and on stable storage.
 *
 * A grain is raised durably before it is written; grains that are raised meanwhile share the next sync. Grains that fall
 * need no sync: they go out with the next one. After a failed write or sync nothing is raised any more.
 */
export class DirtyMap {
  readonly grains: number;
  readonly #file: StateFile;
  readonly #salt: string;
  /** What the file will have. */
  readonly #bits: BitSet;
  /** Bits that stable storage has, whatever happens. */
  readonly #durable: BitSet;
  /** Sectors of the file that are not as they should be. */
  readonly #stale = new Set<number>();
  #waiters: Done[] = [];
  #isWriting = false;
  #failure = 0;

  private constructor(file: StateFile, grains: number, salt: string) {
    this.#file = file;
    this.grains = grains;
    this.#salt = salt;
    this.#bits = new BitSet(grains);
    this.#durable = new BitSet(grains);
  }

  /** An empty map; the caller syncs the directory. @throws (rejects with) StateError */
  static async create(files: FileCalls, path: string, grains: number, salt: string): Promise<DirtyMap> {
    const file = await StateFile.create(files, path, 'by-write');
    const map = new DirtyMap(file, grains, salt);
    for (let index = 0; index * GRAINS_A_SECTOR < grains; index++) map.#stale.add(index);
    return closedOnFailure(file, async () => {
      await completed(`write ${path}`, (done) => map.sync(done));
      return map;
    });
  }

  /**
   * The map in a file. Grains of a sector that is damaged, or missing, all count as raised.
   *
   * @throws (rejects with) StateError
   */
  static async load(
    files: FileCalls,
    path: string,
    grains: number,
    salt: string,
    notice: (message: string) => void,
  ): Promise<DirtyMap> {
    const opened = await StateFile.open(files, path, 'by-write');
    if (opened === undefined) notice(`${path} is missing: every grain may differ`);
    const file = opened ?? (await StateFile.create(files, path, 'by-write'));
    const map = new DirtyMap(file, grains, salt);
    const bytes = new Uint8Array(mapBytes(grains));
    await closedOnFailure(file, async () => {
      await file.synced();
      await file.readAt(0, bytes);
    });
    for (let at = 0, index = 0; at < bytes.length; at += SECTOR_SIZE, index++) {
      if (decodeMapSector(bytes.subarray(at, at + SECTOR_SIZE), index, salt, map.#bits)) continue;
      if (opened) notice(`${path}: the sector at ${at} is damaged: all of its grains may differ`);
      const first = index * GRAINS_A_SECTOR;
      map.#bits.addRange(first, Math.min(first + GRAINS_A_SECTOR, grains) - 1);
      map.#stale.add(index);
    }
    if (map.#stale.size === 0) map.#durable.addAll(map.#bits);
    return map;
  }

  /** The grains that are raised. */
  get bits(): Iterable<number> & Pick<BitSet, 'count' | 'has'> {
    return this.#bits;
  }

  /** Whether all of a range is durable, so that it may be written now. */
  has(from: number, to: number): boolean {
    for (let grain = from; grain <= to; grain++) if (!this.#durable.has(grain)) return false;
    return true;
  }

  /** Completes when grains `from` to `to` are raised durably, or with the error. */
  raise(from: number, to: number, done: Done): void {
    for (let grain = from; grain <= to; grain++) this.#add(grain);
    this.#writeFor(done);
  }

  /** As {@link raise}, for any grains. */
  raiseAll(grains: Iterable<number>, done: Done): void {
    for (const grain of grains) this.#add(grain);
    this.#writeFor(done);
  }

  /** A grain may fall: both sides have the same on stable storage. */
  lower(grain: number): void {
    this.#bits.delete(grain);
    this.#durable.delete(grain);
    this.#stale.add(Math.floor(grain / GRAINS_A_SECTOR));
  }

  /** Completes when the file is as the map is now. */
  sync(done: Done): void {
    this.#writeFor(done);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #add(grain: number): void {
    if (this.#failure < 0 || this.#durable.has(grain)) return;
    this.#bits.add(grain);
    this.#stale.add(Math.floor(grain / GRAINS_A_SECTOR));
  }

  /** Completes with the next write that begins, or with the error of an earlier one. */
  #writeFor(done: Done): void {
    if (this.#failure < 0) done(this.#failure);
    else {
      this.#waiters.push(done);
      this.#write();
    }
  }

  #write(): void {
    if (this.#isWriting || this.#waiters.length === 0) return;
    this.#isWriting = true;
    const waiters = this.#waiters.splice(0);
    const sectors = [...this.#stale].sort((a, b) => a - b);
    this.#stale.clear();
    const raised = sectors.flatMap((index) => this.#grainsOf(index));
    this.#writeSectors(sectors, (result) => {
      this.#isWriting = false;
      if (result < 0) {
        this.#failure = result;
        waiters.push(...this.#waiters.splice(0));
      }
      // One that has fallen since is not relied on.
      else for (const grain of raised) if (this.#bits.has(grain)) this.#durable.add(grain);
      for (const done of waiters) done(result);
      this.#write();
    });
  }

  #writeSectors(sectors: readonly number[], done: Done): void {
    const runs: MapRun[] = [];
    for (let at = 0; at < sectors.length;) {
      const first = sectors[at] as number;
      const parts: Uint8Array[] = [];
      for (; sectors[at] === first + parts.length; at++) {
        parts.push(encodeMapSector(this.#bits, first + parts.length, this.#salt));
      }
      runs.push({ at: first * SECTOR_SIZE, bytes: Buffer.concat(parts) });
    }
    const [run] = runs;
    if (run !== undefined && runs.length === 1) this.#file.writeDurably(run.at, run.bytes, done);
    else this.#writeRuns(runs, 0, done);
  }

  /** One after the other, then a sync of all. */
  #writeRuns(runs: readonly MapRun[], index: number, done: Done): void {
    const run = runs[index];
    if (run === undefined) this.#file.sync(done);
    else
      this.#file.write(run.at, run.bytes, (result) => {
        if (result < 0) done(result);
        else this.#writeRuns(runs, index + 1, done);
      });
  }

  #grainsOf(index: number): number[] {
    const first = index * GRAINS_A_SECTOR;
    const end = first + GRAINS_A_SECTOR;
    const grains: number[] = [];
    for (let grain = this.#bits.next(first); grain >= 0 && grain < end; grain = this.#bits.next(grain + 1))
      grains.push(grain);
    return grains;
  }
}
