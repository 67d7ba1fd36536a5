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
/** The longest hole, which is not read: what a frame covers at most. */
const HOLE_BYTES = 1 << 30;
/** After a run that was a hole, the next one may be longer by so much. */
const HOLE_GROWTH = 8;
/** How many grains the backup is asked about at a time. */
const MAX_ASKED = 32;
/** What may be read, a full run for each read, or wait to be sent: it is lost with the connection, and read again. */
const MAX_ON_THE_WAY_BYTES = 1 << 20;
/** What may be at the backup without being on its stable storage. */
const MAX_UNACKED_BYTES = 64 << 20;

/** Grains in a row. */
interface Row {
  readonly first: number;
  count: number;
}

/** Grains that are being read, or asked about. */
interface Run extends Row {
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
  #unacked: {
    readonly sequence: number;
    readonly run: Row;
    readonly bytes: number;
  }[] = [];
  #unackedBytes = 0;
  readonly #asked = new Map<number, Run>();
  #next = 0;
  /** How many grains the next run may have, if it is a hole. */
  #longest: number;
  #isPumping = false;
  #isStopped = false;

  constructor(parts: CopierParts) {
    this.#parts = parts;
    this.#longest = this.#grainsOf(RUN_BYTES);
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
    // What ends at once asks for more: the loop that has begun it goes on, since calls within calls would fill the stack.
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      this.#startRuns();
    } finally {
      this.#isPumping = false;
    }
  }

  #startRuns(): void {
    const { peer } = this.#parts;
    const onTheWay = (): number => peer.queuedBytes + (this.#runs.size - this.#asked.size) * RUN_BYTES;
    while (!this.#isStopped && onTheWay() < MAX_ON_THE_WAY_BYTES) {
      if (this.#unackedBytes >= MAX_UNACKED_BYTES || this.#asked.size >= MAX_ASKED) return;
      const run = this.#take();
      if (run === undefined) return;
      this.#start(run);
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
    const isFree = (grain: number): boolean => grains.toSend.has(grain) && !grains.isUnderWay(grain);
    const first = this.#firstFree();
    if (first === undefined) return undefined;
    const channel = asks(first);
    const most = channel ? 1 : this.#longest;
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

  /** Sends a hole at the start of a run as one, without reading it; what is none is read. */
  #start(run: Run): void {
    const { disk, peer } = this.#parts;
    // To a C driver, zeroes are data.
    if (disk.extents === undefined || peer.sync === undefined || run.asks) {
      this.#read(run);
      return;
    }
    this.#runs.add(run);
    const { sector, sectors } = this.#rangeOf(run);
    disk.extents(sector, sectors, (_result, extents = []) => {
      if (this.#isStopped) return;
      if (run.isVoid) this.#ended(run, true);
      else if (extents[0]?.zero) this.#hasHole(run, extents[0].sectors);
      else this.#hasNoHole(run);
      this.#parts.onEnded();
    });
  }

  #hasHole(run: Run, holeSectors: number): void {
    const { disk, grains } = this.#parts;
    const { sector, sectors } = this.#rangeOf(run);
    const isToEnd = holeSectors >= disk.sectors - sector;
    const whole = isToEnd ? run.count : Math.floor(holeSectors / grains.sectorsEach);
    if (whole === 0) {
      this.#hasNoHole(run);
      return;
    }
    if (whole >= run.count) this.#longest = Math.min(run.count * HOLE_GROWTH, this.#grainsOf(HOLE_BYTES));
    this.#shorten(run, whole);
    this.#sendPart(run.first, sector, Math.min(sectors, whole * grains.sectorsEach), undefined);
    this.#ended(run, false);
  }

  #hasNoHole(run: Run): void {
    this.#longest = this.#grainsOf(RUN_BYTES);
    this.#shorten(run, this.#longest);
    this.#read(run);
  }

  /** Gives the rest of a run back. */
  #shorten(run: Run, count: number): void {
    if (run.count <= count) return;
    this.#again({ first: run.first + count, count: run.count - count });
    run.count = count;
    this.#next = run.first + count;
  }

  #grainsOf(bytes: number): number {
    return Math.max(bytes / (this.#parts.grains.sectorsEach * SECTOR_SIZE), 1);
  }

  #rangeOf({ first, count }: Run): { sector: number; sectors: number } {
    const { disk, grains } = this.#parts;
    const sector = first * grains.sectorsEach;
    return { sector, sectors: Math.min(count * grains.sectorsEach, disk.sectors - sector) };
  }

  #read(run: Run, isKnownToDiffer = false): void {
    const { disk } = this.#parts;
    const { sector, sectors } = this.#rangeOf(run);
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
    const each = this.#parts.grains.sectorsEach * SECTOR_SIZE;
    for (const part of partsOf(buffer, each)) {
      const bytes = buffer.subarray(part.from, part.to);
      const at = sector + part.from / SECTOR_SIZE;
      const first = run.first + part.from / each;
      this.#sendPart(first, at, bytes.length / SECTOR_SIZE, part.isZero ? undefined : bytes);
    }
  }

  /** @param bytes undefined: zeroes */
  #sendPart(first: number, sector: number, sectors: number, bytes: Buffer | undefined): void {
    const { peer, grains, onSent } = this.#parts;
    const count = Math.ceil(sectors / grains.sectorsEach);
    const length = sectors * SECTOR_SIZE;
    const { sync } = peer;
    if (sync !== undefined) {
      const sequence = bytes ? sync.send(sector, bytes) : sync.zero(sector, sectors);
      this.#unacked.push({ sequence, run: { first, count }, bytes: length });
      this.#unackedBytes += length;
      for (let grain = first; grain < first + count; grain++) grains.resent(grain);
    } else {
      if (bytes) peer.write(sector, bytes);
      else peer.zero(sector, sectors);
      for (let grain = first; grain < first + count; grain++) grains.open.add(grain);
    }
    onSent(length);
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

  #again({ first, count }: Row): void {
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
