// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { CommandGroup } from '../command-line/command.js';
import type { Values } from '../command-line/command-table.js';
import type { TextIo } from '../command-io.js';
import { EXIT_OK } from '../exit-status.js';
import { bashCompletion } from './bash.js';
import type { completionTable } from './completion-table.js';
import { fishCompletion } from './fish.js';
import { zshCompletion } from './zsh.js';

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** Runs `tapdisk-ts completion` for a program; returns the exit status. */
export async function runCompletion(
  program: CommandGroup,
  { shell }: Values<typeof completionTable>,
  io: TextIo,
): Promise<number> {
  io.stdout.write(scripts[shell](program));
  return EXIT_OK;
}
