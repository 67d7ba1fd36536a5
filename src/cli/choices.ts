// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { TextIo } from './command-io.js';
import { EXIT_USAGE } from './exit-status.js';
import { isUsageError, UsageError } from './usage-error.js';

/** Runs a command; a wrong command line is told on standard error and gives EXIT_USAGE. */
export async function withUsageErrors(
  command: string,
  io: TextIo,
  run: () => Promise<number>,
): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (!isUsageError(error)) throw error;
    io.stderr.write(`tapdisk-ts ${command}: ${error.message}\nTry tapdisk-ts ${command} --help.\n`);
    return EXIT_USAGE;
  }
}

/** The one of `names` that an option's value is. */
export function choice<Name extends string>(option: string, text: string, names: readonly Name[]): Name {
  const name = names.find((known) => known === text);
  if (name === undefined)
    throw new UsageError(`${option} is ${text}, but must be one of ${names.join(', ')}`);
  return name;
}

/** An option's value as a number from `least` to `most`. */
export function numeric(
  option: string,
  text: string,
  { least, most, whole = false }: { least: number; most: number; whole?: boolean },
): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  throw new UsageError(
    `${option} is ${text}, but must be a ${whole ? 'whole ' : ''}number from ${least} to ${most}`,
  );
}
