// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readdirSync } from 'node:fs';
import { isAbsolute, pathIn } from '../posix/path-text.js';
import { makeDirectory } from '../server/made-directory.js';
import { checkSocketPath } from '../server/socket-path.js';
import { requireTrusted } from '../server/trusted-directory.js';

/** Where the C programs look (C: BLKTAP2_CONTROL_DIR); for root. */
export const ROOT_CONTROL_DIRECTORY = '/var/run/blktap-control';

const socketName = /^ctl([1-9][0-9]*)$/;

/**
 * The control directory where none is given: the C programs' for root, one in the user's runtime directory else,
 * or undefined where there is none: XDG_RUNTIME_DIR counts only with an absolute path, as its specification has it.
 */
export function defaultControlDirectory(
  uid = process.getuid?.(),
  runtimeDirectory = process.env['XDG_RUNTIME_DIR'],
): string | undefined {
  if (uid === 0) return ROOT_CONTROL_DIRECTORY;
  return isAbsolute(runtimeDirectory) ? pathIn(runtimeDirectory, 'blktap-control') : undefined;
}

/** The path of a daemon's control socket. */
export function controlSocketPath(directory: string, pid: number): string {
  return pathIn(directory, `ctl${pid}`);
}

/**
 * Makes the directory if it is missing, mode 0755.
 *
 * @throws Error with a `code`: node:fs's own, ENOTDIR, ENAMETOOLONG when a socket in it could not be named, or EPERM when
 *   others than the user and root could replace one
 */
export function prepareControlDirectory(directory: string, pid: number): void {
  checkSocketPath(controlSocketPath(directory, pid));
  makeDirectory(directory, 0o755);
  requireTrusted(directory);
}

/**
 * The pids that the directory has a socket of, ascending; a socket may be left over from a daemon that was killed.
 * A missing directory has none.
 *
 * @throws Error with a `code`: node:fs's own, or EPERM when others than the user and root could put sockets there
 */
export function listedPids(directory: string): number[] {
  try {
    requireTrusted(directory);
    return readdirSync(directory)
      .map((name) => Number(socketName.exec(name)?.[1]))
      .filter((pid) => Number.isSafeInteger(pid))
      .sort((a, b) => a - b);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
