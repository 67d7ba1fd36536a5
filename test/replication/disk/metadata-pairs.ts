// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { judge } from '../../../src/replication/disk/judge.js';
import type { Reach, Standing } from '../../../src/replication/disk/standing.js';
import { expectedVerdict, mirrored, verdictText } from './judge-model.js';

const GENERATIONS = ['a', 'b', 'c'];
const EPOCHS = [0, 1, 2];

const DISK: Standing = {
  role: 'primary',
  diskId: 'one',
  sectors: 1000,
  grainSectors: 128,
  hasState: true,
  takesFirstSync: false,
  promoted: false,
  rejoining: false,
  full: false,
  line: [],
  resyncId: null,
};

/** Every pair of epochs of which the second is not below the first. */
const REACHES = EPOCHS.flatMap((low) => EPOCHS.filter((high) => high >= low).map((high) => ({ low, high })));
/** What one side can know of the present generation: a backup has committed one epoch, and that is all. */
const COMMITTED = EPOCHS.map((epoch) => ({ low: epoch, high: epoch }));

/** Every line of history of up to so many generations. */
function lines(length: number, present: readonly Omit<Reach, 'generation'>[]): Reach[][] {
  const found: Reach[][] = [];
  const grow = (line: readonly Reach[]): void => {
    if (line.length > 0) found.push([...line]);
    if (line.length === length) return;
    for (const generation of GENERATIONS) {
      if (line.some((reach) => reach.generation === generation)) continue;
      for (const reach of line.length === 0 ? present : REACHES) grow([...line, { generation, ...reach }]);
    }
  };
  grow([]);
  return found;
}

export function primaries(): Standing[] {
  return lines(2, REACHES).flatMap((line) =>
    [false, true].flatMap((promoted) => [false, true].map((full) => ({ ...DISK, line, promoted, full }))),
  );
}

function backups(): Standing[] {
  const backup: Standing = { ...DISK, role: 'backup' };
  const withState = lines(2, COMMITTED).map((line) => ({ ...backup, line }));
  const rejoining = lines(2, REACHES).map((line) => ({ ...backup, line, rejoining: true }));
  const withoutState = ['one', 'two', null].flatMap((diskId) =>
    [null, 'r'].flatMap((resyncId) =>
      [false, true].map((takesFirstSync) => ({
        ...backup,
        diskId,
        resyncId,
        takesFirstSync,
        hasState: false,
      })),
    ),
  );
  return [...withState, ...rejoining, ...withoutState];
}

const others = (side: Standing): Standing[] => [
  side,
  ...(side.diskId === null ? [] : [{ ...side, diskId: 'other' }]),
  { ...side, sectors: 999 },
];

export interface Checked {
  readonly rows: Map<string, number>;
  readonly wrong: string[];
  pairs: number;
}

function check(checked: Checked, mine: Standing, peer: Standing): void {
  const expected = expectedVerdict(mine, peer);
  const found = verdictText(judge(mine, peer));
  const theirs = verdictText(judge(peer, mine));
  checked.pairs += 1;
  checked.rows.set(expected.row, (checked.rows.get(expected.row) ?? 0) + 1);
  if (found === expected.decides && theirs === mirrored(found)) return;
  checked.wrong.push(
    `${expected.row}: ${found} and ${theirs}, expected ${expected.decides}: ${JSON.stringify([mine, peer])}`,
  );
}

/** Compares the decision on every pair with the tables'. */
export function checkPairs(): Checked {
  const checked: Checked = { rows: new Map(), wrong: [], pairs: 0 };
  const [allPrimaries, allBackups] = [primaries(), backups()];
  for (const primary of allPrimaries) {
    for (const backup of allBackups) check(checked, primary, backup);
  }
  for (const mine of allPrimaries) for (const peer of allPrimaries) check(checked, mine, peer);
  for (const primary of allPrimaries.slice(0, 40)) {
    for (const side of [...allBackups.slice(0, 40), ...allBackups.slice(-12), ...allPrimaries.slice(0, 10)])
      for (const other of others(side)) check(checked, primary, other);
  }
  for (const one of allBackups) check(checked, one, allBackups[0] as Standing);

  return checked;
}
