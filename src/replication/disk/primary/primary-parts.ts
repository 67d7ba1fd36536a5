// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Done, LocalDisk } from '../local-disk.js';
import type { MetadataFile } from '../metadata-file.js';
import type { ReplicationOptions } from '../options.js';
import type { EndedCheckpoint } from './checkpoints.js';
import type { DirtyMap } from './dirty-map.js';

/** How the backup stands to what is written; see docs/replication-protocol.md. */
export type PrimaryPhase = 'alone' | 'copying' | 'streaming' | 'protected';

export interface PrimaryParts {
  readonly disk: LocalDisk;
  readonly map: DirtyMap;
  readonly metadata: MetadataFile;
  readonly options: ReplicationOptions;
  readonly random: (bytes: Uint8Array) => void;
  readonly nowSeconds: () => number;
  readonly events: PrimaryEvents;
}

export interface PrimaryEvents {
  /** The phase is another one. */
  phase(phase: PrimaryPhase, reason: string): void;
  checkpoint(ended: EndedCheckpoint): void;
  /** The open checkpoint has more than before. */
  wrote(): void;
  /** The connection to the backup is over, whichever side ended it. */
  detached(reason: string, code: string): void;
  resync(what: 'begun' | 'ended' | 'broken-off', bytes: number, reason: string): void;
  /** Metadata or map cannot be written, or the image not be synced: nothing can be taken any more. */
  failed(what: string, result: number): void;
  /** A verification came to the end of the disk, or sectors were found to differ, or to be unreadable at the backup. */
  verified(what: 'ended' | 'difference' | 'unreadable', sector: number, sectors: number): void;
  /** A C backup says that it has a checkpoint that it was not asked for. */
  unsolicited(): void;
  notice(message: string): void;
}

/** What the resync of a connection is to be. */
export interface ResyncPlan {
  readonly kind: 'first' | 'maps' | 'compare';
  /** The resync that the backup has a part of. */
  readonly known: string | null;
}

/** A write that is not with the disk yet. */
export interface PendingWrite {
  readonly sectors: number;
  readonly sector: number;
  /** undefined: zeroes. */
  readonly bytes: Uint8Array | undefined;
  readonly done: Done;
}

/** Little enough to be sent beside the writes. */
export const STREAM_AT_GRAINS = 64;
