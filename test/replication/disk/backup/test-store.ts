// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  type Applied,
  CheckpointStore,
  type CheckpointStoreParts,
} from '../../../../src/replication/disk/backup/checkpoint-store.js';
import { Journal } from '../../../../src/replication/disk/journal/journal.js';
import { SegmentFile } from '../../../../src/replication/disk/journal/segment-file.js';
import { BLOCK, FIRST_RECORD_AT } from '../../../../src/replication/disk/journal/segment-format.js';
import type { Done } from '../../../../src/replication/disk/local-disk.js';
import { contentOf, tagged } from '../simulation/content.js';
import { HeldDisk } from './held-disk.js';
import { TestFiles } from './host-files.js';

export interface TestStoreOptions extends Partial<CheckpointStoreParts> {
  /** What each of the journal's files has room for, in blocks of records; 512 unless given. */
  readonly blocks?: number;
}

export const JOURNAL = ['/srv/state/journal-0', '/srv/state/journal-1'] as const;
const SECTORS = 4096;

/** A journal of two files that were never used. */
export async function newJournal(files: TestFiles, blocks = 512): Promise<[SegmentFile, SegmentFile]> {
  const [first, second] = JOURNAL;
  const create = (path: string): Promise<SegmentFile> =>
    files.wait(SegmentFile.create(files.calls, path, FIRST_RECORD_AT + blocks * BLOCK));
  return [await create(first), await create(second)];
}

/** A store over an image in memory, with a journal on simulated files. */
export class TestStore {
  readonly files: TestFiles;
  readonly disk: HeldDisk;
  readonly segments: readonly [SegmentFile, SegmentFile];
  readonly journal: Journal;
  readonly store: CheckpointStore;
  /** What the image has, as the store reported it. */
  readonly retired: Applied[] = [];
  /** While it is set, what the image has is not durable yet: these wait. */
  heldRetires: Done[] | undefined;
  readonly failures: string[] = [];

  private constructor(files: TestFiles, segments: [SegmentFile, SegmentFile], options: TestStoreOptions) {
    this.files = files;
    this.disk = new HeldDisk(SECTORS);
    this.segments = segments;
    this.journal = new Journal(
      { files: segments, salt: () => 1, onFailure: (result) => this.store.fail('write the journal', result) },
      { current: undefined, firstLive: 1, sequence: 0 },
    );
    this.store = new CheckpointStore(
      {
        disk: this.disk,
        journal: this.journal,
        memoryBytes: 8 << 20,
        recovered: undefined,
        lastNumber: 0,
        applied: { epoch: 0, checkpoint: 0 },
        retire: (applied, done) => {
          this.retired.push(applied);
          if (this.heldRetires) this.heldRetires.push(done);
          else done(0);
        },
        onFailure: (what, result) => this.failures.push(`${what}: ${result}`),
        ...options,
      },
      1,
    );
  }

  static async open(options: TestStoreOptions = {}, files = new TestFiles()): Promise<TestStore> {
    return new TestStore(files, await newJournal(files, options.blocks), options);
  }

  write(sector: number, tag: number, sectors = 1): void {
    this.store.write(sector, tagged(tag, sectors));
  }
  commit(epoch: number): Promise<number> {
    return this.files.ended((done) => this.store.commit(epoch, done));
  }
  drain(): Promise<number> {
    return this.files.ended((done) => this.store.drain(done));
  }
  /** Lets calls that are under way end. */
  settle(): Promise<void> {
    return this.files.world.run(0.1);
  }
  /** The tags of sectors as the last checkpoint has them; a number: the errno. */
  async tags(sector: number, sectors: number): Promise<number[] | number> {
    const bytes = new Uint8Array(sectors * 512);
    const result = await this.files.ended((done) => this.store.read(sector, bytes, done));
    return result < 0 ? result : [...contentOf(bytes)];
  }
}
