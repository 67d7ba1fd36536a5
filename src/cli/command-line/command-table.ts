// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Parameter, ValueParameter } from './parameter.js';

/** Parameters by key; an option's key in camel case is its name with dashes on the command line. */
export type Parameters = Readonly<Record<string, Parameter<unknown>>>;

/** As {@link Parameters}, of arguments. */
export type ValueParameters = Readonly<Record<string, ValueParameter<unknown>>>;

/** The command line of a command: help, man page, completion and parsing come from it. */
export interface CommandTable<
  Options extends Parameters = Parameters,
  Arguments extends ValueParameters = ValueParameters,
> {
  readonly name: string;
  /**
   * What it prints is all that it is for. Any other command also works without a standard output, and with a /dev/null that
   * looks as if there were none.
   */
  readonly needsOutput?: true;
  /** A phrase for lists of commands: `send an image to a backup`. */
  readonly summary: string;
  /** Paragraphs before the options. */
  readonly description: readonly string[];
  /** In their order. An optional one comes after those that are required, a repeated one last. */
  readonly arguments: Arguments;
  readonly options: Options;
  /** Follows the arguments in the usage line: `< IMAGE`. */
  readonly redirection?: string;
  /** Paragraphs after the options. */
  readonly notes?: readonly string[];
  /** What the exit statuses mean; 2, a usage error, is added. */
  readonly exitStatus: Readonly<Record<number, string>>;
  /** What 128 plus a signal's number means, for a command that handles signals. */
  readonly signalStatus?: string;
}

type Results<Given extends Parameters> = {
  readonly [Key in keyof Given]: Given[Key] extends Parameter<infer Result> ? Result : never;
};

/** What a command gets: options and arguments by their keys. */
export type Values<Table extends CommandTable> = Results<Table['options']> & Results<Table['arguments']>;

/** Only for its types: a table that says exactly which options and arguments it has. */
export function defineTable<const Options extends Parameters, const Arguments extends ValueParameters>(
  table: CommandTable<Options, Arguments>,
): CommandTable<Options, Arguments> {
  return table;
}

/** The table of a command that is only for what it prints. */
export function printing<const Table extends CommandTable>(
  table: Table,
): Table & { readonly needsOutput: true } {
  return { ...table, needsOutput: true };
}

/** The environment's variables, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;
