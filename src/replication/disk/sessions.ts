// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BitSet } from './bit-set.js';
import type { Done } from './local-disk.js';
import type { ReplicationOptions } from './options.js';
import type { PeerKind } from './status.js';
import type { TimerHost } from './timer.js';
import type { PeerStream } from './wire/peer-stream.js';

/*
 * What stands between the two roles and a peer on the wire. Each kind of peer has one class for either role: the primary's
 * side of a connection to a backup is a BackupPeer, the backup's side of one to a primary feeds a CheckpointReceiver.
 */

/** The answers to a compare, each at the place of its number on the wire. */
export const COMPARED = ['equal', 'different', 'unreadable'] as const;
export type Compared = (typeof COMPARED)[number];

/** What a connection to a backup reports to the primary role. Nothing comes after `lost`. */
export interface BackupPeerEvents {
  /** The backup has this epoch, and with it every one before. */
  acked(epoch: number): void;
  /** The backup has dropped the open checkpoint, and commits from `epoch` on are void; the connection goes on. */
  failed(epoch: number, reason: string): void;
  /** The queue has fallen to half of what it was, or less. */
  drained(): void;
  /** The resync has begun, and the backup has these grains of it already. */
  begun(received: BitSet): void;
  /** The backup has the sync frames up to this sequence on stable storage. */
  progress(sequence: number): void;
  /** What the backup says of the grain of a compare. */
  compared(sequence: number, answer: Compared): void;
  /** A C backup says that it has a checkpoint, but none was sent that it has not answered. */
  unsolicited(): void;
  /** The connection is over; `code`: what an own backup said of it, such as `no-room`. */
  lost(reason: string, code?: string): void;
}

/** The same events, as long as the connection is the one that counts: one that was given up says nothing any more. */
export function whileCurrent(isCurrent: () => boolean, events: BackupPeerEvents): BackupPeerEvents {
  return {
    acked: (epoch) => isCurrent() && events.acked(epoch),
    failed: (epoch, reason) => isCurrent() && events.failed(epoch, reason),
    drained: () => isCurrent() && events.drained(),
    begun: (received) => isCurrent() && events.begun(received),
    progress: (sequence) => isCurrent() && events.progress(sequence),
    compared: (sequence, answer) => isCurrent() && events.compared(sequence, answer),
    unsolicited: () => isCurrent() && events.unsolicited(),
    lost: (reason, code) => isCurrent() && events.lost(reason, code),
  };
}

/** The part of a connection that a resync goes over, where there is one: what it sends lies beside the open checkpoint. */
export interface SyncChannel {
  /** Begins a resync, or resumes the one of the same id; nothing of it is sent before {@link BackupPeerEvents.begun}. */
  begin(resyncId: string, grains: number, isFirst: boolean): void;
  /** Sends whole grains, one after the other; the sequence that {@link BackupPeerEvents.progress} names. */
  send(sector: number, bytes: Uint8Array): number;
  zero(sector: number, sectors: number): number;
  /** Asks whether a grain has this SHA-256 sum, with what is gathered of a resync; the sequence of the question. */
  compare(sector: number, sectors: number, sum: Uint8Array): number;
}

/** A connection to a backup, to which checkpoints are sent. Nothing here waits, and the bytes are copied. */
export interface BackupPeer {
  readonly kind: PeerKind;
  /** Without it, what the backup lacks is sent as a part of the open checkpoint. */
  readonly sync: SyncChannel | undefined;
  /** Whether the open checkpoint can be dropped without ending the connection. */
  readonly canAbort: boolean;
  /** What waits to be sent. */
  readonly queuedBytes: number;
  /** All that was sent: it grows while the peer takes something. */
  readonly sentBytes: number;
  write(sector: number, bytes: Uint8Array): void;
  zero(sector: number, sectors: number): void;
  /**
   * Closes the open checkpoint; {@link BackupPeerEvents.acked} is called with its epoch. It and all that is sent later is
   * kept back until what is returned is called.
   */
  commit(epoch: number, generation: string): () => void;
  /** Drops the open checkpoint. */
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
  /** Whether waiting makes no room: the open checkpoint itself fills the journal. */
  readonly isFull: boolean;
  /** Calls `room` once, when there is room again. */
  onRoom(room: () => void): void;
  /** A write of the open checkpoint; the bytes are copied. `crc`: their crc32, where it is known already. */
  write(sector: number, bytes: Uint8Array, crc?: number): void;
  zero(sector: number, sectors: number): void;
  /** Commits the open checkpoint as `epoch`: 0 once it is on stable storage, in the order of the calls. */
  commit(epoch: number, done: Done): void;
  /** Drops the open checkpoint. */
  abort(): void;
}

/** A connection from a primary, in the backup role. */
export interface PrimarySession {
  /** Ends the connection, and says why if the peer can hear it; nobody is notified. */
  close(code: string, reason: string): void;
}

/** What the backup role offers to a C primary, which has no epochs: each commit is the next one. */
export type CPrimaryReceiver = Omit<CheckpointReceiver, 'commit'> & { commit(done: Done): void };

/** A connection whose other side was found to be a C driver, or is said to be one. */
export interface CConnection {
  readonly host: TimerHost;
  readonly stream: PeerStream;
  /** What came after the bytes that identified it. */
  readonly rest: Uint8Array;
  readonly sectors: number;
  readonly options: ReplicationOptions;
}

/** How a connection from a C primary has ended. */
export interface CPrimaryEnd {
  readonly reason: string;
  /** Whether it was a C primary at all: a tag that is known had come. */
  readonly hasSpoken: boolean;
  /** After a tag and before the end of its message, or because of what the message was. */
  readonly isInMessage: boolean;
}

/** Why nothing is accepted from a C primary any more. */
export type CPrimaryGone = Omit<CPrimaryEnd, 'hasSpoken'>;

/** What has begun to be used, and hears the other side only from its start on. */
export interface Startable {
  start(): void;
}

/** The C driver's protocol, in both roles; see docs/replication-protocol.md. */
export interface CPeers {
  backupPeer(connection: CConnection, events: BackupPeerEvents): BackupPeer & Startable;
  /** @param lost called when the connection is over, unless it was closed */
  primarySession(
    connection: CConnection,
    receiver: CPrimaryReceiver,
    lost: (end: CPrimaryEnd) => void,
  ): PrimarySession & Startable;
}
