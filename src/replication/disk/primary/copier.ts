// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createHash } from 'node:crypto';
import { errnoCode } from '../../../posix/errno.js';
import { type LocalDisk, SECTOR_SIZE } from '../local-disk.js';
import type { BackupPeer, SyncChannel } from '../sessions.js';
import { spareBuffers } from '../spare-buffers.js';
import type { Grains } from './grains.js';

/** The longest read, in bytes: a grain if that is longer. */
const RUN_BYTES = 256 << 10;
/** How many grains the backup is asked about at a time. */
const MAX_ASKED = 32;
/** What may be read, a full run for each read, or wait to be sent: it is lost with the connection, and read again. */
const MAX_ON_THE_WAY_BYTES = 1 << 20;
/** What may be at the backup without being on its stable storage. */
const MAX_UNACKED_BYTES = 64 << 20;

/** Grains that are being read, or asked about. */
interface Run {
  readonly first: number;
  readonly count: number;
  /** Over this the backup is asked whether it has it, before it is sent; undefined: it is sent at once. */
  readonly asks: SyncChannel | undefined;
  /** One of them was written since. */
  isVoid: boolean;
}

export interface CopierParts {
  readonly disk: LocalDisk;
  readonly grains: Grains;
  readonly peer: BackupPeer;
  /** Something was sent; how many bytes, zeroes counted. */
  readonly onSent: (bytes: number) => void;
  /** The backup has so many more of them, and keeps them when the connection breaks. */
  readonly onStored: (bytes: number) => void;
  /** Something has ended: more may be done, such as {@link Copier.pump}. */
  readonly onEnded: () => void;
  /** A grain cannot be read. */
  readonly onFailure: (message: string) => void;
}

/**
 * Sends the grains that the backup lacks.
 *
 * A grain is read while no write of it is under way, and what was read is sent only if none was begun meanwhile: so what is
 * sent is what the local disk has, in the stream's order with the writes that are sent themselves.
 */
export class Copier {
  readonly #parts: CopierParts;
  readonly #runs = new Set<Run>();
  /** What was sent and is not on the backup's stable storage. */
  #unacked: { readonly sequence: number; readonly run: Run; readonly bytes: number }[] = [];
  #unackedBytes = 0;
  readonly #asked = new Map<number, Run>();
  #next = 0;
  #isStopped = false;

  constructor(parts: CopierParts) {
    this.#parts = parts;
  }

  /** Whether there is nothing left to send, nor on its way to be. */
  get isDone(): boolean {
    return this.#parts.grains.toSend.count === 0 && this.#runs.size === 0;
  }

  /** A write of these grains begins. */
  written(from: number, to: number): void {
    for (const run of this.#runs) {
      if (run.first <= to && run.first + run.count > from) run.isVoid = true;
    }
  }

