// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createHash } from 'node:crypto';
import { errno, errnoCode } from '../../../posix/errno.js';
import type { CheckpointStore } from '../backup/checkpoint-store.js';
import type { SyncTarget } from '../backup/sync-target.js';
import { SECTOR_SIZE } from '../local-disk.js';
import { type Compared, COMPARED } from '../sessions.js';
import { StateError } from '../state-file.js';
import type { TimerHost } from '../timer.js';
import {
  type FrameExtent,
  type FrameName,
  numbersBody,
  ProtocolError,
  readExtents,
  readNumber,
  readNumbers,
} from '../wire/frame.js';
import type { OwnLink } from './own-link.js';
import { mapBodies } from './map-frames.js';
import { encodeReason } from './reason.js';
import { SyncReceiver } from './sync-receiver.js';

const SUM_BYTES = 32;
const SYNC_BEGIN_BYTES = 32;
/** What a primary may have asked for without an answer: no further frame is taken until some have ended. */
const MAX_COMMITTING = 64;
const MAX_COMPARING = 64;
/** No further frame is taken while replies of this many bytes wait for the primary to take them. */
const MAX_QUEUED_BYTES = 64 << 10;

/** What the backup role does for a session. */
export interface BackupServices {
  readonly store: CheckpointStore;
  /** The target of a resync; one of the same id goes on. @throws (rejects with) StateError, -ENOSPC among others */
  beginSync(id: string, grains: number, isFirst: boolean): Promise<SyncTarget>;
  /** Commits what is open, and the resync if there is one; gets 0 once it is on stable storage. */
  commit(
    epoch: number,
    generation: string,
    sync: SyncTarget | undefined,
    done: (result: number) => void,
  ): void;
}

export interface OwnPrimarySessionParts {
  readonly host: TimerHost;
  readonly link: OwnLink;
  readonly services: BackupServices;
  readonly grainSectors: number;
  /** The epoch that all commits have to be above: the committed one, unless what it is of is replaced. */
  readonly epoch: number;
  /** What is here becomes the primary's only by a resync: no commit is taken without one. */
  readonly needsResync: boolean;
  readonly lost: (reason: string) => void;
}

/** The backup's side of a connection to an own primary, after both have agreed. */
export class OwnPrimarySession {
  readonly #parts: OwnPrimarySessionParts;
  readonly #store: CheckpointStore;
  #sync: SyncReceiver | undefined;
  /** The last commit that has come. */
  #epoch: number;
  #needsResync: boolean;
  /** The open checkpoint is void, and all that comes, until the primary's abort. */
  #isDropping = false;
  #committing = 0;
  #comparing = 0;
  /** A compare that waits for commits before it. */
  #deferred: (() => void) | undefined;
  #isOver = false;

  constructor(parts: OwnPrimarySessionParts) {
    this.#parts = parts;
    this.#store = parts.services.store;
    this.#epoch = parts.epoch;
    this.#needsResync = parts.needsResync;
    parts.link.events = {
      frame: (name, body, sequence) => this.#frame(name, body, sequence),
      drained: () => this.#checkQueue(),
      lost: (reason) => this.#lost(reason),
    };
  }

  /** Ends the connection, with a reason for the primary; nobody is notified. */
  close(code: string, reason: string): void {
    if (this.#isOver) return;
    this.#parts.link.send('busy', [encodeReason(code, reason)]);
    this.#parts.link.close();
    this.#end();
  }

  #frame(name: FrameName, body: Uint8Array, sequence: number): void {
    switch (name) {
      case 'write':
        if (!this.#isDropping) this.#write(readExtents(body, this.#store.sectors));
        return;
      case 'commit':
        this.#commit(body);
        return;
      case 'abort':
        this.#isDropping = false;
        this.#store.abort();
        return;
      case 'syncBegin':
        this.#syncBegin(body);
        return;
      case 'syncData':
        this.#syncData(readExtents(body, this.#store.sectors), sequence);
        return;
      case 'compare':
        this.#compare(readExtents(body, this.#store.sectors, SUM_BYTES), sequence);
        return;
      default:
        throw new ProtocolError(`a primary does not send ${name}`);
    }
  }

  #write(extents: readonly FrameExtent[]): void {
    for (const { sector, sectors, data, crc } of extents) {
      if (data === undefined) this.#store.zero(sector, sectors);
      else this.#store.write(sector, data, crc);
    }
    this.#checkRoom();
  }

