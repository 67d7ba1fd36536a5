// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { FileCalls } from '../../../posix/files.js';
import { NO_ID } from '../format/metadata-record.js';
import type { LocalDisk } from '../local-disk.js';
import type { MetadataFile } from '../metadata-file.js';
import { DirtyMap } from '../primary/dirty-map.js';
import { closeAll, completed, failureOf } from '../state-file.js';
import { ResyncFile, type ResyncShape } from './resync-file.js';
import { DirectTarget, FileTarget, type SyncTarget } from './sync-target.js';

export interface UnfinishedResyncParts {
  readonly files: FileCalls;
  /** Of the state files, without a slash at its end. */
  readonly directory: string;
  readonly disk: LocalDisk;
  readonly metadata: MetadataFile;
  /** The image is all zeroes, as far as is known. */
  readonly isBlank: boolean;
  /** Whether the file of the last resync is still needed. */
  readonly needsFile: () => boolean;
  /** Writes the last resync to the image, so that its file is not needed any more. @throws (rejects with) StateError */
  readonly freeFile: () => Promise<unknown>;
  readonly notice: (message: string) => void;
}

/** The resync that a primary is sending, or has sent a part of: what there is of it is kept for the next connection, or process. */
export class UnfinishedResync {
  readonly #parts: UnfinishedResyncParts;
  #target: SyncTarget | undefined;
  #file: ResyncFile | undefined;
  /** Of a first sync: where it goes, and the map of what the image has of it. */
  #direct: DirectTarget | undefined;
  #received: DirtyMap | undefined;

  constructor(parts: UnfinishedResyncParts) {
    this.#parts = parts;
  }

  /** The resync that a part of is here; null: none. */
  get id(): string | null {
    const { resyncId, hasState } = this.#parts.metadata.current;
    if (!hasState) return resyncId === NO_ID ? null : resyncId;
    return this.#file?.id ?? null;
  }

  /** Finds what an earlier process has left. `committed`: the last one that was committed. */
  async recover(committed: string): Promise<void> {
    const { files, directory, disk, metadata, needsFile, notice } = this.#parts;
    const { hasState, resyncId, grainSectors } = metadata.current;
    const failure = await failureOf(async () => {
      if (!hasState && resyncId !== NO_ID) {
        const path = `${directory}/received`;
        this.#received = await DirtyMap.load(files, path, this.#grains, resyncId, () => {});
        this.#target = this.#direct = new DirectTarget(resyncId, disk, grainSectors, this.#received, false);
      } else if (hasState && !needsFile()) {
        const found = await ResyncFile.resume(files, `${directory}/resync`, this.#shape);
        this.#file = found;
        if (found && found.id !== committed) this.#target = new FileTarget(found, grainSectors);
      }
    });
    // It only saves work.
    if (failure) notice(`a resync cannot be resumed: ${failure.message}`);
    if (this.#target === undefined) await this.drop();
  }

  /** Begins a resync of so many grains, or resumes the one of the same id. @throws (rejects with) StateError */
  async begin(id: string, grains: number, isFirst: boolean): Promise<SyncTarget> {
    const known = this.#target;
    if (known?.id === id && !known.hasFailed) {
      await known.resume(grains);
      return known;
    }
    await this.drop();
    const { hasState } = this.#parts.metadata.current;
    this.#target = await (isFirst && !hasState ? this.#beginDirect(id) : this.#beginFile(id, grains));
    return this.#target;
  }

  async #beginDirect(id: string): Promise<DirectTarget> {
    const { files, directory, disk, metadata } = this.#parts;
    const { resyncId, grainSectors } = metadata.current;
    const isBlank = this.#parts.isBlank && resyncId === NO_ID;
    this.#received = await DirtyMap.create(files, `${directory}/received`, this.#grains, id);
    await completed(`sync ${directory}`, (done) => files.syncDirectory(directory, done));
    await completed('write the metadata', (done) =>
      metadata.update({ resyncId: id, inconsistent: true }, done),
    );
    this.#direct = new DirectTarget(id, disk, grainSectors, this.#received, isBlank);
    return this.#direct;
  }

  async #beginFile(id: string, grains: number): Promise<FileTarget> {
    const { files, directory, metadata, freeFile } = this.#parts;
    // Until the image has the last one, there is no place for another.
    await freeFile();
    this.#file = await ResyncFile.create(files, `${directory}/resync`, id, this.#shape, grains);
    await completed(`sync ${directory}`, (done) => files.syncDirectory(directory, done));
    return new FileTarget(this.#file, metadata.current.grainSectors);
  }

  /** It is being committed: its file, if it has one, is the caller's. */
  committing(): ResyncFile | undefined {
    const file = this.#file;
    this.#target = undefined;
    this.#file = undefined;
    return file;
  }

  /** Whether there is something left of a first sync that was committed. */
  get hasLeftovers(): boolean {
    return this.#direct !== undefined;
  }

  /** Drops it, if there is one. */
  async drop(): Promise<void> {
    const { files, directory, needsFile, notice } = this.#parts;
    const remove = (name: string): Promise<number> =>
      new Promise((resolve) => files.unlink(`${directory}/${name}`, resolve));
    // What is removed need not be closed well.
    const failure = await failureOf(() => this.close());
    if (failure) notice(failure.message);
    await remove('received');
    if (needsFile()) return;
    if ((await remove('resync')) === 0) notice('a resync that was not committed is dropped');
  }

  /** Lets go of its files, which stay. */
  async close(): Promise<void> {
    const file = this.#file;
    const received = this.#received;
    const direct = this.#direct;
    this.#target = undefined;
    this.#file = undefined;
    this.#received = undefined;
    this.#direct = undefined;
    await direct?.settle();
    await closeAll([received, file]);
  }

  get #shape(): ResyncShape {
    return { sectors: this.#parts.disk.sectors, grainSectors: this.#parts.metadata.current.grainSectors };
  }
  get #grains(): number {
    return Math.ceil(this.#shape.sectors / this.#shape.grainSectors);
  }
}
