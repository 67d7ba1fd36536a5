// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Mutation } from './mutations.js';

/** Mutations that change nothing that anybody could observe, with the reason. */
type Equivalent = readonly [before: string, after: string, reason: string];

const EQUIVALENTS: Readonly<Record<string, readonly Equivalent[]>> = {};

/** Why a mutation changes nothing; undefined unless it is known to. */
export function equivalence({ file, before, after }: Mutation): string | undefined {
  return EQUIVALENTS[file]?.find(([from, to]) => from === before && to === after)?.[2];
}

/** The entries of the list that fit no mutation of their file any more. */
export function outdated(mutationsOf: (file: string) => readonly Mutation[]): string[] {
  return Object.entries(EQUIVALENTS).flatMap(([file, entries]) => {
    const mutations = mutationsOf(file);
    return entries
      .filter(([from, to]) => !mutations.some(({ before, after }) => before === from && after === to))
      .map(([from, to]) => `${file}: no mutation makes ${JSON.stringify(to)} of ${JSON.stringify(from)}`);
  });
}
