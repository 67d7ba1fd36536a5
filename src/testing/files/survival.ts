// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Random } from '../random.js';
import { type FileChange, torn } from './change.js';

/** Decides what of the changes that were not synced is on the medium when the power is gone. */
export interface Survival {
  /** What is left of a change to a file, in order; nothing when it is lost. */
  remains(change: FileChange): readonly FileChange[];
  /** Whether a change of directory entries (a create, rename, link or unlink) is left; each is left whole or not at all. */
  keepsEntries(): boolean;
}

/** Everything was written back in time. */
export const EVERYTHING_SURVIVES: Survival = { remains: (change) => [change], keepsEntries: () => true };

/** Nothing was. */
export const NOTHING_SURVIVES: Survival = { remains: () => [], keepsEntries: () => false };

/** How likely a change is left, of which one is drawn for each crash: the extremes find what mixtures seldom do. */
const PROBABILITIES = [0, 0.1, 0.5, 0.9, 1];
/** What a medium writes at once: a sector, or a page. */
const GRAINS = [512, 4096];

/**
 * Draws what survives one crash. Each change is kept, lost, or torn at 512 or 4096 bytes: its beginning is left, its end,
 * or any of its pieces. Since every subset may be left, a later change may be while an earlier one is not.
 */
export function drawnSurvival(random: Random): Survival {
  const probability = random.pick(PROBABILITIES);
  const tearing = random.pick([0, 0.3, 1]);
  const grain = random.pick(GRAINS);
  const keeps = (): boolean => random.chance(probability);
  return {
    keepsEntries: keeps,
    remains: (change) => {
      if (change.kind === 'write' && random.chance(tearing)) {
        const pieces = torn(change, grain);
        if (pieces.length > 1) return someOf(pieces, random);
      }
      if (keeps()) return [change];
      // A file system may have noted the new length before the bytes were written.
      if (change.kind !== 'write' || !random.chance(0.25)) return [];
      return [{ kind: 'extend', size: change.position + change.bytes.length }];
    },
  };
}

function someOf(pieces: readonly FileChange[], random: Random): FileChange[] {
  const cut = random.integer(0, pieces.length);
  switch (random.pick(['beginning', 'end', 'any'] as const)) {
    case 'beginning':
      return pieces.slice(0, cut);
    case 'end':
      return pieces.slice(cut);
    case 'any':
      return pieces.filter(() => random.chance(0.5));
  }
}
