// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { UsageError } from '../usage-error.js';

/** What the text of an option or argument may be, and what becomes of it. */
export interface ValueType<Value> {
  /** Stands for the value in help: `SECONDS`. */
  readonly placeholder: string;
  /** Follows the help text in parentheses: `0 to 86400`. */
  readonly range?: string;
  /** What a shell offers: the names of files or directories, or these words. */
  readonly completion?: 'file' | 'directory' | readonly string[];
  /** @throws UsageError that says what was expected; the caller adds the option and the text */
  parse(text: string): Value;
}

/** Any text but an empty one. */
export function text(placeholder: string): ValueType<string> {
  return {
    placeholder,
    parse(value) {
      if (value === '') throw new UsageError(`expected ${placeholder}, not an empty string`);
      return value;
    },
  };
}

/** The path of a file. */
export function file(placeholder = 'FILE'): ValueType<string> {
  return { ...text(placeholder), completion: 'file' };
}

/** The path of a directory. */
export function directory(placeholder = 'DIRECTORY'): ValueType<string> {
  return { ...text(placeholder), completion: 'directory' };
}

/** One of a few words. */
export function oneOf<Name extends string>(placeholder: string, names: readonly Name[]): ValueType<Name> {
  return {
    placeholder,
    range: names.join(', '),
    completion: names,
    parse(value) {
      const name = names.find((known) => known === value);
      if (name === undefined) throw new UsageError(`expected one of ${names.join(', ')}`);
      return name;
    },
  };
}

/** A whole number in decimal digits, from `min` to `max`. */
export function wholeNumber(placeholder: string, min: number, max: number): ValueType<number> {
  return number(placeholder, min, max, /^\d+$/, 'a whole number');
}

/** A number in decimal digits, with or without a fraction, from `min` to `max`. */
export function decimalNumber(placeholder: string, min: number, max: number): ValueType<number> {
  return number(placeholder, min, max, /^\d+(?:\.\d+)?$/, 'a number');
}

function number(
  placeholder: string,
  min: number,
  max: number,
  form: RegExp,
  kind: string,
): ValueType<number> {
  return {
    placeholder,
    range: `${min} to ${max}`,
    parse(value) {
      const parsed = form.test(value) ? Number(value) : Number.NaN;
      if (parsed >= min && parsed <= max) return parsed;
      throw new UsageError(`expected ${kind} from ${min} to ${max}`);
    },
  };
}

/** Permissions of a file, in octal digits. */
export function permissions(placeholder: string): ValueType<number> {
  return {
    placeholder,
    range: '0600 to 0777',
    parse(value) {
      const mode = /^0?[0-7]{3}$/.test(value) ? Number.parseInt(value, 8) : 0;
      if ((mode & 0o600) === 0o600) return mode;
      throw new UsageError('expected octal permissions that let the owner read and write, such as 0640');
    },
  };
}
