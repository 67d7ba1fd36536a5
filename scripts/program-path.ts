// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';

/** Where a program is that PATH leads to, or one of the other directories; undefined when it is not installed. */
export function programPath(name: string, ...otherDirectories: readonly string[]): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(path.delimiter), ...otherDirectories];
  return directories.map((directory) => path.join(directory || '.', name)).find(isProgram);
}

function isProgram(file: string): boolean {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return false;
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
