// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What the daemon sends to its status page; the page's own code reads the same types.

import type { ReplicationStatus } from '../../replication/disk/status.js';
import type { RecentSlowCallback } from '../slow-callbacks.js';

/** How far back the page can look, in seconds: one sample each. */
export const HISTORY_SECONDS = 600;

/** What is measured of a disk in one second. Rates are per second; null where nothing was measured. */
export interface Sample {
  readonly readBytes: number | null;
  readonly writtenBytes: number | null;
  readonly reads: number | null;
  readonly writes: number | null;
  /** Half of the reads and writes took no longer, in seconds. */
  readonly p50Seconds: number | null;
  readonly p99Seconds: number | null;
  readonly inFlight: number | null;
  readonly waiting: number | null;
  /** Of a replicated disk. */
  readonly rpoSeconds: number | null;
}

/** The members of a {@link Sample}, in their order. */
export const SAMPLE_FIELDS = [
  'readBytes',
  'writtenBytes',
  'reads',
  'writes',
  'p50Seconds',
  'p99Seconds',
  'inFlight',
  'waiting',
  'rpoSeconds',
] as const satisfies readonly (keyof Sample)[];

/** What was measured of a disk, the oldest second first: columns of the same length. */
export interface History {
  readonly minor: number;
  /** Seconds since 1970. */
  readonly at: readonly number[];
  readonly columns: Readonly<Record<keyof Sample, readonly (number | null)[]>>;
}

export interface DaemonPart {
  readonly pid: number;
  readonly version: string;
  /** Seconds since 1970. */
  readonly startedAt: number;
  readonly residentMiB?: number;
  readonly descriptors: number;
  readonly controlConnections: number;
  readonly nbdConnections: number;
  readonly pages: number;
}

/** One image of a chain: see ChainLink. */
export interface ImagePart {
  readonly path: string;
  readonly bytes: number;
  readonly blocks?: number;
  readonly allocatedBlocks?: number;
}

export interface DiskPart {
  readonly minor: number;
  /** Of its NBD export, where it has one of its own. */
  readonly exportName?: string;
  readonly uri?: string;
  /** One word, or several with commas between. */
  readonly state: string;
  readonly isOpen: boolean;
  readonly readOnly: boolean;
  readonly bytes: number;
  /** The top one first. */
  readonly stack: readonly { readonly driver: string; readonly argument: string }[];
  /** The image that takes the writes first; empty where the driver has no chain. */
  readonly chain: readonly ImagePart[];
  readonly failed: number;
  readonly retries: number;
  readonly sample: Sample;
}

/** All but what changes every second is as the control socket reports it. */
export interface ReplicationPart extends ReplicationStatus {
  readonly minor: number;
}

/** A change of a replicated disk's state. */
export interface ChangePart {
  readonly minor: number;
  readonly at: number;
  readonly from: string;
  readonly to: string;
  readonly role: string;
  readonly reason: string;
}

export interface SchedulerPart {
  readonly dialect: string;
  readonly events: number;
  /** Those beyond are not in the table. */
  readonly shownEvents: number;
  readonly callbacksPerSecond: number;
  /** The part of the last second that was spent in callbacks. */
  readonly busy: number;
  readonly lagP50Seconds: number;
  readonly lagP99Seconds: number;
  readonly lagMaxSeconds: number;
  /** Of the last minute or two, the slowest first. */
  readonly slowest: readonly RecentSlowCallback[];
}

/** A registered event. */
export interface EventPart {
  readonly id: number;
  /** As `READ|TIMEOUT`. */
  readonly mode: string;
  /** Null when its mode is TIMEOUT alone. */
  readonly fd: number | null;
  /** Its purpose, as far as that is known. */
  readonly purpose: string;
  /** Null without TIMEOUT. */
  readonly timeoutSeconds: number | 'infinite' | null;
  /** Seconds since 1970; null without TIMEOUT. */
  readonly dueAt: number | 'never' | null;
  readonly masked: boolean;
}

/** All parts by their keys: `disk:3`, `event:17`. */
export interface Parts {
  readonly daemon: DaemonPart;
  readonly scheduler: SchedulerPart;
  readonly [disk: `disk:${number}`]: DiskPart;
  readonly [replication: `replication:${number}`]: ReplicationPart;
  readonly [change: `change:${number}`]: ChangePart;
  readonly [event: `event:${number}`]: EventPart;
}

/** An event of the stream: all parts (`snapshot`), or those that are others than before (`change`). */
export interface StreamMessage {
  /** Seconds since 1970. */
  readonly at: number;
  readonly set: Readonly<Partial<Parts>>;
  /** The keys of parts that are no more. */
  readonly gone: readonly string[];
}
