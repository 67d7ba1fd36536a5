// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Posix } from '../../posix/posix.js';
import type { EventRegistrar } from '../../scheduler/registrar.js';
import type { Logger } from '../../server/logger.js';
import type { FileCalls } from '../../posix/files.js';
import type { ReplicationListener } from './events.js';
import type { PeerTls } from './peer-tls.js';
import type { CPeers } from './sessions.js';
import type { Done, LocalDisk } from './local-disk.js';
import type { ReplicationStatus } from './status.js';

/** What a replicated disk works with; all of it may be simulated. */
export interface ReplicationParts {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
  readonly files: FileCalls;
  readonly disk: LocalDisk;
  readonly logger: Logger;
  /** Fills bytes at random: ids, generations and salts come from it. */
  readonly random: (bytes: Uint8Array) => void;
  /** Once it is aborted, an opening that is under way ends soon, with -ECANCELED. */
  readonly signal?: AbortSignal;
  /** Secures every connection, and takes none that is not; the peer is an own one then. */
  readonly tls?: PeerTls;
  /** How to speak to C drivers; without it a connection to one is closed. */
  readonly cPeers?: CPeers;
}

/** How a command of an operator ended. */
export interface CommandOutcome {
  /** 0, or a negative errno: -EBUSY, -EINVAL for a state in which it makes no sense, or what failed. */
  readonly result: number;
  /** What was done, would be done (dry run), or is in the way, in one sentence. */
  readonly message: string;
  /** Sectors whose content here would be lost, or was. */
  readonly sectorsLost: number;
  /** Since when they were changed, in seconds of the clock; null: not known, or none. */
  readonly lostSinceSeconds: number | null;
}

export type CommandDone = (outcome: CommandOutcome) => void;

export interface DryRun {
  /** Only reports what would be lost. */
  readonly dryRun?: boolean;
}

/** A committed checkpoint that stays as it is while it is open, though replication goes on. */
export interface CheckpointView {
  readonly epoch: number;
  readonly sectors: number;
  read(sector: number, buffer: Uint8Array, done: Done): void;
  /** Ends its use. Idempotent. */
  close(): void;
}

/**
 * A disk with a backup on another host, or the backup itself. See docs/replication-protocol.md.
 *
 * Every `done` is called exactly once, on the scheduler, maybe before the call returns.
 */
export interface DiskReplication {
  /**
   * Reads metadata, map and journal, recovers what was committed, and starts to listen or to connect.
   * -EBADMSG when a file is damaged, -ESTALE when the image is not the one of the metadata, -EINVAL for options that
   * contradict the metadata, -ECANCELED once the signal is aborted, or a file call's error; then nothing is held, and the
   * message gives the reason.
   */
  open(done: (result: number, reason?: string) => void): void;
  /**
   * Writes everything out, and lets go. No request may be under way. The error, if it had failed before, is that one again.
   * The reason is for the caller to report.
   */
  close(done: (result: number, reason?: string) => void): void;

  /** Whole sectors inside of the disk. On a backup: of the last committed checkpoint. -EIO when failed. */
  read(sector: number, buffer: Uint8Array, done: Done): void;
  /** -EROFS on a backup or a stale disk, -EIO when failed. The buffer is the engine's until it is done. */
  write(sector: number, buffer: Uint8Array, done: Done): void;
  /** As {@link write}. */
  zero(sector: number, sectors: number, done: Done): void;
  /** A local flush, and by the option a checkpoint that has all that completed before. -EIO as the option says. */
  flush(done: Done): void;

  /**
   * Commits what was written so far: the epoch when the backup has it. -ENOTCONN when there is no backup,
   * -ECONNABORTED when the connection or the checkpoint ended first, -EINVAL on a backup.
   */
  checkpoint(done: Done): void;
  promote(options: DryRun, done: CommandDone): void;
  rejoin(options: DryRun, done: CommandDone): void;
  discard(options: DryRun & { readonly keep: string }, done: CommandDone): void;
  /** Sends what the map says again; `full`: compares every grain. */
  resync(options: { readonly full?: boolean }, done: CommandDone): void;
  /** Compares the whole disk with the backup, now. */
  verify(done: CommandDone): void;
  /** Ends the connection, and makes none until {@link resume}. */
  pause(done: CommandDone): void;
  resume(done: CommandDone): void;
  /** The last committed checkpoint of a backup, as it stays; applying waits meanwhile. A negative errno: -EINVAL, -EBUSY. */
  openCheckpoint(done: (result: number, view?: CheckpointView) => void): void;

  status(): ReplicationStatus;
  /** Calls the listener for each event, until what it returns is called. */
  onEvent(listener: ReplicationListener): () => void;
}
