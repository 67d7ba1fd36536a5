// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, type Stats } from 'node:fs';
import { SystemError } from '../posix/system-error.js';

/** What is open already: a pipe there was given on purpose (`<(...)`, /dev/stdin). */
const OPEN_ALREADY = /^\/(?:dev|proc)\//;

/**
 * Opens a file for writing from its start, which the user alone has: through no link, nobody else's, with no second name,
 * and without waiting for the reader of a FIFO. A new one is its owner's alone (0600), unless another mode is given.
 *
 * @returns the descriptor
 * @throws SystemError, or node:fs's own error
 */
export function openOwnFile(path: string, mode = 0o600): number {
  const { O_WRONLY, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  let fd: number;
  try {
    fd = openSync(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode);
  } catch (error) {
    const why = { ELOOP: 'it is a link', ENXIO: 'it is no regular file' }[codeOf(error)];
    throw why === undefined ? error : new SystemError(codeOf(error), `cannot write ${path}: ${why}`);
  }
  try {
    const stats = fstatSync(fd);
    // As /dev/null: what others could do with it, they can without us.
    if (stats.isCharacterDevice()) return fd;
    const fault = notOwn(stats);
    if (fault !== undefined) throw new SystemError('EPERM', `cannot write ${path}: ${fault}`);
    ftruncateSync(fd);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Reads a file whole, as readFileSync does, but refuses a FIFO, whose writer may never come.
 *
 * @throws SystemError, or node:fs's own error
 */
export function readWholeFile(path: string): Buffer {
  if (OPEN_ALREADY.test(path)) return readFileSync(path);
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (fstatSync(fd).isFIFO()) throw new SystemError('EINVAL', `${path} is a FIFO, expected a file`);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

function notOwn(stats: Stats): string | undefined {
  if (!stats.isFile()) return 'it is no regular file';
  if (stats.uid !== (process.geteuid?.() ?? stats.uid))
    return `it belongs to another user (uid ${stats.uid})`;
  return stats.nlink > 1 ? 'it has another name as well' : undefined;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}
