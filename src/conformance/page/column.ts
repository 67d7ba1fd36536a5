// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { VectorResult } from '../vector-result.js';

/** How many failed vectors of each implementation are shown with their traces unless set otherwise. */
export const DEFAULT_PAGE_FAILURES = 100;

/** An implementation and how it did: a column of the table of rules. */
export interface Column {
  /** What people call it, such as its command line. */
  readonly name: string;
  /** In the order of the assignments; fewer when the run ended early. */
  readonly results: readonly VectorResult[];
}

/** The place of a failed vector in the page. */
export function failureId(column: number, result: number): string {
  return `failure-${column + 1}-${result + 1}`;
}
