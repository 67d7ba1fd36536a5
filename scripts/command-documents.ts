// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync } from 'node:fs';
import { type Command, type CommandGroup, isGroup, titleOf } from '../src/cli/command-line/command.js';
import { helpText } from '../src/cli/command-line/help-text.js';
import { manPages } from '../src/cli/command-line/man-page.js';
import { program } from '../src/cli/commands.js';
import { documentFiles, manifest, repositoryFile } from './repository-files.js';

/** A command, or a group of them, with the words that name it: `tapdisk-ts ctl list`. */
export interface NamedEntry {
  readonly path: string;
  readonly entry: Command | CommandGroup;
}

/** The program itself, then all commands and groups, each group before its members. */
export function allEntries(entry: Command | CommandGroup = program, before = ''): NamedEntry[] {
  const path = `${before}${titleOf(entry).name}`;
  const members = isGroup(entry) ? entry.commands.flatMap((member) => allEntries(member, `${path} `)) : [];
  return [{ path, entry }, ...members];
}

/**
 * A document with the help of commands as it is now: between `<!-- help: tapdisk-ts ctl -->` and `<!-- /help -->`.
 *
 * @throws Error for the help of a command that does not exist
 */
export function withCurrentHelp(document: string): string {
  return document.replaceAll(
    /^<!-- help: (?<path>.+?) -->\n[^]*?^<!-- \/help -->$/gm,
    (_: string, path: string) => {
      const found = allEntries().find((named) => named.path === path);
      if (found === undefined) throw new Error(`a block has the help of ${path}, which does not exist`);
      return `<!-- help: ${path} -->\n\n\`\`\`text\n${helpText(found.entry, path)}\`\`\`\n\n<!-- /help -->`;
    },
  );
}

/** The files that repeat what the tables of the commands say, by their path, as they have to be now. */
export function commandDocuments(): Map<string, string> {
  const read = (file: string): string => readFileSync(repositoryFile(file), 'utf8');
  const files = new Map(documentFiles().map((file) => [file, withCurrentHelp(read(file))]));
  const pages = manPages(program, manifest.version);
  for (const { file, text } of pages) files.set(`man/${file}`, text);
  const list = pages.map(({ file }) => `"man/${file}"`).join(',\n    ');
  return files.set(
    'package.json',
    read('package.json').replace(/"man": \[[^\]]*\]/, `"man": [\n    ${list}\n  ]`),
  );
}
