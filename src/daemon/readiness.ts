// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFile } from 'node:child_process';
import { LOG_DEBUG, LOG_WARNING, type Logger } from '../server/logger.js';

/** systemd's program, looked for in PATH. */
export const NOTIFY_PROGRAM = 'systemd-notify';
/** It may take so long. */
const NOTIFY_TIMEOUT_MS = 5000;

/**
 * Tells the service manager how this daemon is, if there is one (NOTIFY_SOCKET is set).
 *
 * The protocol is a datagram to a Unix socket, and Node has no such sockets: so systemd's own program sends it. As that is
 * another process than the daemon, the unit needs `NotifyAccess=all`. Without the program the manager is told nothing,
 * which is logged: a unit of `Type=notify` would then time out.
 *
 * @param assignments such as `READY=1`
 */
export async function notifyManager(
  assignments: readonly string[],
  logger: Logger,
  environment: NodeJS.ProcessEnv = process.env,
  program = NOTIFY_PROGRAM,
): Promise<void> {
  if (!environment['NOTIFY_SOCKET']) return;
  await new Promise<void>((resolve) => {
    const options = { env: environment, timeout: NOTIFY_TIMEOUT_MS };
    execFile(program, [...assignments], options, (error) => {
      if (error) {
        logger.log(
          LOG_WARNING,
          `the service manager was not told ${assignments.join(' ')}: ${error.message.trim()}`,
        );
      } else logger.log(LOG_DEBUG, `the service manager was told ${assignments.join(' ')}`);
      resolve();
    });
  });
}
