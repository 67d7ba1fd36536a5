// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { parseArgs } from 'node:util';
import { quoted, UsageError } from '../usage-error.js';
import type { CommandTable, Environment, Parameters, ValueParameters, Values } from './command-table.js';
import { argumentName, optionName, optionWithValue } from './parameter-names.js';

/** What a command line gives, by key: one text for each time that an option or argument is given. */
type Given = Map<string, string[]>;

/** Whether help is asked for, wherever it stands before `--`. */
export function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).some((word) => word === '--help' || word === '-h');
}

/**
 * The values of a command line.
 *
 * @throws UsageError for an option that is unknown, given twice or without its value, for a value that is not what was
 *   expected, for options that exclude or require each other, and for an argument too many or too few
 */
export function parseValues<Options extends Parameters, Arguments extends ValueParameters>(
  table: CommandTable<Options, Arguments>,
  argv: readonly string[],
  environment: Environment = process.env,
): Values<CommandTable<Options, Arguments>> {
  const given = givenTexts(table, argv);
  checkCombinations(table.options, given);
  useEnvironment(table.options, given, environment);
  const values = new Map<string, unknown>();
  for (const [key, parameter] of Object.entries(table.arguments)) {
    values.set(key, parameter.read(argumentName(parameter), given.get(key) ?? []));
  }
  for (const [key, parameter] of Object.entries(table.options)) {
    const label = given.has(key) ? optionName(key) : optionWithValue(key, parameter);
    values.set(key, parameter.read(label, given.get(key) ?? []));
  }
  return Object.fromEntries(values) as Values<CommandTable<Options, Arguments>>;
}

function givenTexts(table: CommandTable, argv: readonly string[]): Given {
  const keys = new Map(Object.keys(table.options).map((key) => [optionName(key).slice(2), key]));
  const shapes = Object.entries(table.options).map(([key, { type, short }]) => [
    optionName(key).slice(2),
    { type: type === undefined ? 'boolean' : 'string', ...(short !== undefined && { short }) } as const,
  ]);
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(shapes),
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const given: Given = new Map();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const key = keys.get(token.name);
    if (key === undefined) throw new UsageError(unknownOption(token.rawName, [...keys.keys()]));
    addOption(table, given, key, token);
  }
  addArguments(table, given, positionals);
  return given;
}

interface OptionToken {
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function addOption(
  table: CommandTable,
  given: Given,
  key: string,
  { value, inlineValue }: OptionToken,
): void {
  const option = table.options[key];
  const name = optionName(key);
  const before = given.get(key) ?? [];
  if (option?.type === undefined) {
    if (value !== undefined) throw new UsageError(`${name} takes no value`);
  } else if (value === undefined) {
    throw new UsageError(`${name} requires a value: ${option.type.placeholder}`);
  } else if (!inlineValue && /^-./.test(value)) {
    const example = `${name}=${value}`;
    throw new UsageError(
      `${name} requires a value: ${option.type.placeholder}; write ${example} if it begins with a dash`,
    );
  }
  if (before.length > 0 && !option?.repeatable) throw new UsageError(`${name} can be given only once`);
  given.set(key, [...before, value ?? '']);
}

function addArguments(table: CommandTable, given: Given, positionals: readonly string[]): void {
  let rest = positionals;
  for (const [key, { repeatable }] of Object.entries(table.arguments)) {
    const taken = repeatable ? rest : rest.slice(0, 1);
    given.set(key, [...taken]);
    rest = rest.slice(taken.length);
  }
  const [unexpected] = rest;
  if (unexpected !== undefined) throw new UsageError(`unexpected argument ${quoted(unexpected)}`);
}

function checkCombinations(options: Parameters, given: Given): void {
  for (const [key, { requires = [], excludes = [] }] of Object.entries(options)) {
    if (!given.has(key)) continue;
    for (const other of requires) {
      if (!given.has(other)) throw new UsageError(`${optionName(key)} requires ${optionName(other)}`);
    }
    for (const other of excludes) {
      if (given.has(other))
        throw new UsageError(`${optionName(key)} and ${optionName(other)} are mutually exclusive`);
    }
  }
}

/** An empty variable counts as not set, as usual. */
function useEnvironment(options: Parameters, given: Given, environment: Environment): void {
  for (const [key, { environment: variable }] of Object.entries(options)) {
    const value = variable === undefined ? undefined : environment[variable];
    if (value && !given.has(key)) given.set(key, [value]);
  }
}

function unknownOption(name: string, known: readonly string[]): string {
  const begun = known.filter((option) => name.length > 3 && option.startsWith(name.slice(2)));
  const hint = begun.length > 0 ? `: did you mean ${begun.map((option) => `--${option}`).join(' or ')}?` : '';
  return `unknown option ${/[\s\p{Cc}]/u.test(name) ? quoted(name) : name}${hint}`;
}
