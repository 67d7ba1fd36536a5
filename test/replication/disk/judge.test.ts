// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { judge, type Verdict } from '../../../src/replication/disk/judge.js';
import type { Reach, Standing } from '../../../src/replication/disk/standing.js';

const DISK = 'd'.repeat(32);

function side(role: 'primary' | 'backup', line: readonly Reach[], more: Partial<Standing> = {}): Standing {
  return {
    role,
    diskId: DISK,
    sectors: 2048,
    grainSectors: 128,
    hasState: true,
    takesFirstSync: false,
    promoted: false,
    rejoining: false,
    full: false,
    line,
    resyncId: null,
    ...more,
  };
}

const reach = (generation: string, low: number, high = low): Reach => ({ generation, low, high });
const backupAt = (generation: string, epoch: number, more: Partial<Standing> = {}): Standing =>
  side('backup', [reach(generation, epoch)], more);

const primary = side('primary', [reach('g2', 7, 9), reach('g1', 4, 6)]);
const fresh = side('backup', [], { diskId: null, hasState: false });
const refused = (why: string) => ({ kind: 'refuse', why });

const pairs: readonly (readonly [string, Standing, Standing, object])[] = [
  ['another size', primary, backupAt('g2', 8, { sectors: 4096 }), refused('another size')],
  ['another disk', primary, backupAt('g2', 8, { diskId: 'e'.repeat(32) }), refused('another disk')],
  ['two backups', backupAt('g2', 8), backupAt('g2', 8), refused('two backups')],
  ['no state, image new or all zeroes', primary, { ...fresh, takesFirstSync: true }, { kind: 'first-sync' }],
  ['no state, image has data', primary, fresh, refused('the backup has data')],
  [
    'a first sync that was begun for this disk',
    primary,
    { ...fresh, diskId: DISK, resyncId: 'r' },
    { kind: 'first-sync' },
  ],
  [
    'a first sync that was begun for another disk',
    primary,
    { ...fresh, diskId: 'e'.repeat(32), resyncId: 'r' },
    refused('the backup has data'),
  ],
  [
    'no state, nor a first sync that was begun, though the disk is the same',
    primary,
    { ...fresh, diskId: DISK },
    refused('the backup has data'),
  ],
  ['a state without a checkpoint', primary, side('backup', []), refused('unrelated')],
  ['committed is what was acked', primary, backupAt('g2', 7), { kind: 'resync' }],
  ['committed is what was sent', primary, backupAt('g2', 9), { kind: 'resync' }],
  ['committed below acked', primary, backupAt('g2', 6), { kind: 'compare', alarm: true }],
  ['committed above sent', primary, backupAt('g2', 10), refused('the primary was rolled back')],
  [
    'an ancestor, within what was sent',
    side('primary', [reach('g2', 6, 9), reach('g1', 4, 6)]),
    backupAt('g1', 6),
    { kind: 'resync' },
  ],
  [
    'an ancestor, though a younger generation was acked',
    primary,
    backupAt('g1', 6),
    { kind: 'compare', alarm: true },
  ],
  [
    'an ancestor of two, of which only the first was acked',
    side('primary', [reach('g3', 9), reach('g2', 7, 9), reach('g1', 4, 6)]),
    backupAt('g1', 6),
    { kind: 'compare', alarm: true },
  ],
  ['an ancestor, below acked', primary, backupAt('g1', 3), { kind: 'compare', alarm: true }],
  ['an ancestor, above sent', primary, backupAt('g1', 7), refused('the primary was rolled back')],
  ['a generation that nobody knows', primary, backupAt('g3', 8), refused('unrelated')],
  ['the same, told to', { ...primary, full: true }, backupAt('g3', 8), { kind: 'compare', alarm: false }],
  [
    'an old primary that rejoins the survivor',
    side('primary', [reach('g4', 0), reach('g2', 8)], { promoted: true }),
    side('backup', [reach('g2', 7, 9), reach('g1', 4, 6)], { rejoining: true }),
    { kind: 'resync' },
  ],
  [
    'one that rejoins a survivor that had lost what was acked',
    side('primary', [reach('g4', 0), reach('g2', 5)], { promoted: true }),
    side('backup', [reach('g2', 7, 9)], { rejoining: true }),
    { kind: 'compare', alarm: false },
  ],
  [
    'one that rejoins, of another disk',
    side('primary', [reach('g4', 0), reach('g2', 8)], { promoted: true }),
    side('backup', [reach('g2', 7, 9)], { rejoining: true, diskId: 'e'.repeat(32) }),
    refused('another disk'),
  ],
  [
    'one that gave its own changes up',
    side('primary', [reach('g4', 0), reach('g2', 8)], { promoted: true }),
    side('backup', [reach('g5', 0), reach('g2', 7, 9)], { rejoining: true }),
    { kind: 'resync' },
  ],
  [
    'the other side was promoted and has written',
    side('primary', [reach('g2', 7, 9)]),
    side('primary', [reach('g4', 0), reach('g2', 8)], { promoted: true }),
    { kind: 'stale', stale: 'mine' },
  ],
  [
    'the other side was promoted and has not written',
    side('primary', [reach('g2', 7, 9)]),
    side('primary', [reach('g2', 8)], { promoted: true }),
    { kind: 'stale', stale: 'mine' },
  ],
  [
    'this side has written, the promoted one has not',
    side('primary', [reach('g5', 0), reach('g2', 7, 9)]),
    side('primary', [reach('g2', 8)], { promoted: true }),
    { kind: 'stale', stale: 'peer' },
  ],
  [
    'both have written',
    side('primary', [reach('g5', 0), reach('g2', 7, 9)]),
    side('primary', [reach('g4', 0), reach('g2', 8)], { promoted: true }),
    { kind: 'split-brain' },
  ],
  [
    'the promoted one lacks what was acked',
    side('primary', [reach('g2', 7, 9)]),
    side('primary', [reach('g2', 6)], { promoted: true }),
    { kind: 'split-brain' },
  ],
  [
    'the other side was promoted and has written, and this one was restored from a copy',
    side('primary', [reach('g2', 7)]),
    side('primary', [reach('g4', 8), reach('g2', 7, 8)]),
    { kind: 'split-brain' },
  ],
  ['a copy of the primary beside it', primary, primary, { kind: 'split-brain' }],
  [
    'committed is what was acked, but told to',
    { ...primary, full: true },
    backupAt('g2', 7),
    { kind: 'compare', alarm: false },
  ],
  [
    'committed above sent, told to',
    { ...primary, full: true },
    backupAt('g2', 10),
    { kind: 'compare', alarm: false },
  ],
  [
    'committed below acked, told to',
    { ...primary, full: true },
    backupAt('g2', 6),
    { kind: 'compare', alarm: true },
  ],
  [
    'one that rejoins a primary that knows of nothing that it had',
    side('primary', [reach('g4', 0)]),
    side('backup', [reach('g2', 7, 9)], { rejoining: true }),
    refused('unrelated'),
  ],
  [
    'the same, told to',
    side('primary', [reach('g4', 0)], { full: true }),
    side('backup', [reach('g2', 7, 9)], { rejoining: true }),
    { kind: 'compare', alarm: false },
  ],
  [
    'one that rejoins, told to',
    side('primary', [reach('g4', 0), reach('g2', 8)], { full: true }),
    side('backup', [reach('g2', 7, 9)], { rejoining: true }),
    { kind: 'compare', alarm: false },
  ],
  [
    'one that rejoins a primary whose younger generation was acked by another side',
    side('primary', [reach('g4', 9), reach('g2', 8)]),
    side('backup', [reach('g2', 7, 9)], { rejoining: true }),
    { kind: 'compare', alarm: true },
  ],
  [
    'one that rejoins, and had acks of its own since',
    side('primary', [reach('g4', 0), reach('g2', 8)]),
    side('backup', [reach('g5', 10, 11), reach('g2', 7, 9)], { rejoining: true }),
    { kind: 'compare', alarm: true },
  ],
  [
    'primaries of two disks',
    primary,
    side('primary', [reach('g2', 8)], { diskId: 'e'.repeat(32), promoted: true }),
    refused('another disk'),
  ],
  [
    'two that were promoted in one generation',
    side('primary', [reach('g2', 8)], { promoted: true }),
    side('primary', [reach('g2', 8)], { promoted: true }),
    { kind: 'split-brain' },
  ],
  [
    'the other side went on from all that this one has sent, and from no more',
    side('primary', [reach('g2', 7, 9)]),
    side('primary', [reach('g4', 0), reach('g2', 7, 9)]),
    { kind: 'stale', stale: 'mine' },
  ],
];

function mirrored(verdict: Verdict): Verdict {
  if (verdict.kind !== 'stale') return verdict;
  return { kind: 'stale', stale: verdict.stale === 'mine' ? 'peer' : 'mine' };
}

for (const [title, mine, peer, expected] of pairs) {
  t.test(`${title}: ${JSON.stringify(expected)}`, async (t) => {
    t.same(judge(mine, peer), expected);
    t.same(judge(peer, mine), mirrored(judge(mine, peer)), 'the other side decides the same');
  });
}
