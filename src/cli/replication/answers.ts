// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseJson } from '../../posix/json-text.js';
import { ControlError } from '../../control/control-client.js';
import { errno } from '../../posix/errno.js';
import type { ReplicationStatus, ResyncStatus } from '../../replication/disk/status.js';
import type { PlacedStatus } from './status-text.js';

/** A daemon's reply to a completed command. */
export interface Outcome {
  readonly message: string;
  readonly sectorsLost?: number;
  readonly lostSinceSeconds?: number | null;
  readonly uri?: string;
}

type Kind = 'text' | 'number' | 'flag' | 'text or null' | 'number or null';
type Shape<Type> = { readonly [Key in keyof Type]-?: Kind };

const RESYNC: Shape<ResyncStatus> = {
  bytes: 'number',
  totalBytes: 'number',
  bytesPerSecond: 'number',
  secondsLeft: 'number or null',
  waitingFor: 'text or null',
};

const STATUS: Shape<Omit<ReplicationStatus, 'resync'> & Pick<PlacedStatus, 'minor'>> = {
  minor: 'number',
  state: 'text',
  reason: 'text',
  nextCommand: 'text or null',
  role: 'text',
  paused: 'flag',
  address: 'text',
  connection: 'text',
  peerAddress: 'text or null',
  peerKind: 'text or null',
  peerVersion: 'text or null',
  tls: 'flag',
  diskId: 'text or null',
  generation: 'text or null',
  epochCommitted: 'number',
  epochSent: 'number',
  rpoSeconds: 'number or null',
  openBytes: 'number',
  dirtyBytes: 'number',
  queuedBytes: 'number',
  journalUsedBytes: 'number',
  journalLimitBytes: 'number',
  verifiedAtSeconds: 'number or null',
  verifyDifferences: 'number',
  checkpoints: 'number',
  failedCheckpoints: 'number',
  resyncBytesTotal: 'number',
  lastError: 'text or null',
  sinceSeconds: 'number',
};

/** The last second that Node's Date knows. */
const MAX_SECONDS = 8.64e12;

/** The replicated disks that a daemon lists. @throws ControlError EPROTO for a reply that no daemon gives */
export function statusesIn(text: string): Omit<PlacedStatus, 'pid'>[] {
  return listIn(text).map((value) => {
    const status = objectOf(value, 'a disk');
    check(status, STATUS, 'a disk');
    const { resync, verifiedAtSeconds } = status;
    if (resync !== null) check(objectOf(resync, 'resync'), RESYNC, 'resync');
    if (Math.abs(Number(verifiedAtSeconds)) > MAX_SECONDS)
      throw wrong('verifiedAtSeconds', verifiedAtSeconds);
    return status as unknown as Omit<PlacedStatus, 'pid'>;
  });
}

/** Events with their numbers. @throws ControlError EPROTO for a reply that no daemon gives */
export function eventsIn(text: string): { readonly number: number }[] {
  return listIn(text).map((value) => {
    const event = objectOf(value, 'an event');
    check(event, { number: 'number' }, 'an event');
    return event as { number: number };
  });
}

/** @throws ControlError EPROTO for a reply that no daemon gives */
export function outcomeIn(text: string): Outcome {
  const outcome = objectOf(parsed(text), 'an outcome');
  const { sectorsLost = 0, lostSinceSeconds = null, uri = '' } = outcome;
  const whole = { message: outcome['message'], sectorsLost, lostSinceSeconds, uri };
  check(
    whole,
    { message: 'text', sectorsLost: 'number', lostSinceSeconds: 'number or null', uri: 'text' },
    'an outcome',
  );
  return outcome as unknown as Outcome;
}

function listIn(text: string): unknown[] {
  const value = parsed(text);
  if (!Array.isArray(value)) throw new ControlError(errno.EPROTO, 'its reply is not a list');
  return value;
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    throw new ControlError(errno.EPROTO, 'its reply is not JSON');
  }
}

function objectOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(what, value);
  return value as Record<string, unknown>;
}

function check(
  value: Readonly<Record<string, unknown>>,
  shape: Readonly<Record<string, Kind>>,
  what: string,
): void {
  for (const [name, kind] of Object.entries(shape)) {
    if (!is(kind, value[name])) throw wrong(`${name} of ${what}`, value[name]);
  }
}

function is(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string';
    case 'number':
      return Number.isFinite(value);
    case 'flag':
      return typeof value === 'boolean';
    case 'text or null':
      return value === null || typeof value === 'string';
    case 'number or null':
      return value === null || Number.isFinite(value);
  }
}

function wrong(what: string, value: unknown): ControlError {
  const shown = JSON.stringify(value)?.slice(0, 40) ?? 'missing';
  return new ControlError(errno.EPROTO, `the daemon replied with ${what} ${shown}`);
}