  /** Reads and sends as much as may be. To be called whenever something may have changed. */
  pump(): void {
    const { peer } = this.#parts;
    const onTheWay = (): number => peer.queuedBytes + (this.#runs.size - this.#asked.size) * RUN_BYTES;
    while (!this.#isStopped && onTheWay() < MAX_ON_THE_WAY_BYTES) {
      if (this.#unackedBytes >= MAX_UNACKED_BYTES || this.#asked.size >= MAX_ASKED) return;
      const run = this.#take();
      if (run === undefined) return;
      this.#read(run);
    }
  }

  progress(sequence: number): void {
    for (
      let [first] = this.#unacked;
      first !== undefined && first.sequence <= sequence;
      [first] = this.#unacked
    ) {
      this.#unacked.shift();
      this.#acked(first.bytes);
    }
    this.pump();
  }

  compared(sequence: number, differs: boolean): void {
    const run = this.#asked.get(sequence);
    this.#asked.delete(sequence);
    if (run?.isVoid) {
      this.#ended(run, true);
    } else if (run && differs) {
      this.#read(run, true);
    } else if (run) {
      const { grains, onStored } = this.#parts;
      grains.foundEqual(run.first);
      onStored(grains.sectorsEach * SECTOR_SIZE);
      this.#ended(run, false);
    }
    this.#parts.onEnded();
  }

  /** All that was sent belongs to a checkpoint from now on, whose answer says what became of it. */
  handOver(): void {
    this.#unacked = [];
    this.#acked(this.#unackedBytes);
  }

  /** The connection is over, or the resync: what is not known to be at the backup is to be sent again, by another copier. */
  stop(): void {
    this.#isStopped = true;
    const { grains } = this.#parts;
    for (const run of this.#runs) {
      this.#again(run);
      if (run.asks !== undefined && !run.isVoid) grains.toAsk.add(run.first);
    }
    for (const { run } of this.#unacked) this.#again(run);
  }

  /** The next run of grains that no write is under way for. */
  #take(): Run | undefined {
    const { grains, peer } = this.#parts;
    const asks = (grain: number): SyncChannel | undefined =>
      grains.toAsk.has(grain) ? peer.sync : undefined;
    const perRun = RUN_BYTES / (grains.sectorsEach * SECTOR_SIZE);
    const isFree = (grain: number): boolean => grains.toSend.has(grain) && !grains.isUnderWay(grain);
    const first = this.#firstFree();
    if (first === undefined) return undefined;
    const channel = asks(first);
    const most = channel ? 1 : perRun;
    let count = 1;
    while (count < most && isFree(first + count) && !asks(first + count)) count += 1;
    for (let grain = first; grain < first + count; grain++) {
      grains.toSend.delete(grain);
      grains.copying.add(grain);
    }
    grains.toAsk.delete(first);
    this.#next = first + count;
    return { first, count, asks: channel, isVoid: false };
  }

  /** The next grain that no write is under way for, after the last run or else from the start. */
  #firstFree(): number | undefined {
    const { toSend } = this.#parts.grains;
    for (const from of [this.#next, 0]) {
      for (let grain = toSend.next(from); grain >= 0; grain = toSend.next(grain + 1)) {
        if (!this.#parts.grains.isUnderWay(grain)) return grain;
      }
    }
    return undefined;
  }

  #read(run: Run, isKnownToDiffer = false): void {
    const { disk, grains } = this.#parts;
    const sector = run.first * grains.sectorsEach;
    const sectors = Math.min(run.count * grains.sectorsEach, disk.sectors - sector);
    const buffer = spareBuffers.take(sectors * SECTOR_SIZE);
    this.#runs.add(run);
    disk.read(sector, buffer, (result) => {
      this.#hasRead(run, buffer, result, isKnownToDiffer);
      // What was sent of it is copied.
      spareBuffers.give(buffer);
    });
  }

  #hasRead(run: Run, buffer: Buffer, result: number, isKnownToDiffer: boolean): void {
    const { grains, onFailure } = this.#parts;
    const sector = run.first * grains.sectorsEach;
    if (this.#isStopped) return;
    if (result < 0) {
      this.#ended(run, true);
      this.#isStopped = true;
      onFailure(
        `cannot read ${buffer.length / SECTOR_SIZE} sectors at ${sector} for the backup: ${errnoCode(result)}`,
      );
    } else if (run.isVoid) {
      this.#ended(run, true);
    } else if (run.asks !== undefined && !isKnownToDiffer) {
      const sum = createHash('sha256').update(buffer).digest();
      this.#asked.set(run.asks.compare(sector, buffer.length / SECTOR_SIZE, sum), run);
    } else {
      this.#send(run, sector, buffer);
      this.#ended(run, false);
    }
    this.#parts.onEnded();
  }

  #send(run: Run, sector: number, buffer: Buffer): void {
    const { peer, grains, onSent } = this.#parts;
    const each = grains.sectorsEach * SECTOR_SIZE;
    for (const part of partsOf(buffer, each)) {
      const at = sector + part.from / SECTOR_SIZE;
      const bytes = buffer.subarray(part.from, part.to);
      const first = run.first + part.from / each;
      const sent = { first, count: Math.ceil(bytes.length / each), asks: undefined, isVoid: false };
      const { sync } = peer;
      if (sync !== undefined) {
        const sequence = part.isZero ? sync.zero(at, bytes.length / SECTOR_SIZE) : sync.send(at, bytes);
        this.#unacked.push({ sequence, run: sent, bytes: bytes.length });
        this.#unackedBytes += bytes.length;
        for (let grain = first; grain < first + sent.count; grain++) grains.resent(grain);
      } else {
        if (part.isZero) peer.zero(at, bytes.length / SECTOR_SIZE);
        else peer.write(at, bytes);
        for (let grain = first; grain < first + sent.count; grain++) grains.open.add(grain);
      }
      onSent(bytes.length);
    }
  }

  #acked(bytes: number): void {
    this.#unackedBytes -= bytes;
    this.#parts.onStored(bytes);
  }

  #ended(run: Run, again: boolean): void {
    this.#runs.delete(run);
    const { copying } = this.#parts.grains;
    for (let grain = run.first; grain < run.first + run.count; grain++) copying.delete(grain);
    if (again) this.#again(run);
  }

  #again({ first, count }: Run): void {
    for (let grain = first; grain < first + count; grain++) this.#parts.grains.again(grain);
  }
}

/** A buffer in parts of whole pieces of a length, each all zeroes or not; the last may end after the buffer. */
function partsOf(buffer: Buffer, each: number): { from: number; to: number; isZero: boolean }[] {
  const parts: { from: number; to: number; isZero: boolean }[] = [];
  for (let from = 0; from < buffer.length; from += each) {
    const to = from + each;
    const isZero = isAllZero(buffer.subarray(from, to));
    const last = parts.at(-1);
    if (last?.isZero === isZero) last.to = to;
    else parts.push({ from, to, isZero });
  }
  return parts;
}

/** Whether one byte or more are all zeroes: the first is, and each is as the one before. */
export function isAllZero(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && Buffer.compare(bytes.subarray(1), bytes.subarray(0, -1)) === 0;
}
