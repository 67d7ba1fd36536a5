// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Random } from '../random.js';
import type { SimulatedWorld } from '../world.js';

/** Something that goes wrong: does it, and returns what undoes it (or ends it) later. */
export type FaultKind<Scene> = (scene: Scene, random: Random) => () => void;

/** How many faults a run has at most, and when, in virtual seconds from now. */
export interface FaultSchedule {
  readonly maxFaults: number;
  /** The first and the last moment at which one may begin. */
  readonly begins: readonly [number, number];
  /** How long a short one lasts at most; the others last up to 10 seconds. */
  readonly shortSeconds: number;
}

const LONG_SECONDS = 10;

/** Draws faults, and when each begins and ends. Returns what undoes those that have begun and not ended. */
export function scheduleFaults<Scene extends { readonly world: SimulatedWorld }>(
  scene: Scene,
  random: Random,
  kinds: readonly FaultKind<Scene>[],
  { maxFaults, begins, shortSeconds }: FaultSchedule,
): () => void {
  const { world } = scene;
  const faults = new Set<() => void>();
  for (let count = random.integer(0, maxFaults); count > 0; count--) {
    const kind = random.pick(kinds);
    const seconds = random.between(0, random.chance(0.3) ? LONG_SECONDS : shortSeconds);
    world.after(random.between(...begins), () => {
      const undo = kind(scene, random);
      faults.add(undo);
      world.after(seconds, () => {
        if (faults.delete(undo)) undo();
      });
    });
  }
  return () => {
    for (const undo of faults) undo();
    faults.clear();
  };
}
