// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type Command, type CommandGroup, isGroup, titleOf } from './command.js';
import type { CommandTable } from './command-table.js';
import { exitStatusRows } from './exit-status-rows.js';
import { optionRows, parameterHelp } from './parameter-help.js';
import { argumentName, argumentsUsage, optionWithValue } from './parameter-names.js';
import { labelled, sentence, wrapped } from './wrapped-text.js';

/** Help is never wider, and as narrow as the terminal. */
export const HELP_COLUMNS = 80;
/** Narrower than this it is not: nobody could read it. */
const MIN_COLUMNS = 40;

/**
 * What `--help` prints.
 *
 * @param path the words that name the command: `tapdisk-ts ctl list`
 * @param columns of the terminal
 */
export function helpText(entry: Command | CommandGroup, path: string, columns = HELP_COLUMNS): string {
  const width = Math.max(MIN_COLUMNS, Math.min(HELP_COLUMNS, columns));
  const sections = isGroup(entry)
    ? groupSections(entry, path, width)
    : tableSections(entry.table, path, width);
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function tableSections(table: CommandTable, path: string, width: number): string[][] {
  const paragraphs = (texts: readonly string[]): string[][] => texts.map((text) => wrapped(text, width));
  const argumentRows = Object.values(table.arguments).map(
    (argument) => [argumentName(argument), parameterHelp(argument)] as const,
  );
  return [
    usage(`Usage: ${path}`, usageWords(table), width),
    ...paragraphs(table.description),
    ...(argumentRows.length > 0 ? [['Arguments:', ...labelled(argumentRows, width)]] : []),
    ['Options:', ...labelled(optionRows(table.options), width)],
    ...paragraphs(table.notes ?? []),
    ['Exit status:', ...labelled(exitStatusRows(table), width)],
  ];
}

function groupSections(group: CommandGroup, path: string, width: number): string[][] {
  const rows = group.commands.map((entry) => {
    const { name, summary } = titleOf(entry);
    return [name, sentence(summary)] as const;
  });
  return [
    usage(`Usage: ${path}`, ['COMMAND', '[OPTION]...', '[ARGUMENT]...'], width),
    ...group.description.map((text) => wrapped(text, width)),
    ['Commands:', ...labelled(rows, width)],
    wrapped(`${path} COMMAND --help describes a command.`, width),
    ...(group.notes ?? []).map((text) => wrapped(text, width)),
  ];
}

/** Options that are required are named in the usage line; the others are `[OPTION]...`. */
export function usageWords(table: CommandTable): string[] {
  const needed = Object.entries(table.options).filter(([, { required }]) => required);
  return [
    ...needed.map(([key, option]) => optionWithValue(key, option)),
    '[OPTION]...',
    ...argumentsUsage(table.arguments),
    ...(table.redirection === undefined ? [] : [table.redirection]),
  ];
}

/** Words that do not fit stand below the first ones. */
function usage(start: string, words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = start;
  for (const word of words) {
    if (line.length + 1 + word.length > width) {
      lines.push(line);
      line = ' '.repeat('Usage:'.length);
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
