// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Verdict } from '../../../src/replication/disk/judge.js';
import type { Standing } from '../../../src/replication/disk/standing.js';

/** A row of the tables in docs/replication-protocol.md: when it applies, and its decision. The first that applies holds. */
interface Row<Pair> {
  readonly row: string;
  readonly applies: (pair: Pair) => boolean;
  readonly decides: string;
}

interface PrimaryAndBackup {
  readonly primary: Standing;
  readonly backup: Standing;
}

interface TwoPrimaries {
  readonly mine: Standing;
  readonly peer: Standing;
}

const generationOf = (side: Standing): string | undefined => side.line[0]?.generation;

/** What the primary knows of the generation that the backup is in: the present one's epochs, or an ancestor's. */
function known({ primary, backup }: PrimaryAndBackup): { acked: number; sent: number } | undefined {
  const generation = generationOf(backup);
  for (const { generation: own, low, high } of primary.line)
    if (own === generation) return { acked: low, sent: high };
  return undefined;
}

/** The youngest generation of the primary that the other side has had too, as each of them knows it. */
function common({
  primary,
  backup,
}: PrimaryAndBackup): { readonly overlaps: boolean; readonly isLeftBehind: boolean } | undefined {
  for (const own of primary.line) {
    const other = backup.line.find(({ generation }) => generation === own.generation);
    if (!other) continue;
    return {
      overlaps: own.low <= other.high && other.low <= own.high,
      isLeftBehind: hasAcksAfter(primary, own.generation) || hasAcksAfter(backup, own.generation),
    };
  }
  return undefined;
}

/** Whether a side knows that the other had an epoch after the last one that it sent in a generation. */
function hasAcksAfter({ line }: Standing, generation: string): boolean {
  const at = line.findIndex((reach) => reach.generation === generation);
  for (let younger = 0; younger < at; younger++) {
    const sentBefore = line[younger + 1]?.high ?? 0;
    if ((line[younger]?.low ?? 0) > sentBefore) return true;
  }
  return false;
}

/** Whether what each of two primaries knows of a generation's epochs can be so at once. */
function agree(one: Standing, other: Standing, generation: string | undefined): boolean {
  const [first, second] = [one, other].map(({ line }) =>
    line.find((reach) => reach.generation === generation),
  );
  return first !== undefined && second !== undefined && first.low <= second.high && second.low <= first.high;
}

/** Whether a primary's present generation is an ancestor of another's, and it knows of all that it sent in it. */
function precedes(first: Standing, second: Standing): boolean {
  const [present] = first.line;
  const inherited = second.line.slice(1).find(({ generation }) => generation === present?.generation);
  if (present === undefined || inherited === undefined) return false;
  const wasPutBack = inherited.high > present.high && !first.promoted;
  return agree(first, second, present.generation) && !wasPutBack;
}

const committed = ({ backup }: PrimaryAndBackup): number => backup.line[0]?.low ?? Number.NaN;

const PRIMARY_AND_BACKUP: readonly Row<PrimaryAndBackup>[] = [
  {
    row: 'no state, and the image may be overwritten',
    applies: ({ backup }) => !backup.hasState && backup.takesFirstSync,
    decides: 'first-sync',
  },
  {
    row: 'no state, but a first sync for this disk was begun',
    applies: ({ primary, backup }) =>
      !backup.hasState && backup.resyncId !== null && backup.diskId === primary.diskId,
    decides: 'first-sync',
  },
  {
    row: 'no state, and data',
    applies: ({ backup }) => !backup.hasState,
    decides: 'refuse: the backup has data',
  },
  {
    row: 'disk ids differ',
    applies: ({ primary, backup }) => primary.diskId !== backup.diskId,
    decides: 'refuse: another disk',
  },
  {
    row: 'rejoining, without anything in common',
    applies: (pair) => pair.backup.rejoining && common(pair) === undefined && !pair.primary.full,
    decides: 'refuse: unrelated',
  },
  {
    row: 'rejoining, and one had acks of a generation younger than their last common one',
    applies: (pair) => pair.backup.rejoining && (common(pair)?.isLeftBehind ?? false),
    decides: 'compare with alarm',
  },
  {
    row: 'rejoining, and what one knows of their last common generation fits what the other does',
    applies: (pair) => pair.backup.rejoining && (common(pair)?.overlaps ?? false) && !pair.primary.full,
    decides: 'resync',
  },
  { row: 'rejoining otherwise', applies: ({ backup }) => backup.rejoining, decides: 'compare' },
  {
    row: 'an ancestor, though the other had acks of a younger generation',
    applies: (pair) =>
      hasAcksAfter(pair.primary, generationOf(pair.backup) ?? '') &&
      committed(pair) <= (known(pair)?.sent ?? 0),
    decides: 'compare with alarm',
  },
  {
    row: 'acked <= committed <= sent',
    applies: (pair) => {
      const reach = known(pair);
      return (
        reach !== undefined &&
        reach.acked <= committed(pair) &&
        committed(pair) <= reach.sent &&
        !pair.primary.full
      );
    },
    decides: 'resync',
  },
  {
    row: 'committed < acked',
    applies: (pair) => committed(pair) < (known(pair)?.acked ?? 0),
    decides: 'compare with alarm',
  },
  { row: 'resync --full', applies: ({ primary }) => primary.full, decides: 'compare' },
  {
    row: 'committed > sent',
    applies: (pair) => committed(pair) > (known(pair)?.sent ?? Infinity),
    decides: 'refuse: the primary was rolled back',
  },
  { row: 'anything else', applies: () => true, decides: 'refuse: unrelated' },
];

