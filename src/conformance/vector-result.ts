// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Trace } from './vector.js';

/** How one vector went. What is no vector at all (a file that is not JSON, a wrong member) is a result too: failed. */
export interface VectorResult {
  readonly file: string;
  /** `scheduler/its-name`; the file's own name where no vector can be identified. */
  readonly name: string;
  readonly about?: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped: one line, or several where another program's error output is quoted. */
  readonly reason?: string;
  /** Both traces, where there were two that differ. */
  readonly traces?: { readonly expected: Trace; readonly actual: Trace };
  /** Where the C process died, and it passed: the bug's name in the rules, and whether it dies here too. */
  readonly bug?: { readonly name: string; readonly here: 'dies' | 'goes on' };
  /** Milliseconds of real time. */
  readonly milliseconds: number;
}

/** How many vectors passed, failed and were skipped. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Of those that passed: where the C process dies of a bug, and this goes on. Absent when there are none. */
  readonly goneOn?: number;
  /** The same, where this dies too. */
  readonly died?: number;
}

/** Counts the results of a run. */
export function tallyOf(results: readonly VectorResult[]): Tally {
  const count = (outcome: VectorResult['outcome']): number =>
    results.filter((result) => result.outcome === outcome).length;
  const atBug = (here: 'dies' | 'goes on'): number => results.filter(({ bug }) => bug?.here === here).length;
  const [goneOn, died] = [atBug('goes on'), atBug('dies')];
  return {
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    ...(goneOn > 0 && { goneOn }),
    ...(died > 0 && { died }),
  };
}

/** Whether an implementation conforms, by what it ran: something passed, and nothing failed. */
export function conforms({ passed, failed }: Tally): boolean {
  return passed > 0 && failed === 0;
}

/** `N passed, N failed`, what was skipped where anything was, and how many passed where the C process dies. */
export function tallyLine({ passed, failed, skipped, goneOn = 0, died = 0 }: Tally): string {
  const further = [
    skipped > 0 ? `, ${skipped} skipped` : '',
    goneOn > 0 ? `; ${goneOn} passed by going on where the C panics` : '',
    died > 0 ? `; ${died} passed by ending where the C panics` : '',
  ];
  return `${passed} passed, ${failed} failed${further.join('')}`;
}
