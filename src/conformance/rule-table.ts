// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { pinningVectors, type Rule } from './rules.js';
import { tallyOf, type VectorResult } from './vector-result.js';

const WIDTH = 80;
const GAP = '   ';

/** How many of the vectors that pin a rule passed, of those that ran. */
export interface RuleTally {
  readonly rule: Rule;
  readonly passed: number;
  readonly run: number;
}

/** The rules of which at least one vector ran, in their order. */
export function tallyRules(rules: readonly Rule[], results: readonly VectorResult[]): RuleTally[] {
  return rules.flatMap((rule) => {
    const names = new Set(pinningVectors(rule));
    const { passed, failed } = tallyOf(results.filter(({ name }) => names.has(name)));
    return passed + failed === 0 ? [] : [{ rule, passed, run: passed + failed }];
  });
}

/** A table of rules for a terminal: several in a line, `P6 17/17`, and those that are broken again, each with its title. */
export function ruleTable(tallies: readonly RuleTally[]): string[] {
  const cells = tallies.map(({ rule, passed, run }) => [rule.id, `${passed}/${run}`] as const);
  const idWidth = Math.max(0, ...cells.map(([id]) => id.length));
  const countWidth = Math.max(0, ...cells.map(([, count]) => count.length));
  const columns = Math.max(1, Math.floor((WIDTH + GAP.length) / (idWidth + 1 + countWidth + GAP.length)));
  const lines: string[] = [];
  for (let start = 0; start < cells.length; start += columns) {
    const row = cells
      .slice(start, start + columns)
      .map(([id, count]) => `${id.padEnd(idWidth)} ${count.padStart(countWidth)}`);
    lines.push(row.join(GAP).trimEnd());
  }
  const broken = tallies.filter(({ passed, run }) => passed < run);
  return [
    ...lines,
    ...broken.map(({ rule, passed, run }) => `broken: ${rule.id} ${rule.title}: ${passed} of ${run}`),
  ];
}
