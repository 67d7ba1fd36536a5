// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { median } from './median.js';

/** How many operations one round times. */
export const OPERATIONS = 20_000;
const ROUNDS = 15;
/** Events beside those that are operated on. */
const POPULATIONS = [10, 1_000, 100_000] as const;

/** Something with so many events. */
export interface Subject<Operation extends string> {
  /** Nanoseconds per operation. */
  round(): Promise<Record<Operation, number>>;
}

/** Medians in nanoseconds, by operation and population, and the ratio of each to the smallest population, round by round. */
export async function benchGrowth<Operation extends string>(
  title: string,
  operations: readonly Operation[],
  create: (population: number) => Subject<Operation>,
): Promise<void> {
  const subjects = POPULATIONS.map(create);
  for (const subject of subjects) await subject.round();
  const rounds: Record<Operation, number>[][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const results = [];
    for (const subject of subjects) results.push(await subject.round());
    rounds.push(results);
  }
  console.log(
    `${title}: ns per operation, median of ${ROUNDS} interleaved rounds of ${OPERATIONS}; ratio to ${POPULATIONS[0]} events`,
  );
  for (const operation of operations) {
    const cells = POPULATIONS.map((population, index) => {
      const ns = median(rounds.map((results) => results[index]?.[operation] ?? Number.NaN));
      const ratio = median(
        rounds.map((results) => (results[index]?.[operation] ?? 0) / (results[0]?.[operation] ?? 0)),
      );
      return `${String(population).padStart(7)}: ${ns.toFixed(0).padStart(5)} ns (${ratio.toFixed(2)}x)`;
    });
    console.log(`  ${operation.padEnd(11)}${cells.join('  ')}`);
  }
}

export function nanoseconds(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) * 1e6;
}