const TWO_PRIMARIES: readonly Row<TwoPrimaries>[] = [
  {
    row: 'disk ids differ',
    applies: ({ mine, peer }) => mine.diskId !== peer.diskId,
    decides: 'refuse: another disk',
  },
  {
    row: 'same generation, the peer promoted',
    applies: ({ mine, peer }) =>
      generationOf(mine) === generationOf(peer) &&
      agree(mine, peer, generationOf(mine)) &&
      peer.promoted &&
      !mine.promoted,
    decides: 'mine is stale',
  },
  {
    row: 'same generation, this side promoted',
    applies: ({ mine, peer }) =>
      generationOf(mine) === generationOf(peer) &&
      agree(mine, peer, generationOf(mine)) &&
      mine.promoted &&
      !peer.promoted,
    decides: 'the peer is stale',
  },
  {
    row: 'this side is an ancestor, and the peer is none of its own',
    applies: ({ mine, peer }) =>
      generationOf(mine) !== generationOf(peer) && precedes(mine, peer) && !precedes(peer, mine),
    decides: 'mine is stale',
  },
  {
    row: 'the peer is an ancestor, and this side is none of its own',
    applies: ({ mine, peer }) =>
      generationOf(mine) !== generationOf(peer) && precedes(peer, mine) && !precedes(mine, peer),
    decides: 'the peer is stale',
  },
  { row: 'anything else', applies: () => true, decides: 'split-brain' },
];

/** What two sides may do, as the tables have it: the decision in words, and the row that it is from. */
export function expectedVerdict(
  mine: Standing,
  peer: Standing,
): { readonly decides: string; readonly row: string } {
  if (mine.sectors !== peer.sectors) return { decides: 'refuse: another size', row: 'sizes differ' };
  if (mine.role === 'backup' && peer.role === 'backup')
    return { decides: 'refuse: two backups', row: 'two backups' };
  if (mine.role === peer.role) return firstRow(TWO_PRIMARIES, { mine, peer });
  const [primary, backup] = mine.role === 'primary' ? [mine, peer] : [peer, mine];
  return firstRow(PRIMARY_AND_BACKUP, { primary, backup });
}

export const ROWS: readonly string[] = [
  'sizes differ',
  'two backups',
  ...[...PRIMARY_AND_BACKUP, ...TWO_PRIMARIES].map(({ row }) => row),
];

function firstRow<Pair>(
  rows: readonly Row<Pair>[],
  pair: Pair,
): { readonly decides: string; readonly row: string } {
  const found = rows.find(({ applies }) => applies(pair));
  if (found === undefined) throw new Error('the last row of a table applies to everything');
  return found;
}

/** A verdict in the words of the tables. */
export function verdictText(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'refuse':
      return `refuse: ${verdict.why}`;
    case 'compare':
      return verdict.alarm ? 'compare with alarm' : 'compare';
    case 'stale':
      return verdict.stale === 'mine' ? 'mine is stale' : 'the peer is stale';
    default:
      return verdict.kind;
  }
}

/** The same verdict as the other side has it. */
export function mirrored(text: string): string {
  if (text === 'mine is stale') return 'the peer is stale';
  return text === 'the peer is stale' ? 'mine is stale' : text;
}
