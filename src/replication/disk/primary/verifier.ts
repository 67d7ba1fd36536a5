// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createHash } from 'node:crypto';
import { type LocalDisk, SECTOR_SIZE } from '../local-disk.js';
import type { BackupPeer, Compared } from '../sessions.js';
import type { Grains } from './grains.js';

/** How many grains are asked about at a time when a verification was asked for. */
const DEPTH = 4;

export interface VerifierParts {
  readonly disk: LocalDisk;
  readonly grains: Grains;
  /** The backup, while the disk is protected by an own one; undefined: nothing can be verified now. */
  readonly peer: () => BackupPeer | undefined;
  readonly nowSeconds: () => number;
  /** The end of the disk was reached, or sectors were found to differ, or to be unreadable at the backup. */
  readonly verified: (what: 'ended' | 'difference' | 'unreadable', sector: number, sectors: number) => void;
}

interface Asked {
  readonly grain: number;
  /** It was written since it was read. */
  isVoid: boolean;
}

/**
 * Compares the local disk with the backup, grain by grain, all over and then again.
 *
 * A grain is compared while the backup has all of its writes: its content is read, and asked about in the stream before any
 * later write of it, so both sides speak of the same checkpoint. One that is being written is left for the next time round.
 */
export class Verifier {
  readonly #parts: VerifierParts;
  readonly #sectorsEach: number;
  readonly #reading = new Set<Asked>();
  readonly #asked = new Map<number, Asked>();
  readonly #different = new Set<number>();
  /** What the backup could not read. */
  readonly #unreadable = new Set<number>();
  #next = 0;
  #budgetBytes = 0;
  /** They wait until so many grains more were looked at. */
  #waiting: { readonly ended: (differences: number) => void; left: number }[] = [];
  endedAtSeconds: number | undefined;

  constructor(parts: VerifierParts) {
    this.#parts = parts;
    this.#sectorsEach = parts.grains.sectorsEach;
  }

  /** Sectors in grains that differ, as far as is known. */
  get differences(): number {
    return this.#different.size * this.#sectorsEach;
  }
  /** Sectors in grains that the backup cannot read, as far as is known. */
  get unreadable(): number {
    return this.#unreadable.size * this.#sectorsEach;
  }
  /** The grains that differ or cannot be read; they are forgotten, for the resync that sends them again. */
  takeDifferent(): readonly number[] {
    const different = [...this.#different, ...this.#unreadable];
    this.#different.clear();
    this.#unreadable.clear();
    return different;
  }

  /** Compares all of the disk as fast as it goes; reports how many sectors are known to differ. */
  verifyAll(ended: (differences: number) => void): void {
    this.#waiting.push({ ended, left: this.#parts.grains.toSend.size });
    this.pump();
  }

  /** Some time is over, in which this many bytes may be compared. */
  allow(bytes: number): void {
    // What could not be used is not saved up.
    this.#budgetBytes = Math.min(this.#budgetBytes, 0) + bytes;
    this.pump();
  }

  /** A write of these grains begins. */
  written(from: number, to: number): void {
    for (const asked of this.#reading) if (asked.grain >= from && asked.grain <= to) asked.isVoid = true;
  }

  compared(sequence: number, answer: Compared): void {
    const asked = this.#asked.get(sequence);
    if (asked === undefined) return;
    this.#asked.delete(sequence);
    if (answer !== 'equal') {
      const isRead = answer === 'different';
      (isRead ? this.#different : this.#unreadable).add(asked.grain);
      const what = isRead ? 'difference' : 'unreadable';
      this.#parts.verified(what, asked.grain * this.#sectorsEach, this.#sectorsEach);
    }
    this.#notifyEnded();
    this.pump();
  }

  /** The backup is not there any more: what was asked is not answered. */
  forget(): void {
    this.#asked.clear();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { ended } of waiting) ended(this.differences);
  }

  pump(): void {
    for (;;) {
      const peer = this.#parts.peer();
      const isBusy = this.#reading.size + this.#asked.size >= DEPTH;
      const mayGoOn = this.#waiting.length > 0 || this.#budgetBytes > 0;
      // Those who wait for the end are called once all requests are answered.
      const isEnding = this.#waiting.some(({ left }) => left === 0);
      if (peer?.sync === undefined || isBusy || isEnding || !mayGoOn) return;
      this.#step(peer);
    }
  }

  #step(peer: BackupPeer): void {
    const { grains, disk } = this.#parts;
    const grain = this.#next;
    const sector = grain * this.#sectorsEach;
    const sectors = Math.min(this.#sectorsEach, disk.sectors - sector);
    this.#budgetBytes -= sectors * SECTOR_SIZE;
    if (grains.isAtBackup(grain)) this.#read(peer, { grain, isVoid: false }, sector, sectors);
    this.#next = (grain + 1) % grains.toSend.size;
    if (this.#next === 0) {
      this.endedAtSeconds = this.#parts.nowSeconds();
      this.#parts.verified('ended', 0, disk.sectors);
    }
    for (const waiting of this.#waiting) waiting.left -= 1;
    this.#notifyEnded();
  }

  #read(peer: BackupPeer, asked: Asked, sector: number, sectors: number): void {
    const buffer = Buffer.allocUnsafe(sectors * SECTOR_SIZE);
    this.#reading.add(asked);
    this.#parts.disk.read(sector, buffer, (result) => {
      this.#reading.delete(asked);
      // A disk that cannot be read is no difference: its own users hear of it.
      if (result === 0 && !asked.isVoid && this.#parts.peer() === peer && peer.sync) {
        const sum = createHash('sha256').update(buffer).digest();
        this.#asked.set(peer.sync.compare(sector, sectors, sum), asked);
      }
      this.#notifyEnded();
      this.pump();
    });
  }

  #notifyEnded(): void {
    if (this.#reading.size + this.#asked.size > 0) return;
    const ended = this.#waiting.filter(({ left }) => left === 0);
    this.#waiting = this.#waiting.filter(({ left }) => left !== 0);
    for (const { ended: tell } of ended) tell(this.differences);
  }
}
