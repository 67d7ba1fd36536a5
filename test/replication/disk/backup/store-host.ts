// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import { errnoCode } from '../../../../src/posix/errno.js';
import { BackupRole } from '../../../../src/replication/disk/backup/backup-role.js';
import { createState, loadState } from '../../../../src/replication/disk/open-state.js';
import { DEFAULT_REPLICATION_OPTIONS } from '../../../../src/replication/disk/options.js';
import { Completions } from '../../../../src/server/completions.js';
import { type CrashKind, type SimulatedHost, SimulatedWorld } from '../../../../src/testing/index.js';
import { contentOf } from '../simulation/content.js';
import type { DiskContent } from '../simulation/history.js';
import { HeldCalls } from '../held-calls.js';
import { ImageDisk } from '../world.js';

export const STORE_SECTORS = 2048;
const IMAGE = '/srv/disk.img';
export const DIRECTORY = '/srv/disk.img.remus';
/** Room for five of the records that a walk writes in each of the two files. */
const JOURNAL_BYTES = 1_500_000;

/** A host with an image and a backup's files, and the role on them, opened anew by each process. */
export class StoreHost {
  readonly world: SimulatedWorld;
  readonly host: SimulatedHost;
  /** Of the running process; undefined until it is open. */
  role: BackupRole | undefined;
  /** Why the role serves nothing any more. */
  failure: string | undefined;
  /** What of its files a test holds back. */
  readonly held = new HeldCalls();
  readonly #memoryBytes: number;

  constructor(seed: number) {
    this.world = new SimulatedWorld({ seed, shortTransfers: 0.02 });
    this.host = this.world.host('10.0.0.1');
    this.#memoryBytes = this.world.random.pick([64 << 10, 1 << 20]);
    this.host.files.put(IMAGE, new Uint8Array(STORE_SECTORS * 512));
    this.host.boot(() => this.#boot());
  }

  /** Waits until the role is open. */
  async opened(): Promise<BackupRole> {
    await this.world.run(() => this.role !== undefined, { limitSeconds: 60 });
    return this.role as BackupRole;
  }

  crash(kind: CrashKind): void {
    this.role = undefined;
    this.failure = undefined;
    this.host.crash(kind);
  }

  /** What is committed, as a reader sees it now; a number: the errno. `release` lets go of it. */
  look(): { readonly read: () => Promise<DiskContent | number>; readonly release: () => void } {
    const role = this.role as BackupRole;
    const { layers, release } = role.store.freeze();
    return {
      release,
      read: () =>
        new Promise((resolve) => {
          const bytes = new Uint8Array(STORE_SECTORS * 512);
          role.store.readLayers(layers, 0, bytes, (result) =>
            resolve(result < 0 ? result : contentOf(bytes)),
          );
        }),
    };
  }

  async #boot(): Promise<void> {
    const { host, world } = this;
    const completions = new Completions(host.serve(), host.posix, host.logger);
    const files = this.held.over(host.files.calls(completions));
    const fd = await new Promise<number>((resolve) => {
      files.open(IMAGE, constants.O_RDWR, resolve);
    });
    const disk = new ImageDisk(files, fd, STORE_SECTORS);
    const random = (bytes: Uint8Array): void => {
      for (let at = 0; at < bytes.length; at++) bytes[at] = world.random.word();
    };
    const stateParts = {
      files,
      disk,
      // The backup of a C primary has a state from its beginning.
      options: {
        ...DEFAULT_REPLICATION_OPTIONS,
        address: '10.0.0.1:9000',
        directory: DIRECTORY,
        journalBytes: JOURNAL_BYTES,
        peer: 'c',
      } as const,
      random,
      notice: () => {},
    };
    const { metadata } = (await loadState(stateParts)) ?? (await createState(stateParts, 'backup', true));
    this.role = await BackupRole.open({
      files,
      directory: DIRECTORY,
      disk,
      metadata,
      isBlank: false,
      memoryBytes: this.#memoryBytes,
      random,
      nowSeconds: () => host.posix.clock.now(),
      events: {
        committed: () => {},
        initialised: () => {},
        notice: () => {},
        failed: (what, result) => (this.failure = `cannot ${what}: ${errnoCode(result)}`),
      },
    });
  }
}
