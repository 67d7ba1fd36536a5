// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { NodePosix } from '../../posix/index.js';
import type { EventRegistrar } from '../../scheduler/registrar.js';
import { removeDeadSockets } from '../../server/dead-sockets.js';
import { LOG_WARNING, type Logger } from '../../server/logger.js';
import { takeSocketPath } from '../../server/socket-path.js';
import {
  listStatusSockets,
  prepareStatusDirectory,
  statusDirectory,
  statusSocketPath,
} from '../../status/status-directory.js';
import { StatusServer } from '../../status/status-server.js';
import { TransferError } from '../../transfer/transfer-error.js';

export interface StatusOptions {
  readonly registrar: EventRegistrar;
  readonly posix: NodePosix;
  readonly logger: Logger;
  readonly role: string;
  /** Where; the user's status directory when it is undefined. */
  readonly path: string | undefined;
  readonly status: () => object;
}

/**
 * Starts to answer status requests. A socket that a program left behind is replaced, one that is served is not.
 *
 * A socket that was named must be available; without a name, going without one is only a warning.
 *
 * @throws (rejects with) TransferError
 */
export async function startStatusServer(options: StatusOptions): Promise<StatusServer | undefined> {
  const { path, logger } = options;
  try {
    return await (path === undefined ? serveInDirectory(options) : serveAt(options, path));
  } catch (error) {
    const failure = asTransferError(error);
    if (path !== undefined) throw failure;
    logger.log(LOG_WARNING, failure.message);
    return undefined;
  }
}

async function serveInDirectory(options: StatusOptions): Promise<StatusServer> {
  const directory = statusDirectory();
  prepareStatusDirectory(directory);
  await removeDeadSockets(options.posix, listStatusSockets(directory));
  return serveAt(options, statusSocketPath(directory, options.role, process.pid));
}

function serveAt(options: StatusOptions, path: string): Promise<StatusServer> {
  return takeSocketPath(options, path, () => new StatusServer({ ...options, path }));
}

function asTransferError(error: unknown): TransferError {
  const { message, code } = error as NodeJS.ErrnoException;
  if (!(error instanceof Error) || code === undefined) throw error;
  return new TransferError(code, `no status socket: ${message}; use --no-status to run without one`);
}
