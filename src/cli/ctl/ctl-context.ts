// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownMessage, shownText } from '../../server/shown-text.js';
import { ControlClient, ControlError } from '../../control/control-client.js';
import { listedPids } from '../../control/control-directory.js';
import { FileError, VhdError } from '../../disks/drivers/index.js';
import { errno, errnoNumber } from '../../posix/errno.js';
import { NodePosix, type Posix } from '../../posix/index.js';
import { columnsOf, type CommandIo } from '../command-io.js';
import { controlDirectory } from '../control-values.js';
import { EXIT_FAILED, EXIT_OK } from '../exit-status.js';
import { UsageError } from '../usage-error.js';

/** What a command works with. */
export interface CtlContext {
  readonly client: ControlClient;
  /** Its sockets and clock. */
  readonly posix: Posix;
  readonly directory: string;
  /** Prints lines on standard output, in each of which text from outside is shown as `shownText` has it. */
  readonly print: (...lines: readonly string[]) => void;
  readonly isTerminal: boolean;
  /** The terminal's. */
  readonly columns: number;
  /** Reports a daemon that failed while others go on. */
  readonly warn: (pid: number, error: ControlError) => void;
}

/** The values that all commands of `ctl` have. */
export interface CtlValues {
  readonly controlDirectory: string | undefined;
  readonly pid: number | undefined;
}

/** What does the work of a command; it may reject with a {@link ControlError} of the daemon that was named. */
export type CtlAction<Given extends CtlValues> = (values: Given, context: CtlContext) => Promise<void>;

/** What a command ends with when its action reports that something is not as it should be. */
export class CheckFailed extends Error {
  override readonly name = 'CheckFailed';
}

/** Makes a command of an action, of `ctl` unless another group is named: failures go to standard error, and one failure makes the exit status 1. */
export function ctlRun<Given extends CtlValues>(
  name: string,
  action: CtlAction<Given>,
  group = 'ctl',
): (values: Given, io: CommandIo) => Promise<number> {
  return async (values, io) => {
    const directory = controlDirectory(values.controlDirectory);
    const posix = io.posix ?? new NodePosix();
    let exitStatus = EXIT_OK;
    const complainOf = (message: string): void => {
      exitStatus = EXIT_FAILED;
      io.stderr.write(`tapdisk-ts ${group} ${name}: ${shownMessage(message)}\n`);
    };
    const complain = (who: string, message: string): void => complainOf(`${who}: ${message}`);
    try {
      await action(values, {
        client: new ControlClient(posix, directory),
        posix,
        directory,
        print: (...lines) => io.stdout.write(lines.map((line) => `${shownText(line)}\n`).join('')),
        isTerminal: io.stdout.isTTY === true,
        columns: columnsOf(io.stdout),
        warn: (pid, error) => complain(`daemon ${pid}`, error.message),
      });
    } catch (error) {
      if (error instanceof ControlError)
        complain(values.pid === undefined ? directory : `daemon ${values.pid}`, error.message);
      else if (error instanceof FileError || error instanceof VhdError || error instanceof CheckFailed)
        complainOf(error.message);
      else if (isSystemError(error)) complain(directory, error.message);
      else throw error;
    }
    return exitStatus;
  };
}

/** Time limit for asking all daemons, in seconds. Each daemon not asked by then gets a warning. */
const ALL_SECONDS = 30;

/**
 * Asks the daemon with the pid, or all daemons one after another, so that one failure does not hide the rest. This takes at
 * most {@link ALL_SECONDS} plus one daemon's time, however many daemons there are and however slow they are.
 *
 * @returns whether all of them answered: otherwise nobody knows what there is besides
 * @throws (rejects with) ControlError from the daemon with the pid; without a pid a failure is a warning
 */
export async function eachDaemon(
  pid: number | undefined,
  { directory, posix, warn }: CtlContext,
  ask: (pid: number) => Promise<void>,
): Promise<boolean> {
  if (pid !== undefined) {
    await ask(pid);
    return true;
  }
  let haveAll = true;
  const until = posix.clock.now() + ALL_SECONDS;
  for (const listed of listedPids(directory)) {
    try {
      if (posix.clock.now() > until)
        throw new ControlError(errno.ETIMEDOUT, 'not asked: the daemons before it took too long');
      await ask(listed);
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      // A socket without a daemon was left by one that was killed, or has gone since the directory was read.
      if (error.number === errno.ECONNREFUSED || error.number === errno.ENOENT) continue;
      haveAll = false;
      warn(listed, error);
    }
  }
  return haveAll;
}

/** The pid of a directory's one daemon. @throws UsageError when there are several, or none */
export function onlyDaemon(directory: string): number {
  const [pid, ...others] = listedPids(directory);
  if (pid === undefined) throw new UsageError(`no daemon in ${directory}`);
  if (others.length > 0) throw new UsageError(`${others.length + 1} daemons in ${directory}: expected --pid`);
  return pid;
}

/** For example, a control directory that cannot be read. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && errnoNumber(String(error.code)) !== undefined;
}
