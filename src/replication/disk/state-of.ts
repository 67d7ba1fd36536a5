// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { DiskState } from './status.js';

/** What the one word for a disk depends on. */
export interface StateFacts {
  readonly role: 'primary' | 'backup';
  readonly hasFailed: boolean;
  readonly isStale: boolean;
  readonly isSplitBrain: boolean;
  /** Backup: whether it has a committed checkpoint that can be promoted. */
  readonly isUsable: boolean;
  /** Primary. */
  readonly phase: 'alone' | 'copying' | 'streaming' | 'protected';
  /** Primary: a verification has found differences that were not sent since. */
  readonly differs: boolean;
}

/** The one word; the worst that holds. */
export function stateOf(facts: StateFacts): DiskState {
  if (facts.hasFailed) return 'failed';
  if (facts.isSplitBrain) return 'split-brain';
  if (facts.isStale) return 'stale';
  if (facts.role === 'backup') return facts.isUsable ? 'backup' : 'inconsistent';
  if (facts.phase === 'alone') return 'unprotected';
  if (facts.phase !== 'protected') return 'catching-up';
  return facts.differs ? 'inconsistent' : 'protected';
}

/** What to type next, where there is something to do. */
export function nextCommandFor(state: DiskState): string | null {
  switch (state) {
    case 'stale':
      return 'tapdisk-ts replication rejoin --dry-run';
    case 'split-brain':
      return 'tapdisk-ts replication discard --keep FILE --dry-run';
    case 'failed':
      return 'tapdisk-ts replication events';
    case 'inconsistent':
    case 'unprotected':
      return 'tapdisk-ts replication status';
    case 'protected':
    case 'catching-up':
    case 'backup':
      return null;
  }
}
