// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Mutations that change nothing that anybody could observe, with the reason. */
export type Equivalent = readonly [before: string, after: string, reason: string];

/** Those of a folder of `src`, by file. */
export type Equivalents = Readonly<Record<string, readonly Equivalent[]>>;

export const SET_FIRST = 'It is set before it is read.';
export const ALWAYS_THERE = 'It is always there, which its type does not say.';
export const TUNING = 'How much is put together decides how many calls it takes, and nothing else.';
export const WHICH_SPARE = 'It makes no difference which of the spare buffers is used.';
export const MOMENTS = 'Moments are only compared with each other.';
export const NO_DESCRIPTOR = 'There is no descriptor below 3.';
export const SEQUENCES = 'Sequence numbers are only compared with each other.';
export const SETTLED = 'A promise that has settled stays as it is.';
export const SYSTEM_ERRORS = 'Nothing but a system error is thrown there unless the program has a fault.';
export const SAME_INTEREST = 'To ask a poller for the same once more changes nothing.';
export const OUR_FAULT = 'Nothing else is thrown there unless the program has a fault.';
export const GETUID = 'Every system that the package runs on has getuid.';

/** A size that only decides how much is handled at once. */
export const tuned = (before: string, ...afters: readonly string[]): Equivalent[] =>
  afters.map((after) => [before, after, TUNING]);

/** A result that is a descriptor, or a negative errno. */
export const descriptorOrErrno = (before: string): Equivalent[] =>
  [
    ['< 0', '<= 0'],
    ['< 0', '< 1'],
    ['>= 0', '> 0'],
    ['>= 0', '>= 1'],
  ].flatMap(([from = '', to = '']): Equivalent[] =>
    before.includes(` ${from}`) ? [[before, before.replace(from, to), NO_DESCRIPTOR]] : [],
  );
