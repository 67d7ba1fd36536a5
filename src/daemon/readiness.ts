// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { StdioOptions } from 'node:child_process';
import { runProgram } from '../posix/node/program.js';
import { nodeTimers, type Timers } from '../posix/timers.js';
import { LOG_DEBUG, LOG_WARNING, type Logger } from '../server/logger.js';

/** systemd's program, looked for in PATH. */
export const NOTIFY_PROGRAM = 'systemd-notify';
/** Its time limit, in seconds. */
const NOTIFY_SECONDS = 5;

/**
 * Reports this daemon's state to the service manager, if there is one (NOTIFY_SOCKET is set).
 *
 * The protocol is a datagram to a Unix socket, and Node has no such sockets: so systemd's own program sends it. As that is
 * another process than the daemon, the unit needs `NotifyAccess=all`. Without the program nothing is reported,
 * which is logged: a unit of `Type=notify` would then time out.
 *
 * @param assignments such as `READY=1`
 */
export async function notifyManager(
  assignments: readonly string[],
  logger: Logger,
  environment: NodeJS.ProcessEnv = process.env,
  program = NOTIFY_PROGRAM,
  timers: Timers = nodeTimers,
): Promise<void> {
  if (!environment['NOTIFY_SOCKET']) return;
  const what = assignments.join(' ');
  await new Promise<void>((resolve) => {
    // What it writes about a failure becomes part of the log line; inherited, it would be a line of its own, and no JSON.
    const stdio: StdioOptions = ['ignore', 'ignore', 'pipe'];
    runProgram(
      [program, ...assignments],
      { env: environment, stdio, seconds: NOTIFY_SECONDS },
      (status, how) => {
        if (status === 0) logger.log(LOG_DEBUG, `notified the service manager: ${what}`);
        else logger.log(LOG_WARNING, `could not notify the service manager ${what}: ${how}`);
        resolve();
      },
      timers,
    );
  });
}