  #checkRoom(): void {
    if (this.#isOver || this.#store.hasRoom) return;
    if (this.#store.isFull) {
      this.#drop('the checkpoint is larger than the journal');
      return;
    }
    this.#parts.link.pause('room');
    this.#store.onRoom(() => {
      this.#checkRoom();
      if (this.#store.hasRoom) this.#parts.link.resume('room');
    });
  }

  #drop(reason: string): void {
    this.#isDropping = true;
    this.#parts.link.send('fail', [encodeReason('full', reason, this.#epoch + 1)]);
    this.#store.abort();
    this.#parts.link.resume('room');
  }

  #commit(body: Uint8Array): void {
    const epoch = readNumber(body.subarray(0, 8));
    const generation = Buffer.from(body.subarray(8)).toString('hex');
    if (generation.length !== 16) throw new ProtocolError('a commit names no generation');
    if (epoch <= this.#epoch) throw new ProtocolError(`epoch ${epoch} comes after ${this.#epoch}`);
    if (this.#isDropping) return;
    const sync = this.#sync;
    if (sync === undefined && this.#needsResync) {
      throw new ProtocolError('a commit comes before a resync that this backup needs');
    }
    this.#needsResync = false;
    this.#epoch = epoch;
    if (sync === undefined) {
      this.#send(epoch, generation, undefined);
      this.#checkRoom();
      return;
    }
    // The next frames belong to the next checkpoint: they wait until this one is closed.
    this.#sync = undefined;
    this.#parts.link.pause('commit');
    sync.whenIdle(() => {
      sync.close();
      if (this.#isOver) return;
      this.#send(epoch, generation, sync.target, () => this.#parts.link.resume('commit'));
    });
  }

  #send(epoch: number, generation: string, target: SyncTarget | undefined, then?: () => void): void {
    const { link } = this.#parts;
    this.#committing += 1;
    if (this.#committing === MAX_COMMITTING) link.pause('commits');
    this.#parts.services.commit(epoch, generation, target, (result) => {
      this.#committing -= 1;
      if (this.#isOver) return;
      if (result === 0) this.#answer('done', [numbersBody(epoch)]);
      else this.#failed(`the backup cannot commit: ${errnoCode(result)}`);
      then?.();
      link.resume('commits');
      const deferred = this.#committing === 0 ? this.#deferred : undefined;
      if (deferred === undefined) return;
      this.#deferred = undefined;
      deferred();
      link.resume('compare');
    });
  }

  #syncBegin(body: Uint8Array): void {
    const { link, grainSectors } = this.#parts;
    if (body.length !== SYNC_BEGIN_BYTES) throw new ProtocolError('a sync begin has a wrong length');
    const id = Buffer.from(body.subarray(0, 8)).toString('hex');
    const [grains, sectors, first] = readNumbers(body.subarray(8), 3) as [number, number, number];
    if (sectors !== grainSectors) {
      throw new ProtocolError(`the primary's grains have ${sectors} sectors, expected ${grainSectors}`);
    }
    if (grains > Math.ceil(this.#store.sectors / grainSectors)) {
      throw new ProtocolError(`${grains} grains are more than the disk has`);
    }
    link.pause('begin');
    this.#sync?.close();
    void this.#beginSync(id, grains, first === 1);
  }

  async #beginSync(id: string, grains: number, isFirst: boolean): Promise<void> {
    const { link, services, host } = this.#parts;
    try {
      const target = await services.beginSync(id, grains, isFirst);
      if (this.#isOver) return;
      this.#sync = new SyncReceiver({
        host,
        target,
        progress: (sequence) => link.send('progress', [numbersBody(sequence)]),
        onFailure: (result) => this.#failed(`the resync cannot be written: ${errnoCode(result)}`),
        onWritten: () => this.#checkSyncRoom(),
      });
      // What it has of the resync already, the primary need not send.
      for (const body of mapBodies(target.grains)) link.send('map', [body]);
      link.resume('begin');
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      const noRoom = error.result === -errno.ENOSPC;
      this.#failed(error.message, noRoom ? 'no-room' : 'failed');
    }
  }

  /** Ends the connection because of this side. */
  #failed(reason: string, code = 'failed'): void {
    if (this.#isOver) return;
    this.close(code, reason);
    this.#parts.lost(reason);
  }

  #syncData(extents: readonly FrameExtent[], sequence: number): void {
    const { grainSectors } = this.#parts;
    const { sectors: disk } = this.#store;
    for (const { sector, sectors } of extents) {
      const isWhole =
        sector % grainSectors === 0 && (sectors % grainSectors === 0 || sector + sectors === disk);
      if (!isWhole) throw new ProtocolError(`${sectors} sectors at ${sector} are not whole grains`);
    }
    if (this.#sync === undefined) throw new ProtocolError('sync data comes without a sync begin');
    this.#sync.take(sequence, extents);
    if (!this.#sync.hasRoom) this.#parts.link.pause('sync');
  }

  #checkSyncRoom(): void {
    if (this.#sync?.hasRoom) this.#parts.link.resume('sync');
  }

  /**
   * Says whether a grain differs from what is committed, once the commits that came before have ended; during a resync, from what
   * its commit will make of that.
   */
  #compare(extents: readonly FrameExtent[], sequence: number): void {
    const { grainSectors } = this.#parts;
    const [extent] = extents;
    if (extent === undefined || extents.length > 1 || extent.sectors > grainSectors) {
      throw new ProtocolError('a compare is about more than a grain');
    }
    const { sector, sectors, data } = extent;
    const sum = data && Buffer.from(data);
    if (this.#committing === 0) {
      this.#answerCompare(sector, sectors, sum, sequence);
      return;
    }
    this.#parts.link.pause('compare');
    this.#deferred = () => this.#answerCompare(sector, sectors, sum, sequence);
  }

  #answerCompare(sector: number, sectors: number, sum: Buffer | undefined, sequence: number): void {
    const { link } = this.#parts;
    const buffer = Buffer.allocUnsafe(sectors * SECTOR_SIZE);
    this.#comparing += 1;
    if (this.#comparing === MAX_COMPARING) link.pause('comparing');
    const target = this.#sync?.target;
    const readGathered = target?.readerOf(sector);
    const compared = (result: number): void => {
      this.#comparing -= 1;
      if (this.#isOver) return;
      const isEqual = sum !== undefined && createHash('sha256').update(buffer).digest().equals(sum);
      if (isEqual && result >= 0 && readGathered) target?.confirm(sector, buffer);
      const answer: Compared = result < 0 ? 'unreadable' : isEqual ? 'equal' : 'different';
      this.#answer('compared', [numbersBody(sequence), Buffer.of(COMPARED.indexOf(answer))]);
      link.resume('comparing');
    };
    if (readGathered) readGathered(buffer, compared);
    else this.#store.read(sector, buffer, compared);
  }

  #answer(name: FrameName, parts: readonly Uint8Array[]): void {
    this.#parts.link.send(name, parts);
    this.#checkQueue();
  }

  #checkQueue(): void {
    const { link } = this.#parts;
    if (link.queuedBytes > MAX_QUEUED_BYTES) link.pause('answers');
    else link.resume('answers');
  }

  #lost(reason: string): void {
    this.#end();
    this.#parts.lost(reason);
  }

  #end(): void {
    this.#isOver = true;
    this.#sync?.close();
    this.#store.abort();
  }
}
