// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { ValueType } from '../command-line/value-type.js';
import { UsageError } from '../usage-error.js';
import { commandWords } from './command-words.js';

/** A part of a name, or the whole of it with `*` and `?` for what is left open. */
export const namePattern: ValueType<string> = {
  placeholder: 'PATTERN',
  parse: (text) => text,
};

/** A program and its arguments, and the line that has them. */
export interface ProgramLine {
  readonly line: string;
  readonly program: string;
  readonly args: string[];
}

/** A program and its arguments, separated as a shell does. */
export const programLine: ValueType<ProgramLine> = {
  placeholder: "'PROGRAM ARGS'",
  parse(text) {
    const words = commandWords(text);
    if (words === undefined)
      throw new UsageError('expected a closing quote, and no backslash as the last character');
    const [program, ...args] = words;
    if (program === undefined || program === '') throw new UsageError('expected a program');
    return { line: text, program, args };
  },
};
