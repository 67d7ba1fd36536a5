// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { FileCalls } from '../../posix/files.js';
import type { Done } from './local-disk.js';
import { decodeMetadata, encodeMetadata, type Metadata, METADATA_BYTES } from './format/metadata-record.js';
import { closedOnFailure, completed, damaged, StateFile } from './state-file.js';

/** Where the second copy is: in a block of its own. */
const SECOND_COPY_AT = 4096;
const METADATA_FILE_BYTES = 2 * SECOND_COPY_AT;

interface Waiter {
  /** The update that has what it waits for. */
  readonly update: number;
  readonly done: Done;
}

/**
 * The metadata of a side, in memory and on stable storage. An update is in force, and its caller notified, once both copies
 * are durable; updates that come while one is written share the next write. After a failed one none is written any more.
 */
export class MetadataFile {
  readonly #file: StateFile;
  #current: Metadata;
  #durableUpdate: number;
  #writing = false;
  /** Something was noted that no update has taken along. */
  #hasNotes = false;
  #failure = 0;
  #waiters: Waiter[] = [];

  private constructor(file: StateFile, current: Metadata) {
    this.#file = file;
    this.#current = current;
    this.#durableUpdate = current.update;
  }

  /**
   * The metadata that the directory has; undefined: none.
   *
   * @param notice called for what was repaired
   * @throws (rejects with) StateError: -EBADMSG when both copies are damaged, or a file call's error
   */
  static async load(
    files: FileCalls,
    path: string,
    notice: (message: string) => void,
  ): Promise<MetadataFile | undefined> {
    const file = await StateFile.open(files, path, 'by-write');
    if (file === undefined) return undefined;
    return closedOnFailure(file, async () => {
      // What is read must not be something that a power failure takes back.
      await file.synced();
      const size = await file.size();
      if (size !== METADATA_FILE_BYTES) {
        throw damaged(path, `it has ${size} bytes, expected ${METADATA_FILE_BYTES}`);
      }
      const bytes = new Uint8Array(METADATA_FILE_BYTES);
      await file.readAt(0, bytes);
      const copies = [0, SECOND_COPY_AT].map((at) => decodeMetadata(bytes.subarray(at, at + METADATA_BYTES)));
      const sound = copies.filter((copy) => copy !== undefined).toSorted((a, b) => b.update - a.update);
      const [newest, other] = sound;
      if (newest === undefined) throw damaged(path, 'neither copy of the metadata is sound');
      const metadata = new MetadataFile(file, newest);
      if (other === undefined) notice(`${path}: one copy of the metadata was damaged and is written anew`);
      if (other?.update !== newest.update) {
        await new Promise<number>((resolve) => {
          metadata.update({}, resolve);
        });
      }
      return metadata;
    });
  }

  /**
   * Makes the first metadata of a directory. They appear under their name whole or not at all; the caller syncs the
   * directory.
   *
   * @throws (rejects with) StateError
   */
  static async create(files: FileCalls, path: string, first: Metadata): Promise<MetadataFile> {
    const file = await StateFile.create(files, `${path}.new`, 'by-write');
    return closedOnFailure(file, async () => {
      await file.writeAt(0, copiesOf(first));
      await file.synced();
      await completed(`rename ${file.path}`, (done) => files.rename(file.path, path, done));
      return new MetadataFile(file, first);
    });
  }

  get current(): Metadata {
    return this.#current;
  }
  /** Whether a write has failed: what is durable is not known. */
  get hasFailed(): boolean {
    return this.#failure < 0;
  }

  /** Changes the metadata at once, and completes when they are durable as they are now, or with the error. */
  update(change: Partial<Omit<Metadata, 'update'>>, done: Done): void {
    if (this.#failure < 0) done(this.#failure);
    else {
      this.#current = { ...this.#current, ...change, update: this.#current.update + 1 };
      this.#hasNotes = false;
      this.#waiters.push({ update: this.#current.update, done });
      if (!this.#writing) this.#write();
    }
  }

  /** Completes when every {@link update} so far is durable, at once when all are, or with the error. */
  whenDurable(done: Done): void {
    const { update } = this.#current;
    if (this.#failure < 0 || this.#durableUpdate === update) done(this.#failure);
    else this.#waiters.push({ update, done });
  }

  /** Changes what can wait for the next {@link update}. */
  note(change: Partial<Omit<Metadata, 'update'>>): void {
    this.#current = { ...this.#current, ...change };
    this.#hasNotes = true;
  }

  /** Completes when all that was noted is durable, or with the error. */
  settle(done: Done): void {
    if (this.#hasNotes || this.#writing) this.update({}, done);
    else done(this.#failure);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #write(): void {
    const { update } = this.#current;
    this.#writing = true;
    this.#file.writeDurably(0, copiesOf(this.#current), (result) => this.#written(update, result));
  }

  #written(update: number, result: number): void {
    this.#writing = false;
    if (result < 0) this.#failure = result;
    else this.#durableUpdate = update;
    const finished = this.#waiters.filter((waiter) => result < 0 || waiter.update <= this.#durableUpdate);
    this.#waiters = this.#waiters.filter((waiter) => !finished.includes(waiter));
    for (const { done } of finished) done(result);
    if (this.#waiters.length > 0 && !this.#writing) this.#write();
  }
}

function copiesOf(metadata: Metadata): Uint8Array {
  const bytes = new Uint8Array(METADATA_FILE_BYTES);
  const copy = encodeMetadata(metadata);
  bytes.set(copy, 0);
  bytes.set(copy, SECOND_COPY_AT);
  return bytes;
}
