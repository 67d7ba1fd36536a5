// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errnoNumber } from '../../posix/errno.js';
import { NodePosix } from '../../posix/index.js';
import { ControlClient, ControlError } from './control-client.js';
import { ctlCommands } from './ctl-commands.js';
import { CTL_USAGE, type CtlOptions, parseCtlOptions } from './ctl-options.js';
import { EXIT_FAILURE, EXIT_OK, EXIT_USAGE, type ProgramIo, UsageError } from './program.js';

/**
 * `tapdisk-ts ctl …`: asks the daemons of a control directory, ours or C's.
 *
 * @param argv what follows `ctl`
 * @returns the exit code: 0, 1 when a daemon refused or could not be asked, 2 for a command line that makes no sense
 */
export async function runCtlCommand(argv: readonly string[], io: ProgramIo): Promise<number> {
  let options: CtlOptions | undefined;
  try {
    options = parseCtlOptions(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.stderr.write(`tapdisk-ts ctl: ${error.message}\n\n${CTL_USAGE}`);
    return EXIT_USAGE;
  }
  if (options) return run(options, io);
  io.stdout.write(CTL_USAGE);
  return EXIT_OK;
}

async function run(options: CtlOptions, io: ProgramIo): Promise<number> {
  let exitCode = EXIT_OK;
  const complain = (who: string, message: string): void => {
    exitCode = EXIT_FAILURE;
    io.stderr.write(`tapdisk-ts ctl ${options.command}: ${who}: ${message}\n`);
  };
  try {
    await ctlCommands[options.command]({
      client: new ControlClient(new NodePosix(), options.directory),
      options,
      print: (line) => io.stdout.write(`${line}\n`),
      isTerminal: io.stdout.isTTY === true,
      warn: (pid, error) => complain(`daemon ${pid}`, error.message),
    });
  } catch (error) {
    if (error instanceof ControlError) complain(`daemon ${options.pid}`, error.message);
    else if (isSystemError(error)) complain(options.directory, error.message);
    else throw error;
  }
  return exitCode;
}

/** As of a control directory that cannot be read. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && errnoNumber(String(error.code)) !== undefined;
}
