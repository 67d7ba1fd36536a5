// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Random } from '../random.js';
import type { SimulatedFileSystem } from './file-system.js';
import type { FileOperation } from './operation.js';
import { drawnSurvival, EVERYTHING_SURVIVES, NOTHING_SURVIVES, type Survival } from './survival.js';

type Entry<Mark> =
  | { readonly kind: 'operation'; readonly system: number; readonly operation: FileOperation }
  | { readonly kind: 'mark'; readonly mark: Mark };

/** What could have been found after a loss of power at one moment of a recording. */
export interface PrefixState<Mark> {
  /** How many operations had been carried out. */
  readonly operations: number;
  /** How what was not synced came out: all of it there, none of it, or a subset drawn from the seed. */
  readonly survival: 'everything' | 'nothing' | 'drawn';
  /** The marks that had been made by then, the oldest first. */
  readonly marks: readonly Mark[];
  /** The file systems, in the order in which they were given: copies, for {@link SimulatedFileSystem.restore}. */
  readonly systems: readonly SimulatedFileSystem[];
}

/**
 * Records all that is done to file systems, below the file calls, in the one order in which it was done, together with
 * marks of what the program under test had promised. From it every state is rebuilt that a loss of power could have left.
 *
 * A sync that was made to fail is not known to it: its changes count as not synced.
 */
export class FileRecorder<Mark = never> {
  readonly #systems: readonly SimulatedFileSystem[];
  readonly #starts: readonly SimulatedFileSystem[];
  readonly #entries: Entry<Mark>[] = [];

  /** Begins at once. @throws Error when one of the file systems is being recorded already */
  constructor(...systems: readonly SimulatedFileSystem[]) {
    if (systems.some(({ observer }) => observer !== undefined))
      throw new Error('a file system is being recorded already: stop that recorder first');
    this.#systems = systems;
    this.#starts = systems.map((system) => system.copy());
    for (const [index, system] of systems.entries()) {
      system.observer = (operation) => this.#entries.push({ kind: 'operation', system: index, operation });
    }
  }

  /** How many operations there are. */
  get operations(): number {
    return this.#entries.filter(({ kind }) => kind === 'operation').length;
  }

  /** Notes what holds from now on, such as an answer that was given. */
  mark(mark: Mark): void {
    this.#entries.push({ kind: 'mark', mark });
  }

  stop(): void {
    for (const system of this.#systems) system.observer = undefined;
  }

  /**
   * After every operation, and before the first: the state in which everything survives, that in which nothing does that
   * was not synced, and `samples` of which a subset does. The power is lost by all file systems at once.
   */
  *prefixes(random: Random, samples: number): Generator<PrefixState<Mark>> {
    const systems = this.#starts.map((start) => start.copy());
    const marks: Mark[] = [];
    let operations = 0;
    const states = function* (): Generator<PrefixState<Mark>> {
      const lost = (name: PrefixState<Mark>['survival'], survival: () => Survival): PrefixState<Mark> => ({
        operations,
        survival: name,
        marks: [...marks],
        systems: systems.map((system) => {
          const copy = system.copy();
          copy.losePower(survival());
          return copy;
        }),
      });
      yield lost('everything', () => EVERYTHING_SURVIVES);
      yield lost('nothing', () => NOTHING_SURVIVES);
      for (let sample = 0; sample < samples; sample++) yield lost('drawn', () => drawnSurvival(random));
    };
    // Marks that stand between two operations hold in each state after the first of them, so states are described after them.
    for (const entry of this.#entries) {
      if (entry.kind === 'mark') {
        marks.push(entry.mark);
        continue;
      }
      yield* states();
      systems[entry.system]?.redo(entry.operation);
      operations += 1;
    }
    yield* states();
  }
}
