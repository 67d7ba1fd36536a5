// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { NbdExport, NbdExports } from '../nbd/index.js';
import { errno } from '../posix/errno.js';
import { SystemError } from '../posix/system-error.js';
import type { CheckpointView, DiskReplication } from '../replication/disk/disk-replication.js';
import { CheckpointDevice } from './checkpoint-device.js';

/** A drill under way: a checkpoint that is exported. */
interface Drill {
  readonly epoch: number;
  readonly device: CheckpointDevice;
  readonly closedListeners: Set<() => void>;
}

/** What a drill is called among the exports. */
export function drillName(minor: number): string {
  return `drill-${minor}`;
}

/** Restore tests: the checkpoints of backups as read-only exports, while protection goes on. */
export class Drills {
  readonly #drills = new Map<number, Drill>();
  readonly #uriOf: (exportName: string) => string | undefined;

  /** @param uriOf where NBD clients find an export; undefined when NBD is not served */
  constructor(uriOf: (exportName: string) => string | undefined) {
    this.#uriOf = uriOf;
  }

  /** @throws (rejects with) SystemError: EBUSY in a drill already, EOPNOTSUPP without NBD, or the replication's */
  async begin(
    minor: number,
    replication: DiskReplication,
  ): Promise<{ message: string; uri: string; epoch: number }> {
    const uri = this.#uriOf(drillName(minor));
    if (uri === undefined) {
      throw new SystemError(
        errno.EOPNOTSUPP,
        'a drill is an NBD export: start the daemon with --nbd ADDRESS',
      );
    }
    if (this.#drills.has(minor)) throw new SystemError(errno.EBUSY, `a drill is in progress at ${uri}`);
    const view = await new Promise<CheckpointView>((resolve, reject) => {
      replication.openCheckpoint((result, opened) => {
        if (opened) resolve(opened);
        else reject(new SystemError(result, 'only a backup with a committed checkpoint can have a drill'));
      });
    });
    this.#drills.set(minor, {
      epoch: view.epoch,
      device: new CheckpointDevice(view),
      closedListeners: new Set(),
    });
    return {
      message: `checkpoint ${view.epoch} is at ${uri} until the drill is ended`,
      uri,
      epoch: view.epoch,
    };
  }

  /** @throws SystemError ENOENT when there is none */
  end(minor: number): { message: string } {
    const drill = this.#drills.get(minor);
    if (!drill) throw new SystemError(errno.ENOENT, `no drill of disk ${minor}`);
    this.#drills.delete(minor);
    for (const listener of drill.closedListeners) listener();
    drill.device.close();
    return { message: `the drill of checkpoint ${drill.epoch} has ended` };
  }

  endAll(): void {
    for (const minor of this.#drills.keys()) this.end(minor);
  }

  /** The exports that there are, and those of the drills by their names. */
  beside(exports: NbdExports): NbdExports {
    return {
      list: () => [...exports.list(), ...this.#exports()],
      find: (name) => this.#exports().find((each) => each.name === name) ?? exports.find(name),
    };
  }

  #exports(): NbdExport[] {
    return [...this.#drills].map(([minor, { epoch, device, closedListeners }]) => ({
      name: drillName(minor),
      description: `checkpoint ${epoch} of disk ${minor}, read-only`,
      device,
      onClosed(listener) {
        closedListeners.add(listener);
        return () => closedListeners.delete(listener);
      },
    }));
  }
}
