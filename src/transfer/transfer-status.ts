// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** The reply to a status request, and what progress is reported with. */
export interface TransferStatus {
  readonly role: 'primary' | 'backup';
  readonly pid: number;
  /** The connect module's. */
  readonly state: ConnectionState;
  /** What it does at the moment, in a word or two. */
  readonly phase: string;
  /** The backup's, as `HOST:PORT`: as it was given until the name has been looked up. */
  readonly address: string;
  /** The other side's, as `HOST:PORT`, while there is a connection. */
  readonly peer: string | null;
  /** How often a connect was tried, or a connection accepted. */
  readonly attempts: number;
  /** For how long the attempt to connect that is under way has had no answer, in seconds; null without one. */
  readonly attemptSeconds: number | null;
  /** Why the last attempt failed, in words; null when it did not. */
  readonly lastError: string | null;
  /** How many transfers were completed. */
  readonly transfers: number;
  /** Of the image, in this transfer, or in the last one when none is under way. */
  readonly bytes: number;
  /** Of the image, where it is known before the end. */
  readonly totalBytes: number | null;
  /** Bytes per second, recently; over all of it when the transfer has ended. */
  readonly rate: number;
  /** For how long no byte of the image has moved while it is sent or received; 0 at other times. */
  readonly quietSeconds: number;
  /** How long this transfer has taken, or the last one took. */
  readonly seconds: number;
  /** How long the role has been played. */
  readonly uptimeSeconds: number;
  /** Where the image comes from, or goes. */
  readonly file: string;
}

/** The state of the connection, by the name of its status in the connect module. */
export type ConnectionState = 'none' | 'in_progress' | 'established' | 'closed' | 'corrupted';

const states: readonly ConnectionState[] = ['none', 'in_progress', 'established', 'closed'];

/** The name of a TdReplicationConnect's status. */
export function connectionState(status: number): ConnectionState {
  return states[status] ?? 'corrupted';
}
