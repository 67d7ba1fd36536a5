// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** A small way to break the scheduler, the replication module or a VHD. */
export interface Mutant {
  /** The rule of docs/semantics.md or docs/vhd.md that it breaks. */
  readonly rule: string;
  /** What it does instead. */
  readonly title: string;
  /** In src/. */
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly from: string;
  readonly to: string;
  /** The only detectors, or files of tests, that run what the file has; all that run the scheduler and the replication module unless given. */
  readonly detectors?: readonly string[];
}

type Change = readonly [rule: string, title: string, from: string, to: string];

/** The mutants of one file of src/. */
export function inFile(
  file: string,
  changes: readonly Change[],
  more: Pick<Mutant, 'detectors'> = {},
): Mutant[] {
  return changes.map(([rule, title, from, to]) => ({ rule, title, file, from, to, ...more }));
}

/** The mutated text; throws when `from` does not stand exactly once, as after a change of the source. */
export function mutate(text: string, { title, file, from, to }: Mutant): string {
  const parts = text.split(from);
  if (parts.length !== 2)
    throw new Error(`${file}: what "${title}" replaces stands there ${parts.length - 1} times`);
  return parts.join(to);
}
