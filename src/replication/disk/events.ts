// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { DiskState, PeerKind, Role } from './status.js';

interface Happened {
  /** Seconds of the engine's clock. */
  readonly atSeconds: number;
}

/** A change of state: exactly one for each. */
export interface StateChanged extends Happened {
  readonly kind: 'state';
  readonly from: DiskState;
  readonly to: DiskState;
  readonly role: Role;
  readonly reason: string;
}

/** A connection to a peer whose kind is known, or its end. */
export interface PeerChanged extends Happened {
  readonly kind: 'connected' | 'disconnected';
  readonly peer: string;
  readonly peerKind: PeerKind | null;
  readonly reason: string;
}

/** A checkpoint was acked (primary), committed (backup), or failed. */
export interface CheckpointEnded extends Happened {
  readonly kind: 'checkpoint';
  readonly epoch: number;
  /** Primary: from its closing to the answer; backup: from its commit's arrival to the answer. */
  readonly seconds: number;
  readonly bytes: number;
  /** Why it failed; null when it did not. */
  readonly failure: string | null;
}

/** A resync began, ended, or waits. */
export interface ResyncChanged extends Happened {
  readonly kind: 'resync';
  readonly what: 'begun' | 'waiting' | 'ended' | 'broken-off';
  readonly bytes: number;
  readonly reason: string;
}

/** A verification of the whole disk ended, or a range was found to differ, or could not be read by the backup. */
export interface Verified extends Happened {
  readonly kind: 'verify';
  readonly what: 'ended' | 'difference' | 'unreadable';
  readonly sector: number;
  readonly sectors: number;
}

/** A C backup has said that it has a checkpoint that it was not asked for. */
export interface Unsolicited extends Happened {
  readonly kind: 'unsolicited';
}

/** Something failed that does not change the state by itself, or was repaired. */
export interface Noticed extends Happened {
  readonly kind: 'error';
  readonly message: string;
}

export type ReplicationEvent =
  | StateChanged
  | PeerChanged
  | CheckpointEnded
  | ResyncChanged
  | Verified
  | Unsolicited
  | Noticed;

export type ReplicationListener = (event: ReplicationEvent) => void;
