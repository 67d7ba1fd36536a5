// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno, errnoCode } from '../../../posix/errno.js';
import { gather } from '../gather.js';
import { type Done, SECTOR_SIZE } from '../local-disk.js';
import { type BackupPeer, type BackupPeerEvents, whileCurrent } from '../sessions.js';
import type { ResyncStatus } from '../status.js';
import { BackupQueue } from './backup-queue.js';
import { Checkpoints } from './checkpoints.js';
import { isAllZero } from './copier.js';
import { EarlyWrites } from './early-writes.js';
import { Epochs } from './epochs.js';
import { Grains } from './grains.js';
import { HotGrains } from './hot-grains.js';
import { RaisedWrites } from './raised-writes.js';
import { Resync } from './resync.js';
import type { ResyncProgress } from './resync-progress.js';
import { Verifier } from './verifier.js';
import {
  type PendingWrite,
  type PrimaryParts,
  type PrimaryPhase,
  type ResyncPlan,
  STREAM_AT_GRAINS,
} from './primary-parts.js';

/** The primary's side of a disk: writes go to it and to the backup, if there is one. */
export class PrimaryRole {
  readonly grains: Grains;
  readonly checkpoints: Checkpoints;
  readonly epochs: Epochs;
  readonly verifier: Verifier;
  readonly #parts: PrimaryParts;
  readonly #hot: HotGrains;
  #phase: PrimaryPhase = 'alone';
  #peer: BackupPeer | undefined;
  readonly #resync: Resync;
  /** Writes that wait for room toward the backup, or for a new generation. */
  #waiting: PendingWrite[] = [];
  readonly #raised: RaisedWrites;
  #isForking = false;
  readonly #early: EarlyWrites;
  readonly #queue: BackupQueue;

