// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownText } from '../server/shown-text.js';
import { traceDiff } from './trace-diff.js';
import type { VectorResult } from './vector-result.js';

export type Write = (text: string) => void;

/** Writes results somewhere in one format: each as it comes, or all at the end. */
export interface Report {
  result(result: VectorResult): void;
  end(results: readonly VectorResult[]): void;
}

/** Why a vector did not pass: the reason, and the traces as a diff where there are two. Lines that can be shown. */
export function detailLines({ reason, traces }: VectorResult): string[] {
  const lines = (reason ?? '').split('\n');
  if (traces !== undefined)
    lines.push('- expected, + observed:', ...traceDiff(traces.expected, traces.actual));
  return lines.map(shownText);
}

export function indent(lines: readonly string[], by: string): string {
  return lines.map((line) => `${by}${line}`).join('\n');
}
