// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { lstatSync } from 'node:fs';
import { AF_UNIX, type SocketAddress } from '../posix/address.js';
import type { Posix } from '../posix/posix.js';
import { ControlConnection } from '../control/control-connection.js';
import { removeSocketFile } from '../control/control-directory.js';
import { resolveNbdAddress } from '../nbd/index.js';

/** How long a process that has the path already may take to accept, in seconds. */
const PROBE_SECONDS = 2;

/**
 * Makes the path of a Unix socket free: removes a socket that nobody listens on any more.
 *
 * @throws (rejects with) Error: `code` EADDRINUSE when somebody listens, EEXIST when it is no socket, or node:fs's own
 */
export async function freeSocketPath(posix: Posix, path: string): Promise<void> {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return removeSocketFile(path);
  const connection = await ControlConnection.open(posix, path, PROBE_SECONDS);
  if (typeof connection !== 'number') {
    connection[Symbol.dispose]();
    throw Object.assign(new Error(`${path} is served by another process`), { code: 'EADDRINUSE' });
  }
  return removeSocketFile(path);
}

/**
 * The address that a text means, ready to be listened on.
 *
 * @throws (rejects with) Error that names the option
 */
export async function listenAddress(posix: Posix, option: string, text: string): Promise<SocketAddress> {
  const address = await resolveNbdAddress(posix, text);
  if (typeof address === 'string') throw new Error(`--${option}: ${address}`);
  if (address.family === AF_UNIX) await freeSocketPath(posix, address.path);
  return address;
}
