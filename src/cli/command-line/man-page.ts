// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type Command, type CommandGroup, isGroup, titleOf } from './command.js';
import type { CommandTable } from './command-table.js';
import { exitStatusRows } from './exit-status-rows.js';
import { usageWords } from './help-text.js';
import { optionRows, parameterHelp, type Row } from './parameter-help.js';
import { argumentName, optionName } from './parameter-names.js';
import { definitions, heading, paragraphs, roffArgument, roffText, subheading } from './roff.js';
import { sentence } from './wrapped-text.js';

/** A file of man pages, and its contents. */
export interface ManPage {
  readonly file: string;
  readonly text: string;
}

/** The page of the program, and one for each of its commands; a group has its commands on its page. */
export function manPages(program: CommandGroup, version: string): ManPage[] {
  const pages = program.commands.map((entry) => ({ entry, path: `${program.name} ${titleOf(entry).name}` }));
  return [{ entry: program, path: program.name }, ...pages].map(({ entry, path }) => ({
    file: `${pageName(path)}.1`,
    text: manPage(entry, path, program, version),
  }));
}

function pageName(path: string): string {
  return path.replaceAll(' ', '-');
}

function manPage(
  entry: Command | CommandGroup,
  path: string,
  program: CommandGroup,
  version: string,
): string {
  const title = [pageName(path).toUpperCase(), '1', '', `${program.name} ${version}`, 'User Commands'];
  const body = !isGroup(entry)
    ? commandSections(entry.table, path, heading)
    : entry === program
      ? programSections(program)
      : groupSections(entry, path);
  return `${[
    '.\\" SPDX-FileCopyrightText: 2026 The tapdisk-ts authors',
    '.\\" SPDX-License-Identifier: BSD-3-Clause',
    `.TH ${title.map(roffArgument).join(' ')}`,
    // Neither stretched lines nor words broken at a hyphen: options are to be searched and copied.
    '.ad l',
    '.nh',
    ...heading('NAME'),
    `${roffText(pageName(path))} \\- ${roffText(titleOf(entry).summary)}`,
    ...body,
    ...seeAlso(path, program),
  ].join('\n')}\n`;
}

function commandSections(table: CommandTable, path: string, section: (title: string) => string[]): string[] {
  const operands = Object.values(table.arguments).map((argument): Row => [
    argumentName(argument),
    parameterHelp(argument),
  ]);
  const variables = Object.entries(table.options).flatMap(([key, { environment }]): Row[] =>
    environment === undefined
      ? []
      : [[environment, `The value of ${optionName(key)} where it is not given.`]],
  );
  const notes = table.notes ?? [];
  return [
    ...section('SYNOPSIS'),
    synopsis(path, usageWords(table)),
    ...section('DESCRIPTION'),
    ...paragraphs(table.description),
    ...(operands.length > 0 ? [...section('ARGUMENTS'), ...definitions(operands)] : []),
    ...section('OPTIONS'),
    ...definitions(optionRows(table.options)),
    ...(notes.length > 0 ? [...section('NOTES'), ...paragraphs(notes)] : []),
    ...section('EXIT STATUS'),
    ...definitions(exitStatusRows(table)),
    ...(variables.length > 0 ? [...section('ENVIRONMENT'), ...definitions(variables)] : []),
  ];
}

function programSections(program: CommandGroup): string[] {
  const rows = program.commands.map((entry): Row => {
    const { name, summary } = titleOf(entry);
    return [`${program.name} ${name}`, sentence(summary)];
  });
  return [
    ...heading('SYNOPSIS'),
    synopsis(program.name, ['COMMAND', '[OPTION]...', '[ARGUMENT]...']),
    ...heading('DESCRIPTION'),
    ...paragraphs(program.description),
    ...heading('COMMANDS'),
    ...definitions(rows),
    ...heading('NOTES'),
    ...paragraphs(program.notes ?? []),
  ];
}

/** The commands of a group, a section each. */
function groupSections(group: CommandGroup, path: string): string[] {
  const members = group.commands.flatMap((entry) => {
    const memberPath = `${path} ${titleOf(entry).name}`;
    if (isGroup(entry)) return [...heading(memberPath), ...groupSections(entry, memberPath)];
    return [...heading(memberPath), ...commandSections(entry.table, memberPath, subheading)];
  });
  return [
    ...heading('SYNOPSIS'),
    synopsis(path, ['COMMAND', '[OPTION]...', '[ARGUMENT]...']),
    ...heading('DESCRIPTION'),
    ...paragraphs([...group.description, ...(group.notes ?? [])]),
    ...members,
  ];
}

function synopsis(path: string, words: readonly string[]): string {
  return `.B ${roffArgument(path)}\n${roffText(words.join(' '))}`;
}

function seeAlso(path: string, program: CommandGroup): string[] {
  const paths = [program.name, ...program.commands.map((entry) => `${program.name} ${titleOf(entry).name}`)];
  const others = paths.filter((other) => other !== path).map((other) => `${roffText(pageName(other))}(1)`);
  return [...heading('SEE ALSO'), others.join(',\n')];
}
