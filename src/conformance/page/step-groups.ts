// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { meansTheSame } from '../comparison.js';
import { type AlignedEntry, alignTraces } from '../trace-diff.js';
import type { Trace } from '../vector.js';

/** How an entry that is expected and one that was observed go together. */
export type RowKind = 'same' | 'differs' | 'missing' | 'unexpected';

export interface Row extends AlignedEntry {
  readonly kind: RowKind;
}

/** A step of a script, from 1, with the entries that it left; 0 is what comes before the first step. */
export interface StepGroup {
  readonly step: number;
  readonly rows: readonly Row[];
}

/** The traces of a script side by side, step by step, parted at the step in which they differ first. */
export interface PartedSteps {
  readonly before: readonly StepGroup[];
  readonly first: StepGroup;
  readonly after: readonly StepGroup[];
}

/**
 * @param ends how many expected entries there are when each step has ended: see `stepEnds`
 * @param steps how many steps the script has; those that are not in `ends` have what is left in one group
 */
export function partedSteps(
  { expected, actual }: { readonly expected: Trace; readonly actual: Trace },
  ends: readonly number[],
  steps: number,
): PartedSteps {
  const groups: Row[][] = Array.from({ length: Math.min(ends.length, steps) + 1 }, () => []);
  let group = 0;
  for (const aligned of alignTraces(expected, actual)) {
    const index = aligned.expected?.index ?? -1;
    const ended = ends.findLastIndex((end) => end <= index);
    group = Math.max(group, Math.min(ended + 1, groups.length - 1));
    groups[group]?.push({ ...aligned, kind: kindOf(aligned) });
  }
  const all = groups
    .map((rows, step) => ({ step, rows }))
    .filter(({ step, rows }) => step > 0 || rows.length > 0);
  const at = all.findIndex(({ rows }) => rows.some(({ kind }) => kind !== 'same'));
  const first = all[at] ?? { step: 0, rows: [] };
  return { before: all.slice(0, Math.max(0, at)), first, after: all.slice(at + 1) };
}

function kindOf({ expected, actual }: AlignedEntry): RowKind {
  if (expected === undefined) return 'unexpected';
  if (actual === undefined) return 'missing';
  return meansTheSame(expected.entry, actual.entry) ? 'same' : 'differs';
}
