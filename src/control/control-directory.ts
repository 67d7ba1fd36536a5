// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Where the C programs look (C: BLKTAP2_CONTROL_DIR); for root. */
export const ROOT_CONTROL_DIRECTORY = '/var/run/blktap-control';
/** The longest path that a Unix socket's address has room for, in bytes (sockaddr_un.sun_path, without its NUL). */
export const MAX_SOCKET_PATH_BYTES = 107;

const socketName = /^ctl([1-9][0-9]*)$/;

/**
 * The control directory where none is given: the C programs' for root, one in the user's runtime directory else,
 * or undefined where there is none.
 */
export function defaultControlDirectory(
  uid = process.getuid?.(),
  runtimeDirectory = process.env['XDG_RUNTIME_DIR'],
): string | undefined {
  if (uid === 0) return ROOT_CONTROL_DIRECTORY;
  return runtimeDirectory ? join(runtimeDirectory, 'blktap-control') : undefined;
}

/** The path of a daemon's control socket. */
export function controlSocketPath(directory: string, pid: number): string {
  return join(directory, `ctl${pid}`);
}

/**
 * Makes the directory if it is missing, mode 0755.
 *
 * @throws Error with a `code`: node:fs's own, ENOTDIR, or ENAMETOOLONG when a socket in it could not be named
 */
export function prepareControlDirectory(directory: string, pid: number): void {
  const path = controlSocketPath(directory, pid);
  const length = Buffer.byteLength(path);
  if (length > MAX_SOCKET_PATH_BYTES) {
    const message = `${path} has ${length} bytes, but a socket's path at most ${MAX_SOCKET_PATH_BYTES}`;
    throw Object.assign(new Error(message), { code: 'ENAMETOOLONG' });
  }
  mkdirSync(directory, { recursive: true, mode: 0o755 });
}

/**
 * Removes a socket that nobody serves any more; that must be known already. A missing file is fine.
 *
 * @throws Error with a `code`: node:fs's own, or EEXIST when there is something that is no socket
 */
export function removeSocketFile(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found && !found.isSocket()) {
    throw Object.assign(new Error(`${path} is there and no socket`), { code: 'EEXIST' });
  }
  rmSync(path, { force: true });
}

/**
 * The pids that the directory has a socket of, ascending; a socket may be left over from a daemon that was killed.
 * A missing directory has none.
 *
 * @throws node:fs's Error when it cannot be read
 */
export function listedPids(directory: string): number[] {
  try {
    return readdirSync(directory)
      .map((name) => Number(socketName.exec(name)?.[1]))
      .filter((pid) => Number.isSafeInteger(pid))
      .sort((a, b) => a - b);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
