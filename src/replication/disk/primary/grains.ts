// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { BitSet } from '../bit-set.js';
import { SECTOR_SIZE } from '../local-disk.js';

/** A checkpoint that was closed and is not acked. */
export interface ClosedGrains {
  readonly epoch: number;
  /** As many as the disk has, after its first sync: a Set would take hundreds of megabytes. */
  readonly grains: BitSet;
}

/**
 * Which grains the backup lacks, and why; see docs/replication-protocol.md. A grain may be in several sets: the backup has
 * it when it is in none.
 */
export class Grains {
  readonly sectorsEach: number;
  /** The backup does not have them, not even in an open checkpoint. */
  readonly toSend: BitSet;
  /** Taken to be sent: they are read or compared now, and the backup does not have them yet. */
  readonly copying = new Set<number>();
  /** With the commit of the resync the backup has them: they are in its file, or were found equal. */
  readonly inResync: BitSet;
  /** The backup's file of the resync had them when the connection began: what it says of them is about that. */
  received: BitSet;
  /** Those of the resync that were found equal, and are not in the file. */
  readonly #equal: BitSet;
  /** The backup may have them: it is asked before they are sent. */
  readonly toAsk: BitSet;
  /** Written in the open checkpoint. */
  open: BitSet;
  committing: ClosedGrains[] = [];
  /** Written to their ends since the last sync of the local disk began. */
  #unsynced = new Set<number>();
  /** What was written before each sync that is under way. */
  readonly #syncing = new Set<ReadonlySet<number>>();
  /** How many writes of a grain are under way. */
  readonly #underWay = new Map<number, number>();

  constructor(grains: number, sectorsEach: number) {
    this.sectorsEach = sectorsEach;
    this.toSend = new BitSet(grains);
    this.inResync = new BitSet(grains);
    this.received = new BitSet(grains);
    this.#equal = new BitSet(grains);
    this.toAsk = new BitSet(grains);
    this.open = new BitSet(grains);
  }

  first(sector: number): number {
    return Math.floor(sector / this.sectorsEach);
  }
  last(sector: number, sectors: number): number {
    return Math.floor((sector + sectors - 1) / this.sectorsEach);
  }

  /** How many a resync has to bring, those that the backup's file has already included. */
  get resyncing(): number {
    let count = this.toSend.count;
    for (const grain of this.inResync) if (!this.toSend.has(grain)) count += 1;
    return count;
  }

  /** How many grains the backup may lack, at most. */
  get dirty(): number {
    const committing = this.committing.reduce((sum, { grains }) => sum + grains.count, 0);
    const resyncing = this.toSend.count + this.copying.size + this.inResync.count;
    return Math.min(resyncing + this.open.count + committing, this.toSend.size);
  }

  get dirtyBytes(): number {
    return this.dirty * this.sectorsEach * SECTOR_SIZE;
  }

  /** What the backup has of the resync is of no use any more: all of it is to be sent, if it is not found equal again. */
  dropResync(): void {
    this.toSend.addAll(this.inResync);
    this.toAsk.addAll(this.#equal);
    this.#forgetResync();
  }

  /**
   * The backup has these grains of the resync. Of one that goes on, what it has lost of them is to be sent; of another primary's,
   * or of an earlier run's, nothing is known: it is asked.
   */
  begun(received: BitSet, goesOn: boolean): void {
    this.received = received;
    if (goesOn) {
      for (const grain of this.inResync)
        if (!received.has(grain) && !this.#equal.has(grain)) this.again(grain);
    } else {
      this.toSend.addAll(received);
      this.toAsk.addAll(received);
    }
  }

  /** It was sent for the resync. */
  resent(grain: number): void {
    this.inResync.add(grain);
    this.#equal.delete(grain);
  }
  /** The backup says that it has it. */
  foundEqual(grain: number): void {
    this.inResync.add(grain);
    // What is equal is no less a part of the checkpoint than what was sent.
    if (!this.received.has(grain)) this.#equal.add(grain);
  }
  /** It is to be sent, whatever the resync has of it. */
  again(grain: number): void {
    this.copying.delete(grain);
    this.toSend.add(grain);
    this.inResync.delete(grain);
  }

  #forgetResync(): void {
    this.inResync.clear();
    this.#equal.clear();
    this.received = new BitSet(this.received.size);
  }

  begin(from: number, to: number): void {
    for (let grain = from; grain <= to; grain++) {
      this.#underWay.set(grain, (this.#underWay.get(grain) ?? 0) + 1);
    }
  }

  end(from: number, to: number): void {
    for (let grain = from; grain <= to; grain++) {
      const left = (this.#underWay.get(grain) as number) - 1;
      if (left > 0) this.#underWay.set(grain, left);
      else this.#underWay.delete(grain);
      // It may have reached the disk after a sync that was under way had passed it.
      this.#unsynced.add(grain);
    }
  }

  isUnderWay(grain: number): boolean {
    return this.#underWay.has(grain);
  }

  /** Closes the open checkpoint; what a resync has brought is a part of it. */
  close(epoch: number): void {
    this.open.addAll(this.inResync);
    this.#forgetResync();
    this.committing.push({ epoch, grains: this.open });
    this.open = new BitSet(this.open.size);
  }

  /** The backup has all epochs up to this one. */
  acked(epoch: number): void {
    this.committing = this.committing.filter((closed) => closed.epoch > epoch);
  }

  /** The open checkpoint and those closed from `epoch` on are void: what they have is to be sent again. */
  dropFrom(epoch: number): void {
    this.toSend.addAll(this.open);
    this.open.clear();
    for (const closed of this.committing) if (closed.epoch >= epoch) this.toSend.addAll(closed.grains);
    this.committing = this.committing.filter((closed) => closed.epoch < epoch);
  }

  /** The connection is over: the backup may have committed what was closed, so it is asked; but not what was open. */
  disconnected(): void {
    for (const { grains } of this.committing) this.toAsk.addAll(grains);
    for (const grain of this.open) this.toAsk.delete(grain);
    this.dropFrom(0);
  }

  /** What the backup lacks is sent, as a part of the open checkpoint. */
  sent(): void {
    this.open.addAll(this.toSend);
    this.toSend.clear();
  }

  /** A sync of the local disk begins, while others may be under way. What is returned must be called when it has ended. */
  syncBegins(): (succeeded: boolean) => void {
    const covered = this.#unsynced;
    this.#syncing.add(covered);
    this.#unsynced = new Set();
    return (succeeded) => {
      this.#syncing.delete(covered);
      if (!succeeded) for (const grain of covered) this.#unsynced.add(grain);
    };
  }

  /** Whether the backup has committed a grain's content as it is now. */
  isAtBackup(grain: number): boolean {
    return (
      !this.toSend.has(grain) &&
      !this.copying.has(grain) &&
      !this.inResync.has(grain) &&
      !this.open.has(grain) &&
      !this.committing.some(({ grains }) => grains.has(grain)) &&
      !this.#underWay.has(grain)
    );
  }

  /** Whether both sides have a grain's content on stable storage. */
  isClean(grain: number): boolean {
    return (
      this.isAtBackup(grain) &&
      !this.#unsynced.has(grain) &&
      ![...this.#syncing].some((grains) => grains.has(grain))
    );
  }
}
