// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../../posix/errno.js';
import type { FileCalls } from '../../../posix/files.js';
import { NO_ID } from '../format/metadata-record.js';
import { randomHex } from '../format/fields.js';
import { type CommitFacts, Journal } from '../journal/journal.js';
import { SegmentFile } from '../journal/segment-file.js';
import type { Done, LocalDisk } from '../local-disk.js';
import type { MetadataFile } from '../metadata-file.js';
import type { ReplicationOptions } from '../options.js';
import type { BackupServices } from '../own/own-primary-session.js';
import { closeAll, completed, damaged, failureOf, StateError } from '../state-file.js';
import { type Applied, CheckpointStore, type NeededResync, type ResyncSlots } from './checkpoint-store.js';
import { recoverLayer } from './recover-layer.js';
import { ResyncFile } from './resync-file.js';
import type { SyncTarget } from './sync-target.js';
import { UnderWay } from '../../../posix/under-way.js';
import { UnfinishedResync } from './unfinished-resync.js';

export interface BackupEvents {
  /** A checkpoint was committed, or could not be. */
  committed(epoch: number, bytes: number, seconds: number, result: number): void;
  /** It has a state now, the first one. */
  initialised(): void;
  /** Journal, metadata or image cannot be trusted. Called once. */
  failed(what: string, result: number): void;
  notice(message: string): void;
}

export interface BackupParts {
  readonly files: FileCalls;
  /** Of the state files, without a slash at its end. */
  readonly directory: string;
  readonly disk: LocalDisk;
  readonly metadata: MetadataFile;
  /** The image is all zeroes, as far as is known. */
  readonly isBlank: boolean;
  readonly memoryBytes: number;
  readonly random: (bytes: Uint8Array) => void;
  readonly nowSeconds: () => number;
  /** Once it is aborted, an opening that is under way ends soon. */
  readonly signal?: AbortSignal | undefined;
  readonly events: BackupEvents;
}

/** Makes the journal of a disk that has none. The caller syncs the directory. @throws (rejects with) StateError */
export async function createJournal(files: FileCalls, directory: string, bytes: number): Promise<void> {
  for (const path of journalPaths(directory)) await checkUnused(files, path);
  for (const path of journalPaths(directory)) {
    const segment = await SegmentFile.create(files, path, Math.floor(bytes / 2 / 4096) * 4096);
    await segment.file.close();
  }
}

/** Makes and syncs the journal that a backup needs, unless there is one. @throws (rejects with) StateError, -ENOSPC among others */
export async function provideJournal(
  files: FileCalls,
  { directory, journalBytes }: Pick<ReplicationOptions, 'directory' | 'journalBytes'>,
): Promise<void> {
  const found = await new Promise<number>((resolve) => {
    files.stat(journalPaths(directory)[1], resolve);
  });
  if (found !== -errno.ENOENT) return;
  await createJournal(files, directory, journalBytes);
  await completed(`sync ${directory}`, (done) => files.syncDirectory(directory, done));
}

/** If the metadata are lost, the checkpoints must not be. A file that was not made to its end has none. */
async function checkUnused(files: FileCalls, path: string): Promise<void> {
  let segment: SegmentFile | undefined;
  try {
    segment = await SegmentFile.load(files, path, () => {});
  } catch (error) {
    if (!(error instanceof StateError) || error.result !== -errno.EBADMSG) throw error;
  }
  const marker = segment?.newestMarker;
  await segment?.file.close();
  if (marker) throw damaged(path, 'it has checkpoints, but there is no metadata');
}

export function journalPaths(directory: string): readonly [string, string] {
  return [`${directory}/journal-0`, `${directory}/journal-1`];
}

/** The backup's side of a disk: what is committed, and what a primary sends. */
export class BackupRole implements BackupServices {
  readonly store: CheckpointStore;
  readonly journal: Journal;
  readonly #parts: BackupParts;
  #epoch: number;
  #committedAtSeconds: number | undefined;
  /** The last commit that was asked for. */
  #asked = { epoch: 0, generation: NO_ID };
  #hasCheckpoint: boolean;
  readonly #unfinished: UnfinishedResync;
  /** The file of a resync that was committed, until the image has it. */
  #committedResync: ResyncFile | undefined;
  readonly #commits = new UnderWay();
  /** The last begin of a resync, until it has ended: those of two connections never run together. */
  #beginning: Promise<unknown> = Promise.resolve();

