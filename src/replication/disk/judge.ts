// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Reach, Standing } from './standing.js';

export type Refusal =
  | 'another disk'
  | 'another size'
  | 'two backups'
  | 'the backup has data'
  | 'the primary was rolled back'
  | 'unrelated';

/** What two sides that have met may do. */
export type Verdict =
  /** The backup gets every sector that is not zero. */
  | { readonly kind: 'first-sync' }
  /** The backup gets what the maps say. */
  | { readonly kind: 'resync' }
  /** The backup gets every grain that differs; `alarm`: it lost something that was acked. */
  | { readonly kind: 'compare'; readonly alarm: boolean }
  /** One of two primaries has to give way. */
  | { readonly kind: 'stale'; readonly stale: 'mine' | 'peer' }
  | { readonly kind: 'split-brain' }
  | { readonly kind: 'refuse'; readonly why: Refusal };

/**
 * Decides what may happen between two sides, from what each says of itself alone. Both sides get the same decision:
 * `judge(a, b)` is `judge(b, a)` with `mine` and `peer` exchanged.
 */
export function judge(mine: Standing, peer: Standing): Verdict {
  if (mine.sectors !== peer.sectors) return refuse('another size');
  if (mine.role === 'primary' && peer.role === 'primary') return judgePrimaries(mine, peer);
  if (mine.role === 'backup' && peer.role === 'backup') return refuse('two backups');
  return mine.role === 'primary' ? judgePair(mine, peer) : judgePair(peer, mine);
}

function judgePair(primary: Standing, backup: Standing): Verdict {
  const sameDisk = primary.diskId === backup.diskId;
  if (!backup.hasState) {
    // A first sync that was begun for this disk goes on, though the image is not all zeroes any more.
    const begun = sameDisk && backup.resyncId !== null;
    return backup.takesFirstSync || begun ? { kind: 'first-sync' } : refuse('the backup has data');
  }
  if (!sameDisk) return refuse('another disk');
  if (backup.rejoining) return judgeRejoining(primary, backup);
  const committed = backup.line[0];
  const known = committed && reachOf(primary, committed.generation);
  if (!committed || !known) return primary.full ? compare(false) : refuse('unrelated');
  if (committed.low > known.high)
    return primary.full ? compare(false) : refuse('the primary was rolled back');
  if (committed.low < known.low) return compare(true);
  return primary.full ? compare(false) : { kind: 'resync' };
}

/** The two maps cover the differences only if what one committed is what the other may have sent. */
function judgeRejoining(primary: Standing, backup: Standing): Verdict {
  for (const mine of primary.line) {
    const theirs = reachOf(backup, mine.generation);
    if (!theirs) continue;
    const meet = Math.max(mine.low, theirs.low) <= Math.min(mine.high, theirs.high);
    return meet && !primary.full ? { kind: 'resync' } : compare(false);
  }
  return primary.full ? compare(false) : refuse('unrelated');
}

function judgePrimaries(mine: Standing, peer: Standing): Verdict {
  if (mine.diskId !== peer.diskId) return refuse('another disk');
  const myGeneration = mine.line[0]?.generation ?? '';
  const peerGeneration = peer.line[0]?.generation ?? '';
  if (myGeneration === peerGeneration) {
    // Only a promotion that has not been written to leaves the generation as it was.
    if (mine.promoted === peer.promoted) return { kind: 'split-brain' };
    return { kind: 'stale', stale: mine.promoted ? 'peer' : 'mine' };
  }
  const mineIsOlder = reachOf(peer, myGeneration) !== undefined;
  const peerIsOlder = reachOf(mine, peerGeneration) !== undefined;
  if (mineIsOlder === peerIsOlder) return { kind: 'split-brain' };
  return { kind: 'stale', stale: mineIsOlder ? 'mine' : 'peer' };
}

function reachOf(side: Standing, generation: string): Reach | undefined {
  return side.line.find((reach) => reach.generation === generation);
}

function compare(alarm: boolean): Verdict {
  return { kind: 'compare', alarm };
}

function refuse(why: Refusal): Verdict {
  return { kind: 'refuse', why };
}
