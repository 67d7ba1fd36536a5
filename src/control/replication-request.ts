// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseJson } from '../posix/json-text.js';
import { errno } from '../posix/errno.js';
import { SystemError } from '../posix/system-error.js';

/** What can be asked of replicated disks. */
export const REPLICATION_COMMANDS = [
  'status',
  'events',
  'flush',
  'promote',
  'rejoin',
  'discard',
  'resync',
  'verify',
  'pause',
  'resume',
  'drill',
  'end-drill',
] as const;
/** What a daemon can be asked to do with a replicated disk. */
export type ReplicationCommand = (typeof REPLICATION_COMMANDS)[number];

/** A command, with what goes with some of them. */
export interface ReplicationRequest {
  readonly command: ReplicationCommand;
  /** promote, rejoin, discard: only report what would be lost. */
  readonly dryRun?: boolean;
  /** resync: compare everything. */
  readonly full?: boolean;
  /** discard: where the changes are kept. */
  readonly keep?: string;
  /** events: those after this number. */
  readonly after?: number;
}

/** Does what a request for the disk of a minor asks, or of every replicated disk; the outcome is plain JSON. */
export type ReplicationHandler = (minor: number | undefined, request: ReplicationRequest) => Promise<unknown>;

/**
 * A request of a message's text.
 *
 * @throws SystemError EINVAL that says what is wrong
 */
export function parseReplicationRequest(text = ''): ReplicationRequest {
  const wrong = (what: string): SystemError => new SystemError(errno.EINVAL, `a replication request ${what}`);
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    throw wrong('is JSON');
  }
  if (typeof value !== 'object' || value === null) throw wrong('is an object');
  const { command, dryRun, full, keep, after } = value as Record<string, unknown>;
  const known = REPLICATION_COMMANDS.find((name) => name === command);
  if (known === undefined) throw wrong(`has one of the commands ${REPLICATION_COMMANDS.join(', ')}`);
  return {
    command: known,
    dryRun: dryRun === true,
    full: full === true,
    ...(typeof keep === 'string' && { keep }),
    ...(typeof after === 'number' && { after }),
  };
}
