// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { comparisonKey } from './comparison.js';
import type { Trace, TraceEntry } from './vector.js';

/** Beyond this many pairs the middle is shown as removed and added, without a search for what it has in common. */
const MAX_PAIRS = 250_000;

/** A line of a diff: `-` is expected and missing, `+` is there and not expected, a blank is in both. */
type Line = { readonly sign: ' ' | '-' | '+'; readonly index: number; readonly entry: TraceEntry };

/**
 * Two traces as a diff: `-` is expected and missing, `+` is there and not expected, each with its place in its trace.
 *
 * @param context how many equal entries are shown around a difference
 * @param most how many lines are shown in all; the rest is counted
 */
export function traceDiff(expected: Trace, actual: Trace, { context = 3, most = 40 } = {}): string[] {
  const lines = diffLines(expected, actual);
  const near = (at: number): boolean =>
    lines.slice(Math.max(0, at - context), at + context + 1).some(({ sign }) => sign !== ' ');
  const shown = lines.map((line, at) => ({ line, at })).filter(({ at }) => near(at));
  const texts: string[] = [];
  let expectedAt = 0;
  for (const { line, at } of shown.slice(0, most)) {
    if (at !== expectedAt) texts.push('  ...');
    expectedAt = at + 1;
    texts.push(`${line.sign} ${String(line.index).padStart(4)}  ${JSON.stringify(line.entry)}`);
  }
  const left = shown.slice(most).filter(({ line }) => line.sign !== ' ').length;
  if (left > 0) texts.push(`  ... and ${left} more that differ`);
  return texts;
}

/** An entry of two traces: in both, at its two places, or in one only. */
export interface AlignedEntry {
  readonly expected?: { readonly index: number; readonly entry: TraceEntry };
  readonly actual?: { readonly index: number; readonly entry: TraceEntry };
}

/**
 * Two traces side by side: what is equal in both stands beside each other, and so does, between two equal entries, what is
 * expected and what is there instead, as far as there are as many.
 */
export function alignTraces(expected: Trace, actual: Trace): AlignedEntry[] {
  const aligned: AlignedEntry[] = [];
  /** The first of the entries since the last equal one that have nothing beside them yet. */
  let open = 0;
  let actualIndex = 0;
  for (const { sign, index, entry } of diffLines(expected, actual)) {
    const place = { index, entry };
    if (sign === '-') {
      aligned.push({ expected: place });
    } else if (sign === '+') {
      actualIndex = index + 1;
      if (open < aligned.length) aligned[open] = { ...aligned[open], actual: place };
      else aligned.push({ actual: place });
      open += 1;
    } else {
      aligned.push({
        expected: place,
        actual: { index: actualIndex, entry: actual[actualIndex] as TraceEntry },
      });
      actualIndex += 1;
      open = aligned.length;
    }
  }
  return aligned;
}

function diffLines(expected: Trace, actual: Trace): Line[] {
  const expectedKeys = expected.map(comparisonKey);
  const got = actual.map(comparisonKey);
  const shortest = Math.min(expectedKeys.length, got.length);
  let head = 0;
  while (head < shortest && expectedKeys[head] === got[head]) head++;
  let tail = 0;
  while (tail < shortest - head && expectedKeys.at(-1 - tail) === got.at(-1 - tail)) tail++;

  const removed = (index: number): Line => ({ sign: '-', index, entry: expected[index] as TraceEntry });
  const added = (index: number): Line => ({ sign: '+', index, entry: actual[index] as TraceEntry });
  const equal = (index: number): Line => ({ sign: ' ', index, entry: expected[index] as TraceEntry });
  const lines = Array.from({ length: head }, (_, index) => equal(index));
  const pairs = commonPairs(
    expectedKeys.slice(head, expectedKeys.length - tail),
    got.slice(head, got.length - tail),
  );
  let e = head;
  let a = head;
  for (const [nextE, nextA] of pairs) {
    while (e < head + nextE) lines.push(removed(e++));
    while (a < head + nextA) lines.push(added(a++));
    lines.push(equal(e++));
    a++;
  }
  while (e < expectedKeys.length - tail) lines.push(removed(e++));
  while (a < got.length - tail) lines.push(added(a++));
  while (e < expectedKeys.length) lines.push(equal(e++));
  return lines;
}

/** A longest common subsequence, as pairs of places; its lengths over all pairs of suffixes are tabled first. */
function commonPairs(one: readonly string[], other: readonly string[]): [number, number][] {
  if (one.length * other.length > MAX_PAIRS) return [];
  const width = other.length + 1;
  const lengths = new Uint32Array((one.length + 1) * width);
  const lengthAt = (i: number, j: number): number => lengths[i * width + j] as number;
  for (let i = one.length - 1; i >= 0; i--) {
    for (let j = other.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        one[i] === other[j] ? lengthAt(i + 1, j + 1) + 1 : Math.max(lengthAt(i + 1, j), lengthAt(i, j + 1));
    }
  }
  const pairs: [number, number][] = [];
  let i = 0;
  let j = 0;
  while (i < one.length && j < other.length) {
    if (one[i] === other[j]) pairs.push([i++, j++]);
    else if (lengthAt(i + 1, j) >= lengthAt(i, j + 1)) i++;
    else j++;
  }
  return pairs;
}
