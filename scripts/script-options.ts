// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// The options of the programs that contributors run by npm. Unlike the commands of tapdisk-ts they have one usage text each.

import { parseArgs, type ParseArgsConfig } from 'node:util';

/** The exit status of a program that was not given what it takes. */
const USAGE_ERROR = 2;

/**
 * What a program was given, by Node's parseArgs. With `--help` or `-h`, `usage` is printed and the process exits with 0.
 * An unknown option, or one whose value is missing, ends it with a line that names the option, and with 2.
 *
 * @param usage its first line is the call, `npm run NAME`
 */
export function scriptOptions<T extends ParseArgsConfig>(
  usage: string,
  config: T,
): ReturnType<typeof parseArgs<T>> {
  if (process.argv.slice(2).some((word) => word === '--help' || word === '-h')) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    // Its further sentences are about arguments that begin with a dash.
    const [what = ''] = (error as Error).message.split('. ');
    return usageError(`${what.replace(/\.$/, '')}: --help lists the options`);
  }
}

/** A number that an option was given as text; the process exits with 2 unless it is a whole one from `min` to `max`. */
export function wholeOption(name: string, text: string, max: number, min = 1): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max)
    usageError(`${name} is ${text}, but must be a whole number from ${min} to ${max}`);
  return value;
}

/** A number above 0 that an option was given as text; the process exits with 2 unless it is one. */
export function positiveOption(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) usageError(`${name} is ${text}, but must be a number above 0`);
  return value;
}

/** A regular expression that was given as text; the process exits with 2 unless it is one. */
export function patternOption(name: string, text: string, flags = ''): RegExp {
  try {
    return new RegExp(text, flags);
  } catch (error) {
    return usageError(`${name}: ${(error as Error).message}`);
  }
}

/** Prints what is wrong with the arguments, and exits with 2. */
export function usageError(message: string): never {
  console.error(message);
  process.exit(USAGE_ERROR);
}
