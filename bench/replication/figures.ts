// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { median } from '../median.js';

/** How long, and how often, everything is measured. */
export interface Effort {
  readonly rounds: number;
  readonly secondsARound: number;
  readonly checkpointSeconds: number;
}

export interface Figure {
  readonly name: string;
  /** What the figure has to be, such as `≥ 0.5`; empty: it is shown only. */
  readonly goal: string;
  readonly value: number;
  /** What it was made of. */
  readonly from: string;
}

/** The median of what rounds have found, and whether it is as it should be. */
export function figure(name: string, goal: string, value: number, from = ''): Figure {
  return { name, goal, value, from };
}

/** `a / b`, of the medians, and what they are. */
export function ratio(
  name: string,
  goal: string,
  a: readonly number[],
  b: readonly number[],
  unit: string,
): Figure {
  const [first, second] = [median(a), median(b)];
  return figure(name, goal, first / second, `${shown(first)} to ${shown(second)} ${unit}`);
}

/** Rounds that follow one another, each measuring all that is compared; the first one warms up and does not count. */
export async function interleaved<Name extends string>(
  rounds: number,
  measured: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(measured) as Name[];
  const found = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = -1; round < rounds; round++) {
    for (const name of names) {
      const value = await measured[name]();
      if (round >= 0) found[name].push(value);
    }
  }
  return found;
}

/** A line of the table. */
export function lineOf({ name, goal, value, from }: Figure): string {
  const verdict = goal === '' ? '' : holds(goal, value) ? 'met' : 'SHORT';
  return `${name.padEnd(58)}${goal.padEnd(9)}${shown(value).padStart(8)}  ${verdict.padEnd(6)} ${from}`;
}

/** @throws Error for a goal that is none */
function holds(goal: string, value: number): boolean {
  const [, sign, bound] = /^([≤≥]) ([\d.]+)$/.exec(goal) ?? [];
  if (sign === undefined) throw new Error(`${goal} is not a goal`);
  return sign === '≤' ? value <= Number(bound) : value >= Number(bound);
}

function shown(value: number): string {
  return value.toFixed(value < 10 ? 3 : 1);
}
