// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Trace } from './vector.js';

/** How one vector went. What is no vector at all (a file that is not JSON, a wrong member) is a result too: failed. */
export interface VectorResult {
  readonly file: string;
  /** `scheduler/its-name`; the file's own name where no vector can be told. */
  readonly name: string;
  readonly about?: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped: one line, or several where another program's error output is quoted. */
  readonly reason?: string;
  /** Both traces, where there were two that differ. */
  readonly traces?: { readonly expected: Trace; readonly actual: Trace };
  /** Milliseconds of real time. */
  readonly milliseconds: number;
}

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export function tallyOf(results: readonly VectorResult[]): Tally {
  const count = (outcome: VectorResult['outcome']): number =>
    results.filter((result) => result.outcome === outcome).length;
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
}

/** `N passed, N failed`, and what was skipped where anything was. */
export function tallyLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
