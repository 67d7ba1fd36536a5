// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type Metadata, NO_DISK } from './format/metadata-record.js';
import type { Standing } from './standing.js';

/** What a standing has beside the metadata. */
export interface StandingFacts {
  /** Backup: the epoch that is committed. */
  readonly committed: number;
  readonly takesFirstSync: boolean;
  readonly full: boolean;
  readonly resyncId: string | null;
}

export function standingOf(metadata: Metadata, facts: StandingFacts): Standing {
  const { role, generation, acked, sent, ancestors, hasState, rejoining } = metadata;
  // A side that gave its changes up has the line of the primary that it was.
  const isCommitted = role === 'backup' && !rejoining;
  const present = isCommitted
    ? { generation, low: facts.committed, high: facts.committed }
    : { generation, low: acked, high: sent };
  return {
    role,
    diskId: metadata.diskId === NO_DISK ? null : metadata.diskId,
    sectors: metadata.sectors,
    grainSectors: metadata.grainSectors,
    hasState,
    takesFirstSync: facts.takesFirstSync,
    promoted: metadata.promoted,
    rejoining,
    full: facts.full,
    line: hasState ? [present, ...ancestors] : [],
    resyncId: facts.resyncId,
  };
}
