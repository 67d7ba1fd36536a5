// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { isDeepStrictEqual } from 'node:util';
import { scriptedErrno } from './error-names.js';
import type { Trace, TraceEntry } from './vector.js';

/** The first entry in which two traces differ; a side that has ended there has none. */
export interface Difference {
  readonly index: number;
  readonly expected: TraceEntry | undefined;
  readonly actual: TraceEntry | undefined;
}

/** Where two traces part, or undefined when they are equal. */
export function firstDifference(expected: Trace, actual: Trace): Difference | undefined {
  for (let index = 0; index < Math.max(expected.length, actual.length); index++) {
    const difference = { index, expected: expected[index], actual: actual[index] };
    if (!meansTheSame(difference.expected, difference.actual)) return difference;
  }
  return undefined;
}

/** Whether two entries, or parts of them, have the same {@link comparisonKey}. */
export function meansTheSame(one: unknown, other: unknown): boolean {
  // Most are equal to the letter, which takes less time to find out than keys take to make.
  return isDeepStrictEqual(one, other) || comparisonKey(one) === comparisonKey(other);
}

/**
 * Equal for entries that mean the same: the order of an object's members does not matter, and two names of one error,
 * as EAGAIN and EWOULDBLOCK, are the same result.
 */
export function comparisonKey(entry: unknown): string {
  return JSON.stringify(entry, (_, value: unknown) => {
    if (typeof value === 'string') return canonicalError(value);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const members = value as Readonly<Record<string, unknown>>;
    return Object.fromEntries(
      Object.keys(members)
        .toSorted()
        .map((key) => [key, members[key]]),
    );
  });
}

function canonicalError(text: string): string {
  const [, sign, name] = /^(-?)(E[A-Z0-9]+)$/.exec(text) ?? [];
  const number = name && scriptedErrno(name);
  return number === undefined ? text : `${sign}errno ${number}`;
}
