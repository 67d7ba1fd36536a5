// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** One word for a disk. */
export type DiskState =
  /** The backup has every checkpoint that was asked for up to the last one acked, and gets what is written. */
  | 'protected'
  /** Connected; the backup is usable at its last checkpoint and gets what it lacks. */
  | 'catching-up'
  /** Writes are local only. */
  | 'unprotected'
  /** The other side's backup, at a committed checkpoint. */
  | 'backup'
  /** The other side was promoted: this one is read-only. */
  | 'stale'
  /** Both sides have changes that the other lacks. */
  | 'split-brain'
  /** A backup without a state: its first sync has not been committed. Or a verification has found that the sides differ. */
  | 'inconsistent'
  /** A file or the image cannot be trusted: nothing is served. */
  | 'failed';

export type Role = 'primary' | 'backup' | 'undecided';
export type PeerKind = 'own' | 'c';

/** How far a resync is. */
export interface ResyncStatus {
  /** Already at the backup, of {@link totalBytes}. Zeroes count as their length. */
  readonly bytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond: number;
  /** Not known yet: null. */
  readonly secondsLeft: number | null;
  /** What it waits for, such as room at the backup, in words; null while it runs. */
  readonly waitingFor: string | null;
}

/** What an operator sees of a replicated disk; plain JSON. Seconds are those of the clock that the engine was given. */
export interface ReplicationStatus {
  readonly state: DiskState;
  /** Why, in one sentence. */
  readonly reason: string;
  /** What to type next; null when there is nothing to do. */
  readonly nextCommand: string | null;
  readonly role: Role;
  readonly paused: boolean;
  /** HOST:PORT as it was given. */
  readonly address: string;
  readonly connection: 'none' | 'listening' | 'connecting' | 'established';
  /** The other side's address while there is a connection. */
  readonly peerAddress: string | null;
  readonly peerKind: PeerKind | null;
  /** The version that an own peer reports. */
  readonly peerVersion: string | null;
  readonly tls: boolean;
  readonly diskId: string | null;
  /** 16 hexadecimal digits; null before there is one. */
  readonly generation: string | null;
  /** Primary: the last one acked; backup: the last one committed. */
  readonly epochCommitted: number;
  /** Primary: the last one whose commit was sent. */
  readonly epochSent: number;
  /**
   * The recovery point objective now: seconds since the committed state was the primary's. Null when nothing was committed
   * in this run and it is not known.
   */
  readonly rpoSeconds: number | null;
  /** Written since the last checkpoint. */
  readonly openBytes: number;
  /** In grains that may differ from what the other side has committed. */
  readonly dirtyBytes: number;
  /** Waiting to be sent. */
  readonly queuedBytes: number;
  readonly journalUsedBytes: number;
  readonly journalLimitBytes: number;
  readonly resync: ResyncStatus | null;
  /** When the last verification ended; null: never in this run. */
  readonly verifiedAtSeconds: number | null;
  /** Sectors that were found to differ by the verifications of this run. */
  readonly verifyDifferences: number;
  readonly checkpoints: number;
  readonly failedCheckpoints: number;
  readonly resyncBytesTotal: number;
  readonly lastError: string | null;
  /** When the state began. */
  readonly sinceSeconds: number;
}
