// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Done } from '../local-disk.js';
import { closeAll } from '../state-file.js';
import { type RecordHeader, sealRecord } from './record.js';
import { NOTHING, type SegmentFile } from './segment-file.js';
import { BLOCK, type Marker } from './segment-format.js';

/** What a commit makes durable beside the records before it. */
export type CommitFacts = Omit<Marker, 'segment' | 'sequence' | 'at'>;

/** Where a journal is when it is opened. */
export interface JournalStart {
  /** The file with the newest marker; undefined: nothing is committed in any live segment. */
  readonly current: SegmentFile | undefined;
  readonly firstLive: number;
  /** The newest marker's. */
  readonly sequence: number;
}

export interface JournalParts {
  readonly files: readonly [SegmentFile, SegmentFile];
  /** 32 random bits. */
  readonly salt: () => number;
  /** A write or sync failed; no commit succeeds any more. Called once. */
  readonly onFailure: (result: number, path: string) => void;
}

/** What a record is in its checkpoint. */
export interface RecordUse {
  readonly isFirst: boolean;
  readonly isUrgent: boolean;
}

interface Commit {
  readonly facts: CommitFacts;
  readonly file: SegmentFile;
  readonly at: SegmentFile['at'];
  /** How many writes were issued before it. */
  readonly issued: number;
  readonly done: Done;
}

/**
 * The log of checkpoints on two files; see docs/replication-protocol.md for its format and crash argument.
 *
 * Records are written as they come. A commit is done once all before it is synced, a marker written, and that synced;
 * commits that come meanwhile share the next such round.
 */
export class Journal {
  readonly #parts: JournalParts;
  #current: SegmentFile;
  #firstLive: number;
  #sequence: number;
  #issued = 0;
  /** Writes that have not ended, by number; whether they are durable then. */
  readonly #outstanding = new Map<number, boolean>();
  #waiting: Commit[] = [];
  /** Those that the round under way makes durable; none: there is no round. */
  #round: readonly Commit[] = [];
  #failure = 0;

  constructor(parts: JournalParts, start: JournalStart) {
    this.#parts = parts;
    this.#firstLive = start.firstLive;
    this.#sequence = start.sequence;
    const [first, second] = parts.files;
    this.#current = start.current ?? first;
    if (start.current === undefined) {
      const number = Math.max(first.segment, second.segment, start.firstLive - 1) + 1;
      this.#begin(this.#current, number, NOTHING);
    }
  }

  get failure(): number {
    return this.#failure;
  }
  /** The number of the segment that records go to. */
  get segment(): number {
    return this.#current.segment;
  }
  get usedBytes(): number {
    return this.#live().reduce((sum, file) => sum + file.usedBytes, 0);
  }
  get limitBytes(): number {
    return this.#parts.files.reduce((sum, file) => sum + file.bytes, 0);
  }

  /**
   * Completes a record and writes it; `written` is called when it is written. The buffer is the journal's until then.
   *
   * @param isFirst the record is its checkpoint's first: a good place to go over to the other file
   * @param isUrgent a commit is going to wait for it
   * @returns where its bytes are, or undefined when the journal is full: then nothing has happened
   */
  append(
    record: Uint8Array,
    header: Pick<RecordHeader, 'kind' | 'checkpoint' | 'extents'>,
    { isFirst, isUrgent }: RecordUse,
    written: Done,
  ): { readonly file: SegmentFile; readonly position: number } | undefined {
    // An abort may use the last block, which is kept for it.
    const needed = record.length + (header.kind === 'abort' ? 0 : BLOCK);
    const other = this.#free();
    const isHalfFull = this.#current.usedBytes > this.#current.bytes / 2;
    if (!this.#current.hasRoomFor(needed) || (isFirst && isHalfFull && other !== undefined)) {
      if (other === undefined) return undefined;
      this.#begin(other, this.#current.segment + 1, this.#current.at);
      this.#current = other;
      if (!other.hasRoomFor(needed)) return undefined;
    }
    const file = this.#current;
    const { end, records, chain } = file.at;
    const { segment, salt } = file;
    const whole = { ...header, segment, number: records, bytes: record.length };
    const next = sealRecord(record, whole, { salt, chain });
    // Where nothing is to be synced, it may as well be written durably: that is one call less for the commit to wait for.
    const isDurable = isUrgent && !this.#needsSync;
    const issue = this.#issue(file, isDurable);
    file.append(record, next, isDurable, (result) => {
      issue(result);
      written(result);
    });
    return { file, position: end };
  }

