// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { isUtf8 } from 'node:buffer';
import { realpathSync } from 'node:fs';
import { pathFrom } from './path-text.js';
import { SystemError } from './system-error.js';

/** The text of a path's bytes. Undefined when they are not UTF-8: the text would then be the name of another file. */
export function exactText(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString() : undefined;
}

/**
 * The absolute path of one that may be relative, as `pathFrom` makes it.
 *
 * @throws SystemError EILSEQ when the path is relative to a current directory that Node cannot name, as its path is not UTF-8
 */
export function absolutePath(path: string): string {
  if (!path.startsWith('/') && exactText(realpathSync.native('.', { encoding: 'buffer' })) === undefined)
    throw new SystemError(
      'EILSEQ',
      `${path}: the path of the current directory is not UTF-8; expected an absolute path`,
    );
  return pathFrom(path.startsWith('/') ? '/' : process.cwd(), path);
}

/**
 * As node:fs's realpathSync.
 *
 * @throws SystemError EILSEQ when the result is not UTF-8, or node:fs's own error
 */
export function realPath(path: string): string {
  const real = exactText(realpathSync.native(path, { encoding: 'buffer' }));
  if (real === undefined) throw new SystemError('EILSEQ', `${path}: its real path is not UTF-8`);
  return real;
}
