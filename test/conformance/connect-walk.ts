// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { ConnectModel, type Input, InvariantBroken } from './connect-model.js';

/** An input, and the outcomes that the calls it led to had, in order. */
interface Step {
  readonly input: Input;
  readonly outcomes: readonly number[];
}

/** What a walk found. */
export interface Walk {
  /** From state to input to the states that can follow, each in the order of discovery. */
  readonly transitions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** Steps taken: states × inputs × outcomes of the calls. */
  readonly steps: number;
  /** The steps that lead to the first broken invariant, and what it says. */
  readonly broken?: string;
}

/**
 * Walks every state that the connect module can reach: from each one every input, with every outcome of every call that
 * the input leads to, the user's callback and what it does among them. A state is reached anew for every step, by the
 * shortest way to it.
 */
export function walkConnectModule(): Walk {
  const ways = new Map<string, readonly Step[]>([[new ConnectModel(() => 0).state, []]]);
  const transitions: Record<string, Record<string, string[]>> = {};
  let steps = 0;
  for (const [state, way] of ways) {
    for (const input of after(way).model.inputs) {
      const next = ((transitions[state] ??= {})[input] ??= []);
      for (let outcomes: readonly number[] | undefined = []; outcomes !== undefined;) {
        steps++;
        const step = { input, outcomes };
        try {
          const { model, taken } = after([...way, step]);
          const whole = [...way, { input, outcomes: taken.map(({ outcome }) => outcome) }];
          if (!ways.has(model.state)) ways.set(model.state, whole);
          if (!next.includes(model.state)) next.push(model.state);
          outcomes = successor(taken);
        } catch (error) {
          if (!(error instanceof InvariantBroken)) throw error;
          return {
            transitions,
            steps,
            broken: `${JSON.stringify([...way, step])}: ${error.message}`,
          };
        }
      }
    }
  }
  return { transitions, steps };
}

interface Choice {
  readonly outcome: number;
  readonly outcomes: number;
}

/** The module after these steps, and the choices of the last one. Past the end of a step's outcomes each call succeeds. */
function after(way: readonly Step[]): { model: ConnectModel; taken: Choice[] } {
  let given: readonly number[] = [];
  let taken: Choice[] = [];
  const model = new ConnectModel((_what, outcomes) => {
    const outcome = given[taken.length] ?? 0;
    taken.push({ outcome, outcomes });
    return outcome;
  });
  for (const { input, outcomes } of way) {
    given = outcomes;
    taken = [];
    model.input(input);
  }
  return { model, taken };
}

/** The next combination of outcomes: the last choice that has another one takes it. Undefined when there is none. */
function successor(taken: readonly Choice[]): number[] | undefined {
  const last = taken.findLastIndex(({ outcome, outcomes }) => outcome + 1 < outcomes);
  if (last < 0) return undefined;
  return taken.slice(0, last + 1).map(({ outcome }, index) => (index === last ? outcome + 1 : outcome));
}