  constructor(parts: PrimaryParts) {
    this.#parts = parts;
    const { map, metadata, options, nowSeconds, events } = parts;
    this.grains = new Grains(map.grains, metadata.current.grainSectors);
    this.grains.toSend.addAll(map.bits);
    this.epochs = new Epochs(parts, (result) => events.failed('write the metadata', result));
    this.#hot = new HotGrains(options.hotGrains);
    this.#raised = new RaisedWrites(parts, this.grains, this.#hot, (write) => this.#enter(write));
    this.#resync = new Resync({
      disk: parts.disk,
      grains: this.grains,
      random: parts.random,
      nowSeconds,
      onEnded: () => this.#advance(),
      onFailure: (message) => {
        this.detach(message);
        events.notice(message);
      },
    });
    this.verifier = new Verifier({
      disk: parts.disk,
      grains: this.grains,
      peer: () => (this.#phase === 'protected' ? this.#peer : undefined),
      nowSeconds,
      verified: (...found) => events.verified(...found),
    });
    this.#early = new EarlyWrites(options, this.grains);
    this.#queue = new BackupQueue(options);
    this.checkpoints = new Checkpoints({ nowSeconds, onEnd: (ended) => events.checkpoint(ended) });
  }

  get phase(): PrimaryPhase {
    return this.#phase;
  }
  get peer(): BackupPeer | undefined {
    return this.#peer;
  }
  get progress(): ResyncProgress {
    return this.#resync.progress;
  }
  /** The resync under way; undefined: none is. */
  get resync(): ResyncStatus | undefined {
    return this.#phase === 'alone' || this.#phase === 'protected' ? undefined : this.progress.status();
  }

  write(sector: number, bytes: Uint8Array, done: Done): void {
    this.#raised.add({ sector, sectors: bytes.length / SECTOR_SIZE, bytes, done });
  }
  zero(sector: number, sectors: number, done: Done): void {
    this.#raised.add({ sector, sectors, bytes: undefined, done });
  }

  /** A sync of the local disk; what it covers may fall from the map. After one that fails the disk is not trusted any more. */
  flush(done: Done): void {
    const ended = this.grains.syncBegins();
    this.#parts.disk.flush((result) => {
      ended(result === 0);
      if (result < 0) this.#parts.events.failed('sync the image', result);
      done(result);
    });
  }

  /** The epoch, once the backup has all that was written before; -ENOTCONN without a backup, -ECONNABORTED. */
  checkpoint(done: Done): void {
    if (this.#phase === 'alone') done(-errno.ENOTCONN);
    else this.checkpoints.want(done);
    this.#advance();
  }

  /** Begins with a backup that was agreed with. Its events are {@link eventsOf}. */
  attach(peer: BackupPeer, plan: ResyncPlan): void {
    this.#peer = peer;
    this.#resync.plan(plan);
    this.checkpoints.wrote(this.#early.sendTo(peer, this.grains));
    if (this.#peer === peer) this.#copy(peer, plan);
  }

  /** What the connection to the backup reports. */
  eventsOf(peer: () => BackupPeer | undefined): BackupPeerEvents {
    const isCurrent = (): boolean => this.#peer !== undefined && this.#peer === peer();
    return whileCurrent(isCurrent, {
      acked: (epoch) => this.#acked(epoch),
      failed: (epoch, reason) => {
        this.#queue.congested();
        this.#dropFrom(epoch, reason);
      },
      drained: () => this.#advance(),
      begun: (received) => {
        this.#resync.begun(this.#peer as BackupPeer, received);
        this.#advance();
      },
      progress: (sequence) => this.#resync.copier?.progress(sequence),
      compared: (sequence, answer) => {
        this.#resync.copier?.compared(sequence, answer !== 'equal');
        this.verifier.compared(sequence, answer);
      },
      unsolicited: () => this.#parts.events.unsolicited(),
      lost: (reason, code) => this.#lost(reason, code),
    });
  }

  /** Ends the connection, if there is one. */
  detach(reason: string): void {
    if (this.#peer === undefined) return;
    this.#peer.close();
    this.#lost(reason);
  }

  /** To be called every so many seconds: gives the open checkpoint up when writes wait, and the backup takes nothing. */
  watch(seconds: number): void {
    const stalls = this.#queue.stalls(this.#peer, seconds) && this.#waiting.length > 0;
    if (stalls) {
      this.#queue.congested();
      this.#abort('the backup takes nothing');
    } else if (this.#peer !== undefined && this.#queue.awaitsCalm(this.#peer)) this.#advance();
  }

  /** Lets fall from the map what both sides have; at the end (`all`) also what is hot. */
  sweep(all = false): void {
    const { map } = this.#parts;
    if (all) this.#hot.clear();
    for (const grain of [...map.bits])
      if (!this.#hot.has(grain) && this.grains.isClean(grain)) map.lower(grain);
  }

  /** Sends every grain that differs to the backup. */
  resendAll(reason: string): void {
    this.verifier.takeDifferent();
    this.grains.toAsk.fill();
    this.grains.toSend.fill();
    this.#resend(reason, 'compare');
  }

  /** Sends the backup what verifications have found to differ. @returns how many grains */
  resendDifferent(reason: string): number {
    const different = this.verifier.takeDifferent();
    this.grains.toSend.addAll(different);
    if (different.length > 0) this.#resend(reason);
    return different.length;
  }

  /** Resyncs without a loss. What the open checkpoint has of a grain would be laid over what the resync brings: it is given up. */
  #resend(reason: string, kind?: ResyncPlan['kind']): void {
    if (this.#peer?.canAbort) this.#dropFrom(this.epochs.open, reason, kind);
    else this.#copyAgain(reason, kind);
  }

  /** Lets a write go, or makes it wait: then all after it wait too. */
  #enter(write: PendingWrite): void {
    this.#waiting.push(write);
    this.#releaseWaiting();
  }

  #releaseWaiting(): void {
    for (let [write] = this.#waiting; write !== undefined; [write] = this.#waiting) {
      if (this.#isForking || this.#mustFork()) return;
      if (this.#isStreaming && this.#queue.isFull(this.#peer)) return;
      this.#waiting.shift();
      this.#release(write);
    }
  }

  get #isStreaming(): boolean {
    return this.#phase === 'streaming' || this.#phase === 'protected';
  }

  #release({ sector, sectors, bytes, done }: PendingWrite): void {
    const from = this.grains.first(sector);
    const to = this.grains.last(sector, sectors);
    this.#resync.copier?.written(from, to);
    this.verifier.written(from, to);
    for (let grain = from; grain <= to; grain++) {
      this.#hot.touch(grain);
      this.grains.toAsk.delete(grain);
      if (this.#isStreaming) this.grains.open.add(grain);
      else this.grains.toSend.add(grain);
    }
    if (!this.#isStreaming) this.#early.add(sector, sectors, bytes);
    const peer = this.#isStreaming ? this.#peer : undefined;
    if (peer !== undefined) {
      this.epochs.reserve();
      this.checkpoints.wrote(sectors * SECTOR_SIZE);
    }
    const ended = (result: number): void => {
      this.grains.end(from, to);
      if (result < 0) this.#localFailed(from, to, result);
      done(result);
      this.#advance();
    };
    // The local disk writes while the backup's frames are made; what follows from its result comes after them.
    gather(ended, (part) => {
      if (bytes === undefined) this.#parts.disk.zero(sector, sectors, part());
      else this.#parts.disk.write(sector, bytes, part());
      if (peer === undefined) return;
      if (bytes === undefined || isAllZero(bytes)) peer.zero(sector, sectors);
      else peer.write(sector, bytes);
    });
    if (peer !== undefined) this.#parts.events.wrote();
  }

  /** What the local disk has there is not known, so the backup gets what is read from there, once that can be. */
  #localFailed(from: number, to: number, result: number): void {
    this.#early.drop();
    this.grains.toSend.addRange(from, to);
    this.#parts.events.notice(`a local write failed: ${errnoCode(result)}`);
    if (this.#isStreaming) this.#abort('a local write failed');
  }

  /** The first write alone since a commit was sent begins a new generation; it waits until that is durable. */
  #mustFork(): boolean {
    if (this.#phase !== 'alone' || !this.epochs.mustFork) return false;
    if (this.#parts.metadata.current.stale) {
      // They were taken before this side was found to be stale.
      this.#refuseWaiting(-errno.EROFS);
      return true;
    }
    this.#isForking = true;
    this.epochs.fork((result) => {
      this.#isForking = false;
      if (result === 0) this.#releaseWaiting();
      else this.#refuseWaiting(-errno.EIO);
    });
    return true;
  }

  #refuseWaiting(result: number): void {
    for (const { sector, sectors, done } of this.#waiting.splice(0)) {
      this.grains.end(this.grains.first(sector), this.grains.last(sector, sectors));
      done(result);
    }
  }

  #copy(peer: BackupPeer, plan: ResyncPlan): void {
    const bytes = this.#resync.leftBytes;
    const copiesWrites = peer.sync !== undefined && !this.#queue.mayStream(peer);
    if (this.#resync.begin(peer, plan, copiesWrites)) this.#parts.events.resync('begun', bytes, plan.kind);
    const phase = peer.sync !== undefined ? 'copying' : bytes === 0 ? 'protected' : 'streaming';
    this.#setPhase(phase, bytes === 0 ? 'the backup lacks nothing' : 'the backup gets what it lacks');
    this.#advance();
  }

  /** Does whatever can be done next. */
  #advance(): void {
    const peer = this.#peer;
    if (peer === undefined) return;
    const isNearEnd =
      this.#resync.copier !== undefined &&
      this.grains.toSend.count <= STREAM_AT_GRAINS &&
      this.#queue.mayStream(peer);
    if (this.#phase === 'copying' && isNearEnd) {
      this.#queue.resumed();
      this.#setPhase('streaming', 'the backup gets the last of what it lacks');
    }
    this.#resync.copier?.pump();
    this.#releaseWaiting();
    const endsResync = this.#phase === 'streaming' && this.progress.end === undefined;
    const mayClose = this.#isStreaming && this.#resync.copier?.isDone && this.checkpoints.mayClose;
    if (mayClose && (endsResync || this.checkpoints.isRequested)) this.#close(peer);
  }

  #close(peer: BackupPeer): void {
    const { metadata } = this.#parts;
    const epoch = this.epochs.close();
    if (this.#phase === 'streaming') this.progress.end ??= epoch;
    this.#resync.close(epoch);
    this.checkpoints.close(epoch);
    const letGo = peer.commit(epoch, metadata.current.generation);
    this.checkpoints.isClosing = true;
    metadata.whenDurable((result) => {
      this.checkpoints.isClosing = false;
      if (result === 0) letGo();
      this.#advance();
    });
  }

  #acked(epoch: number): void {
    const { metadata, events } = this.#parts;
    if (this.checkpoints.committing === 0) return;
    const { acked } = metadata.current;
    // A C backup may say more than it was asked.
    const known = Math.min(epoch, this.epochs.closed);
    // It is in this generation, so where it was before is past.
    metadata.note({ acked: Math.max(known, acked), ancestors: [] });
    this.grains.acked(known);
    this.checkpoints.acked(known);
    if (this.progress.end !== undefined && known >= this.progress.end) {
      events.resync('ended', this.progress.bytes, 'the backup has all of it');
      this.progress.restart();
      this.#setPhase('protected', 'the backup has every checkpoint');
    }
    this.#advance();
  }

  /** Checkpoints from this one on are void, the open one too: what they had is sent again. */
  #dropFrom(epoch: number, reason: string, kind?: ResyncPlan['kind']): void {
    this.grains.dropFrom(epoch);
    this.checkpoints.dropFrom(epoch, reason);
    this.#peer?.abort();
    this.#copyAgain(reason, kind);
  }

  /** Gives the open checkpoint up; those that were closed go on. */
  #abort(reason: string): void {
    const peer = this.#peer;
    if (peer === undefined) return;
    if (peer.canAbort) this.#dropFrom(this.epochs.open, reason);
    else this.detach(reason);
  }

  #copyAgain(reason: string, kind: ResyncPlan['kind'] = 'maps'): void {
    const peer = this.#peer;
    if (peer === undefined) return;
    this.#resync.stop();
    this.#setPhase('copying', reason);
    this.#copy(peer, { kind, known: this.progress.id });
  }

  #lost(reason: string, code = 'lost'): void {
    const { events } = this.#parts;
    const hadResync = this.#phase !== 'protected';
    this.#peer = undefined;
    this.#resync.stop();
    this.verifier.forget();
    this.grains.disconnected();
    this.checkpoints.dropFrom(0, reason);
    this.checkpoints.refuse(-errno.ECONNABORTED);
    if (hadResync) events.resync('broken-off', this.progress.bytes, reason);
    this.#setPhase('alone', reason);
    events.detached(reason, code);
    this.#releaseWaiting();
  }

  #setPhase(phase: PrimaryPhase, reason: string): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#parts.events.phase(phase, reason);
  }
}
