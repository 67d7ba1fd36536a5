// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../../posix/errno.js';
import { NO_ID } from '../format/metadata-record.js';
import type { CommitFacts, Journal } from '../journal/journal.js';
import type { Done, LocalDisk } from '../local-disk.js';
import type { CheckpointReceiver } from '../sessions.js';
import { applyMap } from './apply.js';
import { Layer } from './layer.js';
import { type ClosedCheckpoint, OpenCheckpoint } from './open-checkpoint.js';
import { readOverlay } from './overlay.js';
import type { SectorMap } from './sector-map.js';

/** The slots of a resync's file, complete and on stable storage. */
export interface ResyncSlots {
  readonly id: string;
  /** The crc of their table. */
  readonly crc: number;
  readonly map: SectorMap;
}

/** A resync's file that every commit names as long as the image does not have it, durably. */
export type NeededResync = Pick<CommitFacts, 'resyncId' | 'resyncCrc' | 'resyncCheckpoint'>;

const NO_RESYNC: NeededResync = { resyncId: NO_ID, resyncCrc: 0, resyncCheckpoint: 0 };

/** What the image has, durably. */
export interface Applied {
  /** No segment before this one is needed. */
  readonly firstLive: number;
  readonly epoch: number;
  /** The last checkpoint, as the journal counts them. */
  readonly checkpoint: number;
  /** The resync's file is not needed any more. */
  readonly dropsResync: boolean;
}

/** The layers of a moment. They stay readable, and are not added to, until they are released. */
export interface FrozenLayers {
  readonly layers: readonly Layer[];
  readonly release: () => void;
}

export interface CheckpointStoreParts {
  readonly disk: LocalDisk;
  readonly journal: Journal;
  readonly memoryBytes: number;
  /** What was recovered from the journal; undefined: nothing. */
  readonly recovered: Layer | undefined;
  /** The resync file that it needs. */
  readonly neededResync?: NeededResync;
  /** The last checkpoint number that the journal has seen. */
  readonly lastNumber: number;
  /** What the image has already. */
  readonly applied: Pick<Applied, 'epoch' | 'checkpoint'>;
  /**
   * Makes durable what the image has, and lets go of what only that needed.
   */
  readonly retire: (applied: Applied, done: Done) => void;
  /** The disk or the journal cannot be trusted any more. Called once. */
  readonly onFailure: (what: string, result: number) => void;
}

/** A commit that has been asked for and is not durable. */
interface Closing {
  readonly facts: CommitFacts;
  readonly closed: ClosedCheckpoint;
  readonly slots: SectorMap | undefined;
}

/**
 * A backup's disk: the image, and over it what is committed and not on it yet; and the checkpoint that is being received.
 *
 * What the journal keeps for a checkpoint it keeps until the image has it, durably; see docs/replication-protocol.md.
 */
export class CheckpointStore implements CheckpointReceiver {
  readonly sectors: number;
  readonly #parts: CheckpointStoreParts;
  readonly #open: OpenCheckpoint;
  readonly #closing = new Set<Closing>();
  /** Committed, oldest first. The first one may be on its way to the image. */
  #layers: readonly Layer[];
  #applying = false;
  #retiring = false;
  #firstLive: number;
  /** Changes of the image since it was synced. */
  #appliedEpoch: number;
  #appliedNumber: number;
  #appliedResync = false;
  #neededResync: NeededResync;
  /** How many read layers, which may have been dropped since they began. */
  #readers = 0;
  /** While there is any, nothing is written to the image. */
  readonly #frozen = new Set<FrozenLayers>();
  #failed = false;
  #generation: string = NO_ID;
  #waiters: (() => void)[] = [];
  /** A commit that the journal has no room for yet. */
  #commitWaits: { readonly again: () => void; readonly cancel: () => void } | undefined;
  /** Counts aborts: what was to be committed with what was open then must not be any more. */
  aborts = 0;
  #drained: Done[] = [];

