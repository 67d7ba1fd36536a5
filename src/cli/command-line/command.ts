// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { CommandIo } from '../command-io.js';
import type { CommandTable, Parameters, ValueParameters, Values } from './command-table.js';
import { parseValues } from './parse-values.js';

/** A command: its table, and what runs it. */
export interface Command {
  readonly table: CommandTable;
  /** Parses and runs; returns the exit status. @throws (rejects with) UsageError */
  run(argv: readonly string[], io: CommandIo): Promise<number>;
}

/** A command of commands: `ctl`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly description: readonly string[];
  readonly notes?: readonly string[];
  readonly commands: readonly (Command | CommandGroup)[];
}

/** @param load what runs it, loaded when it is needed */
export function command<Options extends Parameters, Arguments extends ValueParameters>(
  table: CommandTable<Options, Arguments>,
  load: () => Promise<(values: Values<CommandTable<Options, Arguments>>, io: CommandIo) => Promise<number>>,
): Command {
  return {
    table,
    async run(argv, io) {
      const values = parseValues(table, argv, io.environment);
      const run = await load();
      return run(values, io);
    },
  };
}

export function isGroup(entry: Command | CommandGroup): entry is CommandGroup {
  return 'commands' in entry;
}

/** A command's name and summary, a group's too. */
export function titleOf(entry: Command | CommandGroup): { readonly name: string; readonly summary: string } {
  return isGroup(entry) ? entry : entry.table;
}
