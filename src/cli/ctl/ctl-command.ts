// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errnoNumber } from '../../posix/errno.js';
import { NodePosix } from '../../posix/index.js';
import type { CommandIo } from '../command-io.js';
import { EXIT_FAILED, EXIT_OK } from '../exit-status.js';
import { ControlClient, ControlError } from '../../control/control-client.js';
import { ctlCommands } from './ctl-commands.js';
import { CTL_USAGE, type CtlOptions, parseCtlOptions } from './ctl-options.js';

/** `tapdisk-ts ctl`: answers the exit status. */
export async function runCtlCommand(argv: string[], io: CommandIo): Promise<number> {
  const options = parseCtlOptions(argv);
  if (options) return run(options, io);
  io.stdout.write(CTL_USAGE);
  return EXIT_OK;
}

async function run(options: CtlOptions, io: CommandIo): Promise<number> {
  let exitStatus = EXIT_OK;
  const complain = (who: string, message: string): void => {
    exitStatus = EXIT_FAILED;
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
  return exitStatus;
}

/** As of a control directory that cannot be read. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && errnoNumber(String(error.code)) !== undefined;
}