  constructor(parts: CheckpointStoreParts, firstLive: number) {
    this.#parts = parts;
    this.sectors = parts.disk.sectors;
    this.#firstLive = firstLive;
    this.#appliedEpoch = parts.applied.epoch;
    this.#appliedNumber = parts.applied.checkpoint;
    this.#neededResync = parts.neededResync ?? NO_RESYNC;
    this.#open = new OpenCheckpoint(parts.journal, parts.memoryBytes, parts.lastNumber + 1, () =>
      this.#madeRoom(),
    );
    this.#layers = parts.recovered ? [parts.recovered] : [];
  }

  /** The primary's generation, which commits are made in. */
  set generation(generation: string) {
    this.#generation = generation;
  }
  get openBytes(): number {
    return this.#open.bytes;
  }
  get hasRoom(): boolean {
    return this.#open.hasRoom && this.#commitWaits === undefined && !this.#failed;
  }
  /** Whether waiting makes no room: the open checkpoint itself fills the journal. */
  get isFull(): boolean {
    const mayRetire = this.#retiring || this.#closing.size > 0 || this.#layers.length > 0;
    return this.#open.isStuck && !mayRetire;
  }

  /** Writes everything to the image that may be written. */
  start(): void {
    this.#apply();
  }

  onRoom(room: () => void): void {
    this.#waiters.push(room);
  }

  write(sector: number, bytes: Uint8Array, crc?: number): void {
    this.#open.write(sector, bytes, crc);
    this.#relieve();
  }
  zero(sector: number, sectors: number): void {
    this.#open.zero(sector, sectors);
    this.#relieve();
  }

  commit(epoch: number, done: Done): void {
    this.commitWith(epoch, undefined, done);
  }

  /** Commits the open checkpoint, laid over a resync's slots when there are any. */
  commitWith(epoch: number, resync: ResyncSlots | undefined, done: Done): void {
    if (this.#failed) {
      done(-errno.EIO);
      return;
    }
    const closed = this.#open.close();
    if (closed === undefined) {
      this.#commitWaits = {
        again: () => this.commitWith(epoch, resync, done),
        cancel: () => done(-errno.ECANCELED),
      };
      this.#relieve();
      return;
    }
    if (resync) {
      this.#neededResync = {
        resyncId: resync.id,
        resyncCrc: resync.crc,
        resyncCheckpoint: closed.number,
      };
    }
    const facts = { generation: this.#generation, epoch, ...this.#neededResync };
    const closing: Closing = { facts, closed, slots: resync?.map };
    this.#closing.add(closing);
    this.#parts.journal.commit(facts, (result) => {
      this.#closing.delete(closing);
      if (result === 0) this.#committed(closing);
      else this.fail('commit a checkpoint', result);
      done(result);
    });
  }
  abort(): void {
    const waiting = this.#commitWaits;
    this.#commitWaits = undefined;
    this.aborts += 1;
    this.#open.abort();
    waiting?.cancel();
    this.#apply();
    this.#madeRoom();
  }

  /** Whether commits are on their way. */
  get isCommitting(): boolean {
    return this.#closing.size > 0 || this.#commitWaits !== undefined;
  }

  /** Whether something is committed, or on its way to be, that the image does not have. */
  get isWritingOut(): boolean {
    return this.isCommitting || this.#layers.length > 0;
  }

  /** Reads the last committed checkpoint. */
  read(sector: number, buffer: Uint8Array, done: Done): void {
    if (this.#failed) {
      done(-errno.EIO);
      return;
    }
    const layers = this.#layers;
    if (layers.length === 0) {
      this.#parts.disk.read(sector, buffer, done);
      return;
    }
    const release = this.#beginReading();
    this.readLayers(layers, sector, buffer, (result) => {
      release();
      done(result);
    });
  }

  /** Keeps the committed state of now readable, by {@link readLayers}; what is committed later waits for its release. */
  freeze(): FrozenLayers {
    const endReading = this.#beginReading();
    // Several of a moment have the same layers: each holds them until its own release.
    const frozen: FrozenLayers = {
      layers: this.#layers,
      release: () => {
        this.#frozen.delete(frozen);
        endReading();
      },
    };
    this.#frozen.add(frozen);
    return frozen;
  }

  readLayers(layers: readonly Layer[], sector: number, buffer: Uint8Array, done: Done): void {
    if (this.#failed) {
      done(-errno.EIO);
      return;
    }
    const maps = layers.map(({ map }) => map);
    readOverlay(this.#parts.disk, maps, sector, buffer, done);
  }

  /** Completes when all that is committed, or on its way to be, is on the image and nothing needs the journal. */
  drain(done: Done): void {
    if (this.#failed) {
      done(-errno.EIO);
      return;
    }
    this.#drained.push(done);
    this.#apply();
  }

  fail(what: string, result: number): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#endDrains(result);
    this.#parts.onFailure(what, result);
  }

  /** Keeps the journal's records from being overwritten, until what is returned is called, once. */
  #beginReading(): () => void {
    this.#readers += 1;
    return () => {
      this.#readers -= 1;
      this.#apply();
    };
  }

  #committed({ facts, closed, slots }: Closing): void {
    const last = this.#layers.at(-1);
    const isApplying = this.#applying && this.#layers.length === 1;
    const isFrozen = [...this.#frozen].some(({ layers }) => layers.at(-1) === last);
    const layer = last === undefined || isApplying || isFrozen ? new Layer(facts.epoch, closed.number) : last;
    if (layer !== last) this.#layers = [...this.#layers, layer];
    layer.epoch = facts.epoch;
    layer.number = closed.number;
    layer.firstSegment = Math.min(layer.firstSegment, closed.firstSegment);
    if (slots) {
      layer.map.merge(slots);
      layer.resyncId = facts.resyncId;
    }
    layer.map.merge(closed.map);
    this.#apply();
  }

  /** Writes the oldest layer to the image, one at a time. */
  #apply(): void {
    if (this.#applying || this.#failed || this.#frozen.size > 0) return;
    const layer = this.#layers[0];
    if (layer === undefined) {
      this.#retire();
      return;
    }
    this.#applying = true;
    applyMap(this.#parts.disk, layer.map, (result) => {
      this.#applying = false;
      if (result < 0) this.fail('write a checkpoint to the image', result);
      else this.#applied(layer);
    });
  }

  /** The image has the oldest layer. */
  #applied(layer: Layer): void {
    // Reads that are under way have the old list.
    this.#layers = this.#layers.slice(1);
    this.#appliedEpoch = layer.epoch;
    this.#appliedNumber = layer.number;
    if (layer.resyncId !== undefined) this.#appliedResync = true;
    if (this.#wantsRetire) this.#retire();
    else this.#apply();
  }

  /** Whether a sync of the image would free a segment, or the resync's file. */
  get #wantsRetire(): boolean {
    return this.#appliedResync || this.#neededSegment > this.#firstLive || this.#drained.length > 0;
  }

  /** The first segment of the journal that something still needs. */
  get #neededSegment(): number {
    const layers = this.#layers.map(({ firstSegment }) => firstSegment);
    const closing = [...this.#closing].map(({ closed }) => closed.firstSegment);
    return Math.min(this.#parts.journal.segment, this.#open.firstSegment, ...layers, ...closing);
  }

  /** Syncs the image and frees what that has made superfluous. */
  #retire(): void {
    if (this.#retiring || this.#readers > 0 || !this.#wantsRetire) return;
    this.#retiring = true;
    const firstLive = this.#neededSegment;
    const dropsResync = this.#appliedResync;
    const applied = { firstLive, epoch: this.#appliedEpoch, checkpoint: this.#appliedNumber, dropsResync };
    this.#parts.disk.flush((flushed) => {
      if (flushed < 0) {
        this.fail('sync the image', flushed);
        return;
      }
      this.#parts.retire(applied, (result) => {
        if (result < 0) this.fail('write the metadata', result);
        else this.#retired(applied);
      });
    });
  }

  /** What the image has is durable. */
  #retired({ firstLive, checkpoint, dropsResync }: Applied): void {
    this.#retiring = false;
    this.#firstLive = firstLive;
    if (dropsResync) {
      this.#appliedResync = false;
      this.#neededResync = NO_RESYNC;
    }
    this.#parts.journal.retire(firstLive);
    this.#open.retry();
    if (this.#layers.length > 0) this.#apply();
    else if (this.#appliedNumber > checkpoint) this.#retire();
    // A commit that is on its way goes through here again.
    else if (!this.isCommitting) this.#endDrains(0);
    this.#madeRoom();
  }

  #endDrains(result: number): void {
    const drained = this.#drained;
    this.#drained = [];
    for (const done of drained) done(result);
  }

  /** Applies to the image what may make room in the journal. */
  #relieve(): void {
    if (this.#open.isStuck) this.#apply();
  }

  #madeRoom(): void {
    const commit = this.#commitWaits;
    if (commit !== undefined && !this.#open.isStuck) {
      this.#commitWaits = undefined;
      commit.again();
    }
    if (!this.hasRoom && !this.isFull) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const room of waiters) room();
  }
}