  /** Commits all records before; 0 once that is on stable storage, in the order of the calls. */
  commit(facts: CommitFacts, done: Done): void {
    if (this.#failure < 0) done(this.#failure);
    else {
      this.#waiting.push({ facts, file: this.#current, at: this.#current.at, issued: this.#issued, done });
      this.#startRound();
    }
  }

  /** Segments before this one are on the image, durably, and so are the metadata that say so. */
  retire(firstLive: number): void {
    this.#firstLive = firstLive;
  }

  async close(): Promise<void> {
    await closeAll(this.#parts.files.map(({ file }) => file));
  }

  #live(): SegmentFile[] {
    const newest = this.#current.segment;
    return this.#parts.files.filter(({ segment }) => segment >= this.#firstLive && segment <= newest);
  }

  #free(): SegmentFile | undefined {
    const live = this.#live();
    return this.#parts.files.find((file) => !live.includes(file));
  }

  /** Whether something was written, or is being written, that only a sync makes durable. */
  get #needsSync(): boolean {
    return (
      this.#parts.files.some(({ needsSync }) => needsSync) ||
      [...this.#outstanding.values()].some((isDurable) => !isDurable)
    );
  }

  #begin(file: SegmentFile, segment: number, previous: SegmentFile['at']): void {
    file.begin({ segment, salt: this.#parts.salt(), previous }, this.#issue(file));
  }

  /** Counts a write that is issued; the returned function must be called with its result. */
  #issue(file: SegmentFile, isDurable = false): Done {
    this.#issued += 1;
    const issue = this.#issued;
    this.#outstanding.set(issue, isDurable);
    return (result) => {
      this.#outstanding.delete(issue);
      if (result < 0) this.#fail(result, file);
      else this.#syncRound();
    };
  }

  #startRound(): void {
    if (this.#round.length > 0) return;
    this.#round = this.#waiting;
    this.#waiting = [];
    this.#syncRound();
  }

  /** Begins the syncs of the round once all writes that it covers have ended. */
  #syncRound(): void {
    const last = this.#round.at(-1);
    if (last === undefined || this.#syncing) return;
    for (const issue of this.#outstanding.keys()) if (issue <= last.issued) return;
    this.#syncing = true;
    const [first, second] = this.#parts.files;
    this.#sync(first, () => this.#sync(second, () => this.#mark(last)));
  }
  #syncing = false;

  #mark({ facts, file, at }: Commit): void {
    this.#sequence += 1;
    const marker: Marker = { ...facts, segment: file.segment, sequence: this.#sequence, at };
    file.writeMarker(marker, (result) => {
      if (result < 0) this.#fail(result, file);
      else this.#endRound();
    });
  }

  #endRound(): void {
    const ended = this.#round;
    this.#round = [];
    this.#syncing = false;
    for (const { done } of ended) done(0);
    this.#startRound();
  }

  #sync(file: SegmentFile, next: () => void): void {
    file.sync((result) => {
      if (result < 0) this.#fail(result, file);
      else if (this.#failure === 0) next();
    });
  }

  #fail(result: number, { file }: SegmentFile): void {
    if (this.#failure < 0) return;
    this.#failure = result;
    const lost = [...this.#round, ...this.#waiting];
    this.#round = [];
    this.#waiting = [];
    for (const { done } of lost) done(result);
    this.#parts.onFailure(result, file.path);
  }
}
