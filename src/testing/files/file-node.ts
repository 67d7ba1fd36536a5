// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { FileRange } from '../../posix/file-holes.js';
import { applyChange, type FileChange } from './change.js';
import { FileContent } from './content.js';
import type { Survival } from './survival.js';

/** What a medium reads and loses at once. */
export const SECTOR_BYTES = 512;

interface Unsynced {
  readonly change: FileChange;
  /** The moment of the change: its number among all changes of this file, from 1. */
  readonly moment: number;
}

/**
 * A regular file: what is on the medium, what a reader sees (the page cache), and the changes that are in the second but
 * may not be on the first yet.
 */
export class FileNode {
  readonly kind = 'regular' as const;
  readonly id: number;
  /** Its permission bits. */
  mode: number;
  /** Seconds since the epoch; survives a crash as it is. */
  modifiedSeconds = 0;
  #durable = new FileContent();
  #cached = new FileContent();
  #unsynced: Unsynced[] = [];
  #moment = 0;
  /** Sectors that the medium cannot read any more. */
  readonly #bad = new Set<number>();

  constructor(id: number, mode: number) {
    this.id = id;
    this.mode = mode;
  }

  copy(): FileNode {
    const copy = new FileNode(this.id, this.mode);
    copy.modifiedSeconds = this.modifiedSeconds;
    copy.#durable = this.#durable.copy();
    copy.#cached = this.#cached.copy();
    copy.#unsynced = [...this.#unsynced];
    copy.#moment = this.#moment;
    for (const sector of this.#bad) copy.#bad.add(sector);
    return copy;
  }

  get size(): number {
    return this.#cached.size;
  }

  /** How many pages it takes. */
  get pages(): number {
    return this.#cached.pages;
  }

  /** As `FileContent.holes`, of what a reader sees. */
  holes(): FileRange[] {
    return this.#cached.holes();
  }

  /** The moment of the latest change: what {@link sync} is to cover. */
  get moment(): number {
    return this.#moment;
  }

  missingPages(position: number, length: number): number {
    return this.#cached.missingPages(position, length);
  }

  /** Reads from the beginning, as if every sector could be read. */
  peek(buffer: Uint8Array): void {
    this.#cached.read(buffer, 0);
  }

  /** As `FileContent.read`; undefined when a sector of it cannot be read. */
  read(buffer: Uint8Array, position: number): number | undefined {
    const length = this.#cached.read(buffer, position);
    if (length === 0) return 0;
    for (const sector of this.#bad) {
      const start = sector * SECTOR_BYTES;
      if (start < position + length && position < start + SECTOR_BYTES) return undefined;
    }
    return length;
  }

  change(change: FileChange): void {
    applyChange(this.#cached, change);
    this.#unsynced.push({ change, moment: ++this.#moment });
    if (change.kind !== 'write') return;
    // A medium replaces a bad sector when it is written.
    const { position, bytes } = change;
    for (const sector of this.#bad) {
      const start = sector * SECTOR_BYTES;
      if (start >= position && start + SECTOR_BYTES <= position + bytes.length) this.#bad.delete(sector);
    }
  }

  /** Brings every change up to a moment to the medium. */
  sync(moment: number): void {
    for (const change of this.#take(moment)) applyChange(this.#durable, change);
  }

  /** Brings one write to the medium, and of what was done before no more than it needs: as of a file opened with O_DSYNC. */
  syncChange(moment: number): void {
    const own = this.#unsynced.find((one) => one.moment === moment)?.change;
    if (own?.kind !== 'write') return;
    const taken = this.#unsynced.filter(
      (one) => one.moment <= moment && (one.change.kind !== 'write' || overlap(one.change, own)),
    );
    this.#unsynced = this.#unsynced.filter((one) => !taken.includes(one));
    for (const { change } of taken) applyChange(this.#durable, change);
  }

  /**
   * A sync that fails, as on Linux: what was not written stays in the page cache, but nobody tries again. The next
   * sync succeeds, and a loss of power, or the page's being evicted, loses the change.
   */
  failSync(moment: number, survival: Survival, evicts: boolean): void {
    for (const change of this.#take(moment)) this.#survive(change, survival);
    if (evicts) this.evict();
  }

  /** Forgets what is cached: readers see the medium, and over it what has still to be written back. */
  evict(): void {
    this.#cached = this.#durable.copy();
    for (const { change } of this.#unsynced) applyChange(this.#cached, change);
  }

  /** The power is gone. */
  losePower(survival: Survival): void {
    for (const change of this.#take(this.#moment)) this.#survive(change, survival);
    this.evict();
  }

  /** Flips bits of one byte on the medium. @throws RangeError when the file has no such byte */
  rot(position: number, bits: number): void {
    const byte = new Uint8Array(1);
    if (!(position >= 0) || this.#durable.read(byte, position) === 0)
      throw new RangeError(`byte ${position} of a file of ${this.#durable.size} bytes cannot rot`);
    byte[0] = (byte[0] as number) ^ bits;
    this.#durable.write(byte, position);
    this.evict();
  }

  /** Makes every read of the sectors of a range fail, until they are written. */
  spoil(position: number, length: number): void {
    for (const sector of sectorsOf(position, length)) this.#bad.add(sector);
  }

  #survive(change: FileChange, survival: Survival): void {
    for (const left of survival.remains(change)) applyChange(this.#durable, left);
  }

  #take(moment: number): FileChange[] {
    const taken = this.#unsynced.filter((one) => one.moment <= moment);
    this.#unsynced = this.#unsynced.filter((one) => one.moment > moment);
    return taken.map(({ change }) => change);
  }
}

type Write = FileChange & { readonly kind: 'write' };

function overlap(one: Write, other: Write): boolean {
  return (
    one.position < other.position + other.bytes.length && other.position < one.position + one.bytes.length
  );
}

function sectorsOf(position: number, length: number): number[] {
  const first = Math.floor(position / SECTOR_BYTES);
  const end = Math.ceil((position + length) / SECTOR_BYTES);
  return Array.from({ length: end - first }, (_, index) => first + index);
}
