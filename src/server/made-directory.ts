// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory with all above it that are missing. One that is there stays as it is.
 *
 * Not by mkdir's own `recursive`: where a directory cannot have others in it, as in /proc, that tries again for ever.
 *
 * @param mode the permissions of each that is made
 * @throws node:fs's Error
 */
export function makeDirectory(path: string, mode: number): void {
  const parent = dirname(path);
  if (!existsSync(parent)) makeDirectory(parent, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !statSync(path).isDirectory()) throw error;
  }
}
