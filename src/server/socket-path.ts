// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type BigIntStats, lstatSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { errno, errnoCode } from '../posix/errno.js';
import type { Posix } from '../posix/posix.js';
import { MAX_UNIX_PATH_BYTES } from '../posix/shared/check-address.js';
import { ClientConnection } from './client-connection.js';
import { whileLocked } from './directory-lock.js';
import { LOG_WARNING, type Logger } from './logger.js';
import { SystemError } from '../posix/system-error.js';

/** How long the process that has the path may take to accept, in seconds. */
const PROBE_SECONDS = 2;

/** @throws Error with `code` ENAMETOOLONG */
export function checkSocketPath(path: string): void {
  const length = Buffer.byteLength(path);
  if (length <= MAX_UNIX_PATH_BYTES) return;
  const most = `but the path of a socket at most ${MAX_UNIX_PATH_BYTES}`;
  throw new SystemError('ENAMETOOLONG', `${path} has ${length} bytes, ${most}`);
}

/**
 * Takes the path of a Unix socket: a socket there that nobody listens on any more is removed, and `listen` is called,
 * which is to bind and listen at once.
 *
 * Of several processes that do this at the same time exactly one listens at the end, and the others get an error: bind never
 * takes the place of a file, and a socket is removed only while it is the one that was found dead, with the directory
 * locked ({@link whileLocked}).
 *
 * @throws (rejects with) Error: `code` EADDRINUSE when it is served, EEXIST when it is not a socket, ENAMETOOLONG, or
 *   node:fs's own; or what `listen` throws
 */
export async function takeSocketPath<Result>(
  { posix, logger }: { readonly posix: Posix; readonly logger: Logger },
  path: string,
  listen: () => Result,
): Promise<Result> {
  checkSocketPath(path);
  if (find(path) === undefined) return listen();
  const warn = (why: string): void =>
    logger.log(LOG_WARNING, `the directory of ${path} cannot be locked: ${why}`);
  return whileLocked(
    dirname(path),
    async () => {
      await removeDead(posix, path);
      return listen();
    },
    warn,
  );
}

/** Ends well when the path could be taken. @throws (rejects with) Error, as `takeSocketPath`, when it could not */
export async function checkSocketPathIsFree(posix: Posix, path: string): Promise<void> {
  checkSocketPath(path);
  await findDead(posix, path);
}

/**
 * Removes a socket that nobody listens on any more, or finds none.
 *
 * @throws (rejects with) Error, as `takeSocketPath`
 */
export async function removeDead(posix: Posix, path: string): Promise<void> {
  const dead = await findDead(posix, path);
  if (dead === undefined) return;
  const now = find(path);
  if (now?.dev === dead.dev && now.ino === dead.ino) unlinkSync(path);
}

/** The socket that nobody listens on, or undefined when there is nothing. */
async function findDead(posix: Posix, path: string): Promise<BigIntStats | undefined> {
  const found = find(path);
  if (found === undefined) return undefined;
  if (!found.isSocket()) throw new SystemError('EEXIST', `${path} exists and is not a socket`);
  const answer = await probe(posix, path);
  if (answer === -errno.ECONNREFUSED || answer === -errno.ENOENT) return found;
  // A queue that is full, no permission, no answer in time: it counts as in use.
  const how = answer === 0 ? '' : ` (${errnoCode(answer)})`;
  throw new SystemError('EADDRINUSE', `${path} is served by another process${how}`);
}

async function probe(posix: Posix, path: string): Promise<number> {
  const connection = await ClientConnection.open(posix, path, { stepSeconds: PROBE_SECONDS });
  if (typeof connection === 'number') return connection;
  connection[Symbol.dispose]();
  return 0;
}

function find(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}
