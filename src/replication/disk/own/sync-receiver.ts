// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { SyncTarget } from '../backup/sync-target.js';
import { type Done, SECTOR_SIZE } from '../local-disk.js';
import { spareBuffers } from '../spare-buffers.js';
import { Timer, type TimerHost } from '../timer.js';
import type { FrameExtent } from '../wire/frame.js';

/** The file is synced, and the primary notified, after so much or so long. */
const SYNC_BYTES = 32 << 20;
const SYNC_SECONDS = 1;
/** What may be in memory on its way to the target. */
const MAX_WRITING_BYTES = 16 << 20;

export interface SyncReceiverParts {
  readonly host: TimerHost;
  readonly target: SyncTarget;
  readonly progress: (sequence: number) => void;
  readonly onFailure: (result: number) => void;
  /** Something that was written has ended. */
  readonly onWritten: () => void;
}

/** Takes a resync's grains in, and says how far they are on stable storage. */
export class SyncReceiver {
  readonly target: SyncTarget;
  readonly #parts: SyncReceiverParts;
  readonly #timer: Timer;
  #writingBytes = 0;
  #unsyncedBytes = 0;
  #lastSequence!: number;
  #isSyncing = false;
  /** Another sync became due during the one that is under way. */
  #isDue = false;
  /** They wait until nothing is being written or synced. */
  #idle: (() => void)[] = [];
  #isOver = false;

  constructor(parts: SyncReceiverParts) {
    this.#parts = parts;
    this.target = parts.target;
    this.#timer = new Timer(parts.host, () => this.#sync());
  }

  get hasRoom(): boolean {
    return this.#writingBytes < MAX_WRITING_BYTES;
  }

  take(sequence: number, extents: readonly FrameExtent[]): void {
    this.#lastSequence = sequence;
    for (const run of runsOf(extents)) {
      const { sector } = run[0] as FrameExtent;
      const sectors = sectorsOf(run);
      const bytes = sectors * SECTOR_SIZE;
      this.#writingBytes += bytes;
      this.#unsyncedBytes += bytes;
      const copy = copyOf(run);
      const ended: Done = (result) => {
        if (copy) spareBuffers.give(copy);
        this.#writingBytes -= bytes;
        if (this.#isOver) return;
        if (result < 0) this.#parts.onFailure(result);
        else this.#parts.onWritten();
        this.#check();
      };
      if (copy === undefined) this.target.zero(sector, sectors, ended);
      else {
        const crcs = run.map(({ crc }) => crc);
        this.target.write(sector, copy, ended, crcs);
      }
    }
    if (!this.#timer.isSet) this.#timer.set(SYNC_SECONDS);
    if (this.#unsyncedBytes >= SYNC_BYTES) this.#sync();
  }

  /** Calls `next` once nothing is being written or synced. */
  whenIdle(next: () => void): void {
    this.#idle.push(next);
    this.#check();
  }

  close(): void {
    this.#isOver = true;
    this.#timer.close();
  }

  #sync(): void {
    if (this.#isSyncing) {
      this.#isDue = true;
      return;
    }
    this.#timer.clear();
    const sequence = this.#lastSequence;
    this.#isSyncing = true;
    this.#unsyncedBytes = 0;
    // What is being written has to end before the sync begins: the progress is about it too.
    this.#afterWriting(() => {
      this.target.sync((result) => {
        this.#isSyncing = false;
        if (this.#isOver) return;
        if (result < 0) this.#parts.onFailure(result);
        else this.#parts.progress(sequence);
        this.#syncAgain();
        this.#check();
      });
    });
  }

  /** The primary may send nothing more before it hears of what came during a long sync. A commit syncs that by itself. */
  #syncAgain(): void {
    const isDue = this.#isDue && this.#idle.length === 0;
    this.#isDue = false;
    if (isDue && !this.#isOver) this.#sync();
  }

  #afterWriting(next: () => void): void {
    if (this.#writingBytes === 0) next();
    else this.#written.push(next);
  }
  #written: (() => void)[] = [];

  #check(): void {
    if (this.#writingBytes > 0) return;
    const written = this.#written;
    this.#written = [];
    for (const next of written) next();
    if (this.#isSyncing || this.#idle.length === 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const next of idle) next();
  }
}

/** Extents of data that follow one another on the disk go together; one of zeroes is alone. */
function runsOf(extents: readonly FrameExtent[]): FrameExtent[][] {
  const runs: FrameExtent[][] = [];
  for (const extent of extents) {
    const last = runs.at(-1)?.at(-1);
    const follows =
      last?.data !== undefined && extent.data !== undefined && last.sector + last.sectors === extent.sector;
    if (follows) runs.at(-1)?.push(extent);
    else runs.push([extent]);
  }
  return runs;
}

function sectorsOf(run: readonly FrameExtent[]): number {
  return run.reduce((sum, { sectors }) => sum + sectors, 0);
}

/** The data of a run, as the frame's body is the stream's again before it is written; undefined: zeroes. */
function copyOf(run: readonly FrameExtent[]): Buffer | undefined {
  if (run[0]?.data === undefined) return undefined;
  const copy = spareBuffers.take(sectorsOf(run) * SECTOR_SIZE);
  let at = 0;
  for (const { data } of run) {
    if (data) copy.set(data, at);
    at += data?.length ?? 0;
  }
  return copy;
}
