// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { PeerKind } from './status.js';
import type { Done } from './local-disk.js';

/*
 * What stands between the two roles and a peer on the wire. Each kind of peer has one class for either role: the primary's
 * side of a connection to a backup is a BackupPeer, the backup's side of one to a primary feeds a CheckpointReceiver.
 */

/** What a connection to a backup reports to the primary role. Nothing comes after `lost`. */
export interface BackupPeerEvents {
  /** The backup has this epoch, and with it every one before. */
  acked(epoch: number): void;
  /** The backup has dropped the open checkpoint; the connection goes on. */
  failed(reason: string): void;
  /** The queue has fallen below half of its bound. */
  drained(): void;
  /** The connection is over. */
  lost(reason: string): void;
}

/** A connection to a backup, to which checkpoints are sent. Nothing here waits, and the bytes are copied. */
export interface BackupPeer {
  readonly kind: PeerKind;
  /** Whether the open checkpoint can be dropped without ending the connection. */
  readonly canAbort: boolean;
  /** What waits to be sent, and when the last byte of it was taken: for back-pressure and stalls. */
  readonly queuedBytes: number;
  readonly sentBytes: number;
  write(sector: number, bytes: Uint8Array): void;
  zero(sector: number, sectors: number): void;
  /** Closes the open checkpoint; {@link BackupPeerEvents.acked} is called with its epoch. */
  commit(epoch: number): void;
  abort(): void;
  /** Ends the connection; no event follows. */
  close(): void;
}

/** What the backup role offers to a connection from a primary. */
export interface CheckpointReceiver {
  /** The size that writes are checked against by the connection. */
  readonly sectors: number;
  /** Whether writes are taken now; otherwise reading has to stop until {@link onRoom}, or the checkpoint be dropped. */
  readonly hasRoom: boolean;
  /** Calls `room` once, when there is room again. */
  onRoom(room: () => void): void;
  /** A write of the open checkpoint; the bytes are copied. */
  write(sector: number, bytes: Uint8Array): void;
  zero(sector: number, sectors: number): void;
  /** Commits the open checkpoint as `epoch`: 0 once it is on stable storage, in the order of the calls. */
  commit(epoch: number, done: Done): void;
  /** Drops the open checkpoint. */
  abort(): void;
}
