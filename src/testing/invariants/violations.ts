// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { thrownText } from '../../server/thrown-text.js';
import type { SimulatedWorld } from '../world.js';

/** How many are kept; one is enough to fail, and the first ones are the most useful. */
const MAX_VIOLATIONS = 100;

/** Violations of invariants seen in a world, in order. */
export class Violations {
  readonly #world: SimulatedWorld;
  readonly #list: string[] = [];

  constructor(world: SimulatedWorld) {
    this.#world = world;
  }

  get list(): readonly string[] {
    return this.#list;
  }

  get isEmpty(): boolean {
    return this.#list.length === 0;
  }

  /** @param who the host or part concerned */
  add(who: string, what: string): void {
    const line = `${who}: ${what}`;
    this.#world.note('VIOLATION', line);
    if (this.#list.length < MAX_VIOLATIONS)
      this.#list.push(`at ${this.#world.nowSeconds.toFixed(6)} s, ${line}`);
  }

  /** Something was thrown that nobody has caught. */
  caught(who: string, error: unknown): void {
    this.add(who, thrownText(error));
  }
}
