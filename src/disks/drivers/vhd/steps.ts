// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

type Suspension = (resume: () => void) => void;

/**
 * A sequence of calls that complete through callbacks, written one below the other: `yield* wait(…)` stands where a
 * promise would be awaited. Unlike a promise it goes on inside the callback, so that the order of events is the
 * scheduler's (or the simulated world's) alone.
 */
export type Steps<T> = Generator<Suspension, T, undefined>;

/** How steps ended: with a value, or with what they threw. */
export type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/**
 * Starts a call and waits for its one completion, which may come before `start` returns.
 *
 * @throws Error when it is resumed before the call has completed
 */
export function* wait<T>(start: (done: (value: T) => void) => void): Steps<T> {
  let completed: { value: T } | undefined;
  yield (resume) =>
    start((value) => {
      completed = { value };
      resume();
    });
  if (!completed) throw new Error('steps went on before their call completed');
  return completed.value;
}

/** Steps without a call. */
export function* immediate<T>(value: T): Steps<T> {
  yield* [];
  return value;
}

/** Runs steps up to their end, over as many callbacks as it takes. */
export function runSteps<T>(steps: Steps<T>, done: (outcome: Outcome<T>) => void): void {
  let isRunning = false;
  let goesOn = false;
  const resume = (): void => {
    goesOn = true;
    // A call that completed before it returned: the loop below goes on, and the stack does not grow.
    if (isRunning) return;
    isRunning = true;
    let outcome: Outcome<T> | undefined;
    while (goesOn && !outcome) {
      goesOn = false;
      try {
        const step = steps.next();
        if (step.done) outcome = { value: step.value };
        else step.value(resume);
      } catch (error) {
        outcome = { error };
      }
    }
    isRunning = false;
    if (outcome) done(outcome);
  };
  resume();
}

/** The same as a promise, for commands. */
export function promiseOf<T>(steps: Steps<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    runSteps(steps, (outcome) => {
      if ('error' in outcome) reject(outcome.error);
      else resolve(outcome.value);
    });
  });
}
