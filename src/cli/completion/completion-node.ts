// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type Command, type CommandGroup, isGroup, titleOf } from '../command-line/command.js';
import type { ValueType } from '../command-line/value-type.js';
import { argumentName, optionName } from '../command-line/parameter-names.js';

export interface CompletedOption {
  /** `--input` */
  readonly name: string;
  /** `i` */
  readonly short: string | undefined;
  readonly help: string;
  /** Undefined for a flag. */
  readonly value: CompletedValue | undefined;
  readonly repeatable: boolean;
}

export interface CompletedValue {
  readonly placeholder: string;
  readonly completion: ValueType<unknown>['completion'];
  readonly repeatable: boolean;
}

/** A command or group, as completion needs it. */
export interface CompletionNode {
  /** `tapdisk-ts ctl list` */
  readonly path: string;
  /** The commands of a group; a command has none. */
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly CompletedOption[];
  readonly operands: readonly CompletedValue[];
}

const help: CompletedOption = {
  name: '--help',
  short: 'h',
  help: 'Print help.',
  value: undefined,
  repeatable: false,
};

/** The entry and all below it; a group comes before its commands. */
export function completionNodes(entry: Command | CommandGroup, before = ''): CompletionNode[] {
  const path = `${before}${titleOf(entry).name}`;
  if (isGroup(entry)) {
    const group = { path, commands: entry.commands.map(titleOf), options: [help], operands: [] };
    return [group, ...entry.commands.flatMap((member) => completionNodes(member, `${path} `))];
  }
  const operands = Object.values(entry.table.arguments).map((argument) => ({
    placeholder: argumentName(argument),
    completion: argument.type.completion,
    repeatable: argument.repeatable,
  }));
  const options = Object.entries(entry.table.options).map(([key, { type, short, ...option }]) => ({
    name: optionName(key),
    short,
    help: option.help,
    value: type && { placeholder: type.placeholder, completion: type.completion, repeatable: false },
    repeatable: option.repeatable,
  }));
  return [{ path, commands: [], options: [...options, help], operands }];
}

/** A text as one word of a shell. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
