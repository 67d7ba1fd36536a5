// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { existsSync } from 'node:fs';
import { pathIn } from '../path-text.js';

/** Linux's names for what a process has open. */
const OPEN_FILES = '/proc/self/fd';

/**
 * A path of an open directory that stays right when somebody renames or replaces what has its usual path. Where there is
 * no /proc it is the usual one.
 */
export function openDirectoryPath(fd: number, usual: string, openFiles = OPEN_FILES): string {
  return existsSync(openFiles) ? pathIn(openFiles, String(fd)) : usual;
}
