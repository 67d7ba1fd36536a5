// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { packageVersion } from '../server/package-file.js';
import { runCommand } from './command-line/run-command.js';
import type { CommandIo } from './command-io.js';
import { program } from './commands.js';
import { EXIT_OK } from './exit-status.js';

/** Runs the command that the arguments name; returns the exit status. */
export async function dispatch(argv: readonly string[], io: CommandIo): Promise<number> {
  if (argv[0] !== '--version' && argv[0] !== '-V') return runCommand(program, program.name, argv, io);
  io.stdout.write(`${program.name} ${packageVersion()}\n`);
  return EXIT_OK;
}