  private constructor(
    parts: BackupParts,
    journal: Journal,
    store: CheckpointStore,
    recovered: Pick<CommitFacts, 'epoch'> | undefined,
    resync: ResyncFile | undefined,
  ) {
    this.#parts = parts;
    this.journal = journal;
    this.store = store;
    this.#hasCheckpoint = recovered !== undefined;
    this.#epoch = recovered?.epoch ?? parts.metadata.current.acked;
    this.#committedResync = resync;
    this.#unfinished = new UnfinishedResync({
      ...parts,
      needsFile: () => this.#committedResync !== undefined,
      freeFile: () => completed('write the last resync to the image', (done) => store.drain(done)),
      notice: (message) => parts.events.notice(message),
    });
  }

  /**
   * Recovers what is committed.
   *
   * @throws (rejects with) StateError: -EBADMSG when the journal or a resync's file is damaged, -ECANCELED once the signal is
   *   aborted, or a file call's error
   */
  static async open(parts: BackupParts): Promise<BackupRole> {
    const { files, directory, metadata, disk, random } = parts;
    const segments: SegmentFile[] = [];
    try {
      for (const path of journalPaths(directory)) {
        const segment = await SegmentFile.load(files, path, (message) => parts.events.notice(message));
        if (segment === undefined) throw damaged(path, 'it is missing');
        segments.push(segment);
      }
      const pair = segments as [SegmentFile, SegmentFile];
      const { current } = metadata;
      let resync: ResyncFile | undefined;
      const recovered = await recoverLayer(
        pair,
        current.firstLiveSegment,
        current.appliedCheckpoint,
        async (id, crc) => {
          const shape = { sectors: disk.sectors, grainSectors: current.grainSectors };
          const loaded = await ResyncFile.load(files, `${directory}/resync`, id, crc, shape, parts.signal);
          resync = loaded.file;
          return loaded.slots;
        },
      );
      const { marker, layer, needsResync } = recovered;
      if (marker) metadata.note({ generation: marker.generation, hasState: true, inconsistent: false });
      const salt = (): number => parseInt(randomHex(random, 4), 16);
      const events = { role: undefined as BackupRole | undefined };
      const journal = new Journal(
        {
          files: pair,
          salt,
          onFailure: (result, path) => events.role?.store.fail(`write ${path}`, result),
        },
        recovered.start,
      );
      const store = new CheckpointStore(
        {
          disk,
          journal,
          memoryBytes: parts.memoryBytes,
          recovered: layer,
          ...(marker && needsResync && { neededResync: neededBy(marker) }),
          lastNumber: recovered.lastNumber,
          applied: { epoch: current.acked, checkpoint: current.appliedCheckpoint },
          retire: (applied, done) => events.role?.retire(applied, done),
          onFailure: (what, result) => parts.events.failed(what, result),
        },
        current.firstLiveSegment,
      );
      events.role = new BackupRole(parts, journal, store, marker, resync);
      await events.role.#unfinished.recover(marker?.resyncId ?? NO_ID);
      store.start();
      return events.role;
    } catch (error) {
      await closeAll(segments.map(({ file }) => file));
      throw error;
    }
  }

  /** The last committed epoch. */
  get epoch(): number {
    return this.#epoch;
  }
  /** Whether a checkpoint may have been committed since this side became a backup; the image may have it, or a part. */
  get hasCheckpoint(): boolean {
    return this.#hasCheckpoint;
  }
  get committedAtSeconds(): number | undefined {
    return this.#committedAtSeconds;
  }
  /** The resync that a part of is here; null: none. */
  get resyncId(): string | null {
    return this.#unfinished.id;
  }

  /** What a primary of this disk id is about to send belongs to it from now on; durable before the image is changed. */
  beginSync(id: string, grains: number, isFirst: boolean): Promise<SyncTarget> {
    const begin = async (): Promise<SyncTarget> => {
      // What makes this side one with a state must not be overtaken by writes to its image.
      if (isFirst) await this.#commits.none();
      return this.#unfinished.begin(id, grains, isFirst);
    };
    const begun = this.#beginning.then(begin, begin);
    this.#beginning = begun;
    return begun;
  }

  /** Completes when every commit that was asked for has ended. */
  settle(done: Done): void {
    // An empty one ends after all before it.
    if (this.store.isCommitting) this.commit(this.#asked.epoch + 1, this.#asked.generation, undefined, done);
    else done(0);
  }

  commit(epoch: number, generation: string, sync: SyncTarget | undefined, done: Done): void {
    this.#asked = { epoch, generation };
    this.#hasCheckpoint = true;
    const start = this.#parts.nowSeconds();
    const bytes = this.store.openBytes;
    const ended = this.#commits.begin((result: number) => {
      if (result === 0) {
        this.#epoch = epoch;
        this.#committedAtSeconds = this.#parts.nowSeconds();
      }
      this.#parts.events.committed(epoch, bytes, Math.max(this.#parts.nowSeconds() - start, 0), result);
      done(result);
    });
    this.store.generation = generation;
    if (sync === undefined) {
      this.store.commitWith(epoch, undefined, (result) => this.#committed(generation, result, ended));
      return;
    }
    void this.#finishSync(epoch, generation, sync, ended);
  }

  async #finishSync(epoch: number, generation: string, sync: SyncTarget, ended: Done): Promise<void> {
    try {
      const { aborts } = this.store;
      const slots = await sync.finish();
      if (this.store.aborts !== aborts) {
        // The connection is over, and what was open with it: the resync goes on with the next one.
        ended(-errno.ECANCELED);
        return;
      }
      this.#commitSync(epoch, generation, slots, ended);
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      this.store.fail('complete a resync', error.result);
      ended(error.result);
    }
  }

  /** Drops a resync that was not committed, if there is one, once its begin has ended. */
  dropUnfinished(): Promise<void> {
    const drop = (): Promise<void> => this.#unfinished.drop();
    const dropped = this.#beginning.then(drop, drop);
    this.#beginning = dropped;
    return dropped;
  }

  #commitSync(epoch: number, generation: string, slots: ResyncSlots | undefined, done: Done): void {
    this.#committedResync = this.#unfinished.committing();
    this.store.commitWith(epoch, slots, (result) => this.#committed(generation, result, done));
  }

  /** A first state, and the end of a rejoin, are durable in the metadata before the primary hears of them. */
  #committed(generation: string, result: number, done: Done): void {
    const { metadata, events } = this.#parts;
    const { hasState, rejoining } = metadata.current;
    if (result < 0 || (hasState && !rejoining)) {
      metadata.note({ generation });
      done(result);
      return;
    }
    const now = { generation, hasState: true, inconsistent: false, rejoining: false, resyncId: NO_ID };
    metadata.update({ ...now, ancestors: [] }, (written) => {
      if (written < 0) this.store.fail('write the metadata', written);
      else events.initialised();
      if (this.#unfinished.hasLeftovers) void this.dropUnfinished();
      done(written);
    });
  }

  retire({ firstLive, epoch, checkpoint, dropsResync }: Applied, done: Done): void {
    const { metadata } = this.#parts;
    const now = { firstLiveSegment: firstLive, acked: epoch, appliedCheckpoint: checkpoint };
    metadata.update(now, (result) => {
      const resync = this.#committedResync;
      if (result === 0 && dropsResync && resync) {
        this.#committedResync = undefined;
        // Nothing needs it any more: if it stays, the next resync takes its place.
        void this.#remove(resync, done);
        return;
      }
      done(result);
    });
  }

  async #remove(resync: ResyncFile, done: Done): Promise<void> {
    const { files, directory, events } = this.#parts;
    const failure = await failureOf(async () => {
      await resync.close();
      await completed(`remove ${directory}/resync`, (removed) =>
        files.unlink(`${directory}/resync`, removed),
      );
    });
    if (failure) events.notice(failure.message);
    done(0);
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#beginning]);
    await closeAll([this.#unfinished, this.#committedResync, this.journal]);
  }
}

function neededBy(marker: NeededResync): NeededResync {
  const { resyncId, resyncCrc, resyncCheckpoint } = marker;
  return { resyncId, resyncCrc, resyncCheckpoint };
}
