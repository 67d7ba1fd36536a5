// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type Command, type CommandGroup, isGroup, titleOf } from '../src/cli/command-line/command.js';
import { helpText } from '../src/cli/command-line/help-text.js';
import { program } from '../src/cli/commands.js';

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
