// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type {
  ChangePart,
  DaemonPart,
  DiskPart,
  EventPart,
  ReplicationPart,
  SchedulerPart,
  StreamMessage,
} from '../wire.js';

/** What the daemon has reported of itself: the parts of its last snapshot with all changes since. */
export class State {
  readonly #parts = new Map<string, unknown>();
  /** Seconds since 1970, of the daemon's clock. */
  at = 0;

  /** Starts over with a snapshot. */
  reset(message: StreamMessage): void {
    this.#parts.clear();
    this.apply(message);
  }

  apply({ at, set, gone }: StreamMessage): void {
    this.at = at;
    for (const key of gone) this.#parts.delete(key);
    for (const [key, part] of Object.entries(set)) this.#parts.set(key, part);
  }

  get daemon(): DaemonPart | undefined {
    return this.#parts.get('daemon') as DaemonPart | undefined;
  }
  get scheduler(): SchedulerPart | undefined {
    return this.#parts.get('scheduler') as SchedulerPart | undefined;
  }
  /** By minor number. */
  get disks(): DiskPart[] {
    return this.#numbered<DiskPart>('disk').map(([, part]) => part);
  }
  /** By minor number. */
  get replications(): ReplicationPart[] {
    return this.#numbered<ReplicationPart>('replication').map(([, part]) => part);
  }
  /** The newest first. */
  get changes(): [number: number, change: ChangePart][] {
    return this.#numbered<ChangePart>('change').reverse();
  }
  /** By id. */
  get events(): EventPart[] {
    return this.#numbered<EventPart>('event').map(([, part]) => part);
  }

  #numbered<Part>(kind: string): [number: number, part: Part][] {
    const found: [number, Part][] = [];
    for (const [key, part] of this.#parts) {
      if (key.startsWith(`${kind}:`)) found.push([Number(key.slice(kind.length + 1)), part as Part]);
    }
    return found.sort(([a], [b]) => a - b);
  }
}
