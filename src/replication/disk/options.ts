// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { PeerFilter } from '../replica-host.js';

/** `auto`: found out when connected, and remembered once it was an own one. */
export type PeerKindOption = 'auto' | 'own' | 'c';
/** `auto`: by metadata, else by whether the address can be bound, as in C. */
export type RoleOption = 'auto' | 'primary' | 'backup';
export type CommitOnFlush = 'off' | 'prefer' | 'require';
/** When a C primary is sent `done`: once the checkpoint is durable, or, as in C, as soon as it was received. */
export type DoneTiming = 'durable' | 'received';

/** What can be set for a replicated disk. */
export interface ReplicationOptions {
  /** HOST:PORT: the backup's address when both sides are new; who has it listens, whatever the roles become. */
  readonly address: string;
  /** The directory of metadata, map, journal and resync file; made if it is missing, its parent must exist. */
  readonly directory: string;
  readonly role: RoleOption;
  readonly peer: PeerKindOption;
  /** Seconds between checkpoints, 0.025 to 86,400; 0: only when asked for. */
  readonly checkpointIntervalSeconds: number;
  readonly commitOnFlush: CommitOnFlush;
  /** How long a flush waits for the backup with `require`, in seconds; then it is EIO. */
  readonly flushLimitSeconds: number;
  readonly done: DoneTiming;
  /** Both journal files together, in bytes; at least {@link MIN_JOURNAL_BYTES}. */
  readonly journalBytes: number;
  /** Checkpoint data that the backup keeps in memory; the rest is read from the journal again. */
  readonly memoryBytes: number;
  /** What may wait to be sent to the backup before writes wait. */
  readonly queueBytes: number;
  /**
   * When writes wait, and for this long no byte was sent although some wait to be, the open checkpoint is given up and writes go
   * on. Looked at once a second.
   */
  readonly stallSeconds: number;
  /** Own peers: a ping after this long without sending. */
  readonly pingSeconds: number;
  /** Own peers: the other side is given up after this long without a byte of it. C peers: see {@link messageSeconds}. */
  readonly peerTimeoutSeconds: number;
  /** C peers: how long a message may stand still in its middle. */
  readonly messageSeconds: number;
  /** Lets a first sync overwrite an image that is neither new nor all zeroes. */
  readonly initialise: boolean;
  /** Bytes a second that the continuous verification reads; 0: none. */
  readonly verifyBytesPerSecond: number;
  /** Grains whose bits stay set while they are written again and again. */
  readonly hotGrains: number;
  readonly peers: PeerFilter;
}

/** Small enough for a test, large enough for one record of the largest size in each file. */
export const MIN_JOURNAL_BYTES = 4 << 20;

/** What holds unless it is given. */
export const DEFAULT_REPLICATION_OPTIONS = {
  role: 'auto',
  peer: 'auto',
  checkpointIntervalSeconds: 1,
  commitOnFlush: 'off',
  flushLimitSeconds: 30,
  done: 'durable',
  journalBytes: 256 << 20,
  memoryBytes: 32 << 20,
  queueBytes: 64 << 20,
  stallSeconds: 1,
  pingSeconds: 1,
  peerTimeoutSeconds: 5,
  messageSeconds: 1,
  initialise: false,
  verifyBytesPerSecond: 1 << 20,
  hotGrains: 16_384,
  peers: {},
} as const satisfies Omit<ReplicationOptions, 'address' | 'directory'>;
