// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { ReplicationHandler, ReplicationRequest } from '../control/replication-request.js';
import { RemusDriver } from '../disks/drivers/index.js';
import type { VbdRegistry } from '../disks/index.js';
import { errno } from '../posix/errno.js';
import { SystemError } from '../posix/system-error.js';
import type { CommandOutcome, DiskReplication } from '../replication/disk/disk-replication.js';
import type { ReplicationEvent, StateChanged } from '../replication/disk/events.js';
import type { ReplicationStatus } from '../replication/disk/status.js';
import type { Drills } from './drills.js';

/** How many events are kept for queries. */
export const MAX_KEPT_EVENTS = 1000;
/** How many changes of state are kept, however many other events there are. */
export const MAX_KEPT_CHANGES = 100;

/** An event of a replicated disk, numbered through all disks of the daemon. */
export interface NumberedEvent {
  readonly number: number;
  readonly minor: number;
  readonly event: ReplicationEvent;
}

/** A change of a replicated disk's state, with the number of its event. */
export type NumberedChange = NumberedEvent & { readonly event: StateChanged };

/** A replicated disk, as `status` shows it. */
export interface DiskStatus extends ReplicationStatus {
  readonly minor: number;
}

interface ReplicatedDisk {
  readonly minor: number;
  readonly replication: DiskReplication;
}

export interface ReplicationControlParts {
  readonly registry: VbdRegistry;
  readonly drills: Drills;
  readonly onEvent?: (minor: number, event: ReplicationEvent) => void;
  /** How many are kept of each: {@link MAX_KEPT_EVENTS} and {@link MAX_KEPT_CHANGES} unless given. */
  readonly maxKept?: { readonly events: number; readonly changes: number };
}

/** What operators ask of a daemon's replicated disks: their status, their events, and commands. */
export class ReplicationControl implements Disposable {
  readonly #parts: ReplicationControlParts;
  readonly #events: NumberedEvent[] = [];
  readonly #changes: NumberedChange[] = [];
  readonly #maxKept: { readonly events: number; readonly changes: number };
  readonly #forget: () => void;
  #lastNumber = 0;

  constructor(parts: ReplicationControlParts) {
    this.#parts = parts;
    this.#maxKept = parts.maxKept ?? { events: MAX_KEPT_EVENTS, changes: MAX_KEPT_CHANGES };
    // Known from its first opening: a disk that is resumed with its drivers has them still.
    const known = new WeakSet<RemusDriver>();
    this.#forget = parts.registry.onOpening(({ minor }, drivers) => {
      const driver = RemusDriver.among(drivers);
      if (driver === undefined || known.has(driver)) return;
      known.add(driver);
      driver.onEvent((event) => this.#keep(minor, event));
    });
  }

  readonly handle: ReplicationHandler = async (minor, request) => {
    if (request.command === 'events') return this.#eventsAfter(request.after ?? 0, minor);
    const disks = this.#disks(minor);
    if (request.command === 'status') return disks.map((disk) => statusOf(disk));
    const [disk, ...others] = disks;
    if (disk === undefined) throw new SystemError(errno.ENOENT, 'no replicated disk');
    if (others.length > 0) {
      const minors = disks.map((each) => each.minor).join(', ');
      throw new SystemError(errno.EINVAL, `name one of the replicated disks ${minors} with --minor`);
    }
    return this.#run(disk, request);
  };

  statuses(): DiskStatus[] {
    return this.#disks(undefined).map((disk) => statusOf(disk));
  }

  /** The last changes of state, the oldest first. */
  get changes(): readonly NumberedChange[] {
    return this.#changes;
  }

  [Symbol.dispose](): void {
    this.#forget();
  }

  /** @throws SystemError when a minor is given that has no replicated disk */
  #disks(minor: number | undefined): ReplicatedDisk[] {
    const disks = this.#parts.registry.vbds().flatMap((vbd): ReplicatedDisk[] => {
      const driver = RemusDriver.among(vbd.drivers);
      return driver?.replication ? [{ minor: vbd.minor, replication: driver.replication }] : [];
    });
    if (minor === undefined) return disks;
    const found = disks.find((disk) => disk.minor === minor);
    if (found) return [found];
    const minors = disks.map((disk) => disk.minor).join(', ') || 'none';
    throw new SystemError(errno.EINVAL, `disk ${minor} is not replicated; replicated disks: ${minors}`);
  }

  async #run({ minor, replication }: ReplicatedDisk, request: ReplicationRequest): Promise<unknown> {
    const { command, dryRun = false, full = false, keep } = request;
    switch (command) {
      case 'flush': {
        const epoch = await new Promise<number>((resolve) => replication.checkpoint(resolve));
        if (epoch < 0) throw new SystemError(epoch, 'the checkpoint was not committed: see the status');
        return { message: `checkpoint ${epoch} is committed`, epoch };
      }
      case 'promote':
        return outcomeOf((done) => replication.promote({ dryRun }, done));
      case 'rejoin':
        return outcomeOf((done) => replication.rejoin({ dryRun }, done));
      case 'discard':
        if (keep === undefined || !keep.startsWith('/')) {
          throw new SystemError(
            errno.EINVAL,
            'missing --keep FILE: changes are kept aside before they are given up',
          );
        }
        return outcomeOf((done) => replication.discard({ dryRun, keep }, done));
      case 'resync':
        return outcomeOf((done) => replication.resync({ full }, done));
      case 'verify':
        return outcomeOf((done) => replication.verify(done));
      case 'pause':
        return outcomeOf((done) => replication.pause(done));
      case 'resume':
        return outcomeOf((done) => replication.resume(done));
      case 'drill':
        return this.#parts.drills.begin(minor, replication);
      case 'end-drill':
        return this.#parts.drills.end(minor);
      case 'status':
      case 'events':
        return undefined;
    }
  }

  #keep(minor: number, event: ReplicationEvent): void {
    this.#lastNumber += 1;
    this.#events.push({ number: this.#lastNumber, minor, event });
    if (this.#events.length > this.#maxKept.events) this.#events.shift();
    if (event.kind === 'state') {
      this.#changes.push({ number: this.#lastNumber, minor, event });
      if (this.#changes.length > this.#maxKept.changes) this.#changes.shift();
    }
    this.#parts.onEvent?.(minor, event);
  }

  #eventsAfter(after: number, minor: number | undefined): NumberedEvent[] {
    return this.#events.filter(
      (kept) => kept.number > after && (minor === undefined || kept.minor === minor),
    );
  }
}

function statusOf({ minor, replication }: ReplicatedDisk): DiskStatus {
  return { minor, ...replication.status() };
}

/** @throws (rejects with) SystemError when the command was refused or has failed */
function outcomeOf(run: (done: (outcome: CommandOutcome) => void) => void): Promise<CommandOutcome> {
  return new Promise((resolve, reject) => {
    run((outcome) => {
      if (outcome.result < 0) reject(new SystemError(outcome.result, outcome.message));
      else resolve(outcome);
    });
  });
}
