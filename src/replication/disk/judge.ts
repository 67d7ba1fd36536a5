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

/** A decision that replication goes on. */
export type Agreement =
  /** The backup gets every sector that is not zero. */
  | { readonly kind: 'first-sync' }
  /** The backup gets the grains in the maps. */
  | { readonly kind: 'resync' }
  /** The backup gets every grain that differs; `alarm`: it lost something that was acked. */
  | { readonly kind: 'compare'; readonly alarm: boolean };

/** What two sides that have met may do. */
export type Verdict =
  | Agreement
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
  if (committed.low < known.low || ackedSince(primary, known)) return compare(true);
  return primary.full ? compare(false) : { kind: 'resync' };
}

/** The two maps cover the differences only if what one committed is what the other may have sent. */
function judgeRejoining(primary: Standing, backup: Standing): Verdict {
  for (const mine of primary.line) {
    const theirs = reachOf(backup, mine.generation);
    if (!theirs) continue;
    if (ackedSince(primary, mine) || ackedSince(backup, theirs)) return compare(true);
    return meet(mine, theirs) && !primary.full ? { kind: 'resync' } : compare(false);
  }
  return primary.full ? compare(false) : refuse('unrelated');
}

function judgePrimaries(mine: Standing, peer: Standing): Verdict {
  if (mine.diskId !== peer.diskId) return refuse('another disk');
  const mineIsOlder = isBefore(mine, peer);
  const peerIsOlder = isBefore(peer, mine);
  if (mineIsOlder === peerIsOlder) return { kind: 'split-brain' };
  return { kind: 'stale', stale: mineIsOlder ? 'mine' : 'peer' };
}

/**
 * Whether the second side went on from where the first one is: its line has the first one's generation, as what they know
 * of its epochs agrees. (Where it does not, one of them was restored from a copy, and may have written since.)
 */
function isBefore(first: Standing, second: Standing): boolean {
  const [present] = first.line;
  const known = present && reachOf(second, present.generation);
  if (!present || !known || !meet(present, known)) return false;
  // Only a promotion that has not been written to leaves the generation as it was.
  if (known === second.line[0]) return second.promoted && !first.promoted;
  // What it sent before may be more than it knows of: then it was restored from a copy.
  return first.promoted || known.high <= present.high;
}

/** Whether there is an epoch that the other side may have had by what each of two knows. */
function meet(one: Reach, other: Reach): boolean {
  return Math.max(one.low, other.low) <= Math.min(one.high, other.high);
}

function reachOf(side: Standing, generation: string): Reach | undefined {
  return side.line.find((reach) => reach.generation === generation);
}

/**
 * Whether the other side had checkpoints of a younger generation than this one: the bits of what these have are down, so
 * the map says nothing of a side that is back where the older one ended.
 */
function ackedSince({ line }: Standing, reach: Reach): boolean {
  return line.slice(0, line.indexOf(reach)).some(({ low }, index) => low > (line[index + 1] as Reach).high);
}

function compare(alarm: boolean): Verdict {
  return { kind: 'compare', alarm };
}

function refuse(why: Refusal): Verdict {
  return { kind: 'refuse', why };
}
