// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, type Stats } from 'node:fs';
import { SystemError } from '../posix/system-error.js';

/** What is open already: a pipe there was given on purpose (`<(...)`, /dev/stdin). */
const OPEN_ALREADY = /^\/(?:dev|proc)\//;
/** A file that is read whole has no more bytes, unless its reader expects more. */
const MAX_WHOLE_BYTES = 4 << 20;
const READ_BYTES = 64 << 10;

/** What {@link openOwnFile} makes, and what it may take the place of. */
export interface OwnFileOptions {
  /** Of a new file; 0600 unless given. */
  readonly mode?: number;
  /** What a file that is there must be to be overwritten, for people: `a trace`. Unless given, anything is overwritten. */
  readonly replaces?: { readonly what: string; readonly bytes: number; isSuch(start: Buffer): boolean };
}

/**
 * Opens a file for writing from its start, which the user alone has: through no link, nobody else's, with no second name,
 * and without waiting for the reader of a FIFO. A new one is its owner's alone (0600), unless another mode is given. What
 * the options do not let it replace stays as it is.
 *
 * @returns the descriptor
 * @throws SystemError, EEXIST for a file that has something else; or node:fs's own error
 */
export function openOwnFile(path: string, { mode = 0o600, replaces }: OwnFileOptions = {}): number {
  const { O_WRONLY, O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const access = replaces === undefined ? O_WRONLY : O_RDWR;
  let fd: number;
  try {
    fd = openSync(path, access | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode);
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
    if (replaces !== undefined && stats.size > 0 && !replaces.isSuch(startOf(fd, replaces.bytes)))
      throw new SystemError('EEXIST', `cannot write ${path}: it exists and is not ${replaces.what}`);
    ftruncateSync(fd);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Reads a file whole, as readFileSync does, but refuses a FIFO, whose writer may never come, and what does not end, such as
 * a device or a disk's image.
 *
 * @throws SystemError EINVAL, EISDIR or EFBIG, or node:fs's own error
 */
export function readWholeFile(path: string, maxBytes = MAX_WHOLE_BYTES): Buffer {
  const flags = OPEN_ALREADY.test(path) ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NONBLOCK;
  const fd = openSync(path, flags);
  try {
    const stats = fstatSync(fd);
    if (stats.isDirectory()) throw new SystemError('EISDIR', `${path} is a directory, expected a file`);
    if (stats.isFIFO() && !OPEN_ALREADY.test(path))
      throw new SystemError('EINVAL', `${path} is a FIFO, expected a file`);
    const bytes = readUpTo(fd, maxBytes + 1);
    if (bytes.length <= maxBytes) return bytes;
    throw new SystemError('EFBIG', `${path} has more than ${maxBytes} bytes, expected a smaller file`);
  } finally {
    closeSync(fd);
  }
}

/** A file's bytes from where it is, but no more than so many. */
function readUpTo(fd: number, maxBytes: number): Buffer {
  const parts: Buffer[] = [];
  for (let left = maxBytes; left > 0;) {
    const part = Buffer.alloc(Math.min(left, READ_BYTES));
    const count = readSync(fd, part, 0, part.length, null);
    if (count === 0) break;
    parts.push(part.subarray(0, count));
    left -= count;
  }
  return Buffer.concat(parts);
}

function startOf(fd: number, bytes: number): Buffer {
  const start = Buffer.alloc(bytes);
  return start.subarray(0, readSync(fd, start, 0, bytes, 0));
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
