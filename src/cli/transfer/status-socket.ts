// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { NodePosix } from '../../posix/index.js';
import type { EventRegistrar } from '../../scheduler/registrar.js';
import type { Logger } from '../../server/logger.js';
import { prepareStatusDirectory, statusDirectory, statusSocketPath } from '../../status/status-directory.js';
import { queryStatus, StatusError } from '../../status/status-client.js';
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
 * @throws (rejects with) TransferError
 */
export async function startStatusServer(options: StatusOptions): Promise<StatusServer> {
  const { role, posix } = options;
  try {
    const path = options.path ?? ownPath(role);
    if (options.path !== undefined) await refuseServed(posix, options.path);
    return new StatusServer({ ...options, path });
  } catch (error) {
    throw asTransferError(error);
  }
}

function ownPath(role: string): string {
  const directory = statusDirectory();
  prepareStatusDirectory(directory);
  return statusSocketPath(directory, role, process.pid);
}

/** What a query fails with where a socket can be made, or where that will fail and tell why. */
const notServed: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'ENAMETOOLONG']);

async function refuseServed(posix: NodePosix, path: string): Promise<void> {
  try {
    await queryStatus(posix, path);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    if (notServed.has(error.code)) return;
  }
  throw new TransferError('EADDRINUSE', `${path} is served by another program`);
}

function asTransferError(error: unknown): TransferError {
  const { message, code } = error as NodeJS.ErrnoException;
  if (!(error instanceof Error) || code === undefined) throw error;
  return new TransferError(code, `no status socket: ${message}; --no-status goes without`);
}
