// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BitSet } from '../bit-set.js';
import { randomHex } from '../format/fields.js';
import { type LocalDisk, SECTOR_SIZE } from '../local-disk.js';
import type { BackupPeer } from '../sessions.js';
import { Copier } from './copier.js';
import type { Grains } from './grains.js';
import type { ResyncPlan } from './primary-parts.js';
import { ResyncProgress } from './resync-progress.js';

export interface ResyncParts {
  readonly disk: LocalDisk;
  readonly grains: Grains;
  readonly random: (bytes: Uint8Array) => void;
  readonly nowSeconds: () => number;
  /** Something has ended: more may be done. */
  readonly onEnded: () => void;
  /** A grain cannot be read. */
  readonly onFailure: (message: string) => void;
}

/**
 * What the backup gets to become equal, over as many connections as that takes.
 *
 *     planned --begin--> (the backup says what it has of it) --begun--> copying --stop--> planned again
 */
export class Resync {
  readonly progress: ResyncProgress;
  readonly #parts: ResyncParts;
  #copier: Copier | undefined;
  /** All that the backup has of it came, or was compared, in this run; what it had before its begin is known. */
  #goesOn = false;

  constructor(parts: ResyncParts) {
    this.#parts = parts;
    this.progress = new ResyncProgress(parts.nowSeconds);
  }

  /** What sends; undefined before the resync has begun at the backup. */
  get copier(): Copier | undefined {
    return this.#copier;
  }
  /** What the backup may lack, as far as it is known. */
  get leftBytes(): number {
    const { grains } = this.#parts;
    return grains.toSend.count * grains.sectorsEach * SECTOR_SIZE;
  }

  /** Finds out what is to be sent on a new connection. */
  plan({ kind, known }: ResyncPlan): void {
    const { grains } = this.#parts;
    const { toSend, toAsk } = grains;
    this.#goesOn &&= known !== null && known === this.progress.id && kind !== 'compare';
    if (kind === 'compare') toAsk.fill();
    if (this.#goesOn) return;
    grains.dropResync();
    this.progress.restart(known);
    if (kind !== 'maps') toSend.fill();
  }

  /**
   * Begins at the backup, if there is anything to be resynced; whether there is.
   *
   * @param copiesWrites what is written from now on is copied: that is a resync too
   */
  begin(peer: BackupPeer, { kind, known }: ResyncPlan, copiesWrites = false): boolean {
    const { grains, random } = this.#parts;
    this.progress.begin(this.leftBytes);
    // Even when the backup has all of it by now: its commit has to take that along.
    const isNeeded = grains.resyncing > 0 || kind === 'first' || known !== null || copiesWrites;
    if (isNeeded && peer.sync !== undefined) {
      this.progress.id ??= randomHex(random, 8);
      peer.sync.begin(this.progress.id, grains.resyncing, kind === 'first');
    } else this.#start(peer);
    return isNeeded;
  }

  /** The backup has these grains of it. */
  begun(peer: BackupPeer, received: BitSet): void {
    if (this.#copier !== undefined) return;
    this.#parts.grains.begun(received, this.#goesOn);
    // From here on what is sent of it is known.
    this.#goesOn = true;
    this.progress.begin(this.leftBytes);
    this.#start(peer);
  }

  /** What is not known to be at the backup is to be sent again. */
  stop(): void {
    this.#copier?.stop();
    this.#copier = undefined;
    this.progress.end = undefined;
  }

  /** All that was sent is a part of this checkpoint; whatever else is to be resynced is another resync. */
  close(epoch: number): void {
    this.progress.id = null;
    this.#parts.grains.close(epoch);
    this.#copier?.handOver();
  }

  #start(peer: BackupPeer): void {
    const { disk, grains, onEnded, onFailure } = this.#parts;
    this.#copier = new Copier({
      disk,
      grains,
      peer,
      onSent: (sent) => (this.progress.sentBytes += sent),
      onStored: (stored) => this.progress.stored(stored),
      onEnded,
      onFailure,
    });
  }
}
