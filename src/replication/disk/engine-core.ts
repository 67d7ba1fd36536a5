// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BackupRole } from './backup/backup-role.js';
import type { Connector } from './connector.js';
import type { ReplicationParts } from './disk-replication.js';
import type { State } from './open-state.js';
import type { ReplicationOptions } from './options.js';
import type { PrimaryRole } from './primary/primary-role.js';
import type { Reporter } from './reporter.js';
import type { CPrimaryGone } from './sessions.js';
import type { Standing } from './standing.js';
import type { DiskState, PeerKind } from './status.js';

/** What the rest sees of the connection to the other side. */
export interface PeeringView {
  /** The other side's address while there is a connection. */
  readonly address: string | null;
  readonly kind: PeerKind | null;
  readonly version: string | null;
  /** What a resync waits for, in words, while there is no connection because of it; null: nothing. */
  readonly waitsFor: string | null;
  /** How the connection from a C primary has ended, after which none is taken any more; undefined: it has not. */
  readonly cEnd: CPrimaryGone | undefined;
  /** Takes no connection any more, until {@link reopen}. */
  shut(end: CPrimaryGone): void;
  reopen(): void;
  /** Ends the connection, if there is one. */
  end(code: string, reason: string): void;
  /** The connection is over. */
  lost(reason: string, code: string): void;
}

/** A replicated disk as its own parts see it: the commands, the connection to the other side, the status. */
export interface EngineCore {
  readonly options: ReplicationOptions;
  readonly parts: ReplicationParts;
  readonly reporter: Reporter;
  /** What is durable of it; only while it is open. */
  readonly state: State;
  readonly isOpen: boolean;
  /** The one word for its state. */
  readonly word: DiskState;
  /** One of the two, by the metadata. */
  readonly primary: PrimaryRole | undefined;
  readonly backup: BackupRole | undefined;
  readonly peering: PeeringView | undefined;
  readonly connector: Connector | undefined;
  isPaused: boolean;
  /** Whether the backup is to be made equal, whatever it has: for the next agreement. */
  full: boolean;
  /** What it reports of itself to the other side. */
  standing(): Standing;
  /** Makes the role's parts from the metadata, those of the other role gone. @throws (rejects with) StateError */
  takeRole(): Promise<void>;
  /** The state may be another one now. */
  changed(reason: string): void;
  /** Nothing is served any more. */
  fail(what: string, result: number): void;
}
