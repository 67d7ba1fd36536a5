// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownMessage } from '../../server/shown-text.js';
import { wasClosed } from '../../posix/node/standard-streams.js';
import { columnsOf, type CommandIo } from '../command-io.js';
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from '../exit-status.js';
import { quoted, UsageError } from '../usage-error.js';
import { type Command, type CommandGroup, isGroup, titleOf } from './command.js';
import { helpText } from './help-text.js';
import { asksForHelp } from './parse-values.js';

/**
 * Runs a command, or the one of a group that the first argument names. A usage error goes to standard error and returns
 * EXIT_USAGE.
 *
 * @param path the words that have led here: `tapdisk-ts ctl`
 * @returns the exit status
 */
export async function runCommand(
  entry: Command | CommandGroup,
  path: string,
  argv: readonly string[],
  io: CommandIo,
): Promise<number> {
  try {
    if (isGroup(entry)) return await runMember(entry, path, argv, io);
    const asksHelp = asksForHelp(argv);
    if (io.stdoutFd !== undefined && wasClosed(io.stdoutFd) && (asksHelp || entry.table.needsOutput)) {
      io.stderr.write(
        `${path}: standard output is closed, or /dev/null opened for reading too, but the results go there\n`,
      );
      return EXIT_FAILED;
    }
    if (!asksHelp) return await entry.run(argv, io);
    io.stdout.write(helpText(entry, path, columnsOf(io.stdout)));
    return EXIT_OK;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.stderr.write(`${path}: ${shownMessage(error.message)}\nTry ${path} --help.\n`);
    return EXIT_USAGE;
  }
}

async function runMember(
  group: CommandGroup,
  path: string,
  [first, ...rest]: readonly string[],
  io: CommandIo,
): Promise<number> {
  if (first === '--help' || first === '-h' || (first === 'help' && rest.length === 0)) {
    io.stdout.write(helpText(group, path, columnsOf(io.stdout)));
    return EXIT_OK;
  }
  if (first === 'help') return runMember(group, path, [...rest, '--help'], io);
  const member = group.commands.find((entry) => titleOf(entry).name === first);
  if (member !== undefined) return runCommand(member, `${path} ${first}`, rest, io);
  const names = group.commands.map((entry) => titleOf(entry).name).join(', ');
  throw new UsageError(
    first === undefined
      ? `missing command: expected one of ${names}`
      : `unknown command ${quoted(first)}: expected one of ${names}`,
  );
}
