// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { dirname } from 'node:path';
import { AF_UNIX, type SocketAddress } from '../posix/address.js';
import type { Posix } from '../posix/posix.js';
import { resolveNbdAddress } from '../nbd/index.js';
import { LOG_WARNING, type Logger } from '../server/logger.js';
import { takeSocketPath } from '../server/socket-path.js';
import { whoCouldReplace } from '../server/trusted-directory.js';

/**
 * Listens on the address that a text means. A Unix socket's path is taken first (`takeSocketPath`); that others
 * could replace the socket is a warning.
 *
 * @throws (rejects with) Error that names the option, or what `listen` throws
 */
export async function listenAt<Result>(
  parts: { readonly posix: Posix; readonly logger: Logger },
  option: string,
  text: string,
  listen: (address: SocketAddress) => Result,
): Promise<Result> {
  const address = await resolveNbdAddress(parts.posix, text);
  if (typeof address === 'string') throw new Error(`--${option}: ${address}`);
  if (address.family !== AF_UNIX) return listen(address);
  const { path } = address;
  return takeSocketPath(parts, path, () => {
    const result = listen(address);
    const fault = whoCouldReplace(dirname(path));
    if (fault !== undefined) {
      parts.logger.log(LOG_WARNING, `--${option} ${path}: others could put another socket there: ${fault}`);
    }
    return result;
  });
}
