// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** What came of one tape: a trace as text, as it is only compared, and where the tape ran out. */
export interface Played<End> {
  readonly trace: string;
  readonly end: End;
}

/** A reference and what is held against it, and the operations that can come where a tape ran out. */
export interface TapePlayers<Operation, End> {
  readonly choices: (end: End) => Operation[];
  readonly reference: (tape: readonly Operation[]) => Promise<Played<End>>;
  readonly actual: (tape: readonly Operation[]) => Promise<Played<End>>;
}

/** How many tapes there were, and the first on which the traces differ. */
export interface Exhausted {
  readonly tapes: number;
  readonly difference?: string;
}

/** Plays every tape of exactly `length` operations on both; the shorter ones are their beginnings. */
export async function exhaustTapes<Operation, End>(
  length: number,
  { choices, reference, actual }: TapePlayers<Operation, End>,
): Promise<Exhausted> {
  let tapes = 0;
  const pending: Operation[][] = [[]];
  for (let tape = pending.pop(); tape !== undefined; tape = pending.pop()) {
    const expected = await reference(tape);
    if (tape.length < length) {
      for (const operation of choices(expected.end)) pending.push([...tape, operation]);
      continue;
    }
    tapes++;
    const { trace } = await actual(tape);
    if (trace !== expected.trace) {
      const operations = tape.map((operation) => JSON.stringify(operation)).join('\n');
      return { tapes, difference: `${operations}\nreference:\n${expected.trace}scheduler:\n${trace}` };
    }
  }
  return { tapes };
}
